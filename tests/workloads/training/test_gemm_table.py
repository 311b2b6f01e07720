"""Tables of measured products: what is read, what is refused, how they bend the formula, what they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.arrays import Floats
from gigawright.errors import UserError
from gigawright.workloads.training.constants import priors
from gigawright.workloads.training.gemm_fit import describe, fit_formula
from gigawright.workloads.training.gemm_table import GemmTable, parse, read
from gigawright.workloads.training.operators import product

Formula = Callable[[Floats, Floats, Floats], Floats]

GOOD = """m,n,k,precision,tflops,note
4096,4096,4096,bf16,690,square
4096,8192,4096,bf16,710,
4096,4096,1024,bf16,600,short
"""

# bf16 products [m, n, k, TFLOP/s], one at a time: openxla/xla (Apache-2.0), the table
# xla/service/gpu/model/default_matmul_perf_table.txtpb as of 2026-10 (jax-cuda12-pjrt 0.12.0.1), rounded to
# four digits; "sm_90" is an H100 SXM, "sm_100_B200" a B200.
SIZES = [(m, n, k) for m, n in ((1, 1), (2, 1), (2, 2), (4, 1), (4, 2), (4, 4)) for k in (0.5, 1, 2, 4)]
H100 = """149.1 252.8 359.8 472.6 244.9 386.8 535.3 663.6 348.6 498.0 641.0 752.2 354.6 497.6 643.7 751.7
449.6 604.6 727.5 759.4 551.8 685.2 735.6 780.2"""
B200 = """164.1 288.0 468.5 675.3 231.8 496.1 760.4 1018 470.1 725.4 985.8 1208 465.2 715.6 990.3 1205
652.3 913.8 1170 1344 805.3 1076 1278 1417"""
CHIPS = {"H100": (132.0, 989e12, 3.35e12), "B200": (148.0, 2250e12, 8e12)}
"""Cores, bf16 peak [flop/s] and memory bandwidth [bytes/s] of the data sheets."""


def table_of(
    m: Floats, n: Floats, k: Floats, seconds: Floats, precision: str = "bf16", name: str = "t"
) -> GemmTable:
    return GemmTable(name, m, n, k, seconds, (precision,) * len(m), ("",) * len(m))


def published(tflops: str) -> GemmTable:
    m, n, k = np.array(SIZES).T * 1024
    return table_of(m, n, k, 2 * m * n * k / (np.array([float(cell) for cell in tflops.split()]) * 1e12))


def formula_of(chip: str, share: float = 0.76, start: float = 0.0, **own: float) -> Formula:
    cores, peak, bandwidth = (np.array(value) for value in CHIPS[chip])
    c = replace(priors(), gemm_start_s=start, **own)
    return lambda m, n, k: product(m, n, k, share * peak, bandwidth, cores, 2.0, c)


def grid(seed: int = 1, count: int = 60) -> tuple[Floats, Floats, Floats]:
    sizes = np.random.default_rng(seed).uniform(8, 14.5, (3, count))
    m, n, k = (np.round(2.0**size / 64) * 64 for size in sizes)
    return m, n, k


def test_a_table_is_read_from_a_file(tmp_path: Path) -> None:
    place = tmp_path / "mine.csv"
    place.write_text(
        "\ufeff M , n,k,precision,seconds\n\n128,256,512,BF16,1e-5\n1,2,3,fp8,1e-6\n4,5,6,fp8,1\n"
    )
    table = read(place)
    assert table.precision == ("bf16", "fp8", "fp8")
    assert table.seconds.tolist() == [1e-5, 1e-6, 1.0]
    assert table.rates("bf16")[0] == pytest.approx(2 * 128 * 256 * 512 / 1e-5)
    assert table.at(2.0) is None  # one product says nothing
    assert table.name == str(place)


def test_rates_are_what_the_file_says() -> None:
    assert parse(GOOD).rates("bf16") / 1e12 == pytest.approx([690, 710, 600])


def test_everything_wrong_is_told_at_once_with_its_line() -> None:
    text = GOOD + "abc,4096,4096,bf17,0\n-1,2.5,,fp8,nan\n1,1,1,bf16,1,,too,many\n"
    with pytest.raises(UserError) as caught:
        parse(text, "mine.csv")
    told = str(caught.value)
    assert told.startswith("8 problems in the table of products mine.csv")
    for words in (
        "mine.csv:5 m: 'abc' is no number",
        "mine.csv:5 tflops: 0 is not above 0",
        "mine.csv:5 precision: 'bf17' is none of fp4, fp8, int8, bf16, fp16. Did you mean 'bf16'?",
        "mine.csv:6 m: -1 is not above 0",
        "mine.csv:6 n: 2.5 is not a whole number",
        "mine.csv:6 k: the cell is empty",
        "mine.csv:6 tflops: nan is not above 0 and finite",
        "mine.csv:7 row: 8 cells where the header has 6",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("m,n,precision,tflops\n", "k: this column is missing"),
        ("m,n,k,precision\n", "give one column, tflops or seconds; neither was found"),
        ("m,n,k,precision,tflops,seconds\n", "give one column, tflops or seconds; both were found"),
        ("m,n,k,precison,tflops\n", "precison: no such column. Did you mean 'precision'?"),
        ("m,n,k,k,precision,tflops\n", "k: this column stands here twice"),
        ("m,n,k,precision,tflops\n1,1,1,bf16,1\n", "1 product(s) measured; at least 3 are needed"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(text: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(text)
    assert words.replace(" Did", "") in str(caught.value).replace(" Did", "")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"m,n\xff\xfe")
    with pytest.raises(UserError, match="is not UTF-8 text"):
        read(tmp_path / "bytes.csv")


def test_measured_products_hold_where_they_were_measured() -> None:
    table, formula = published(B200), formula_of("B200")
    factor = table.correction(table.m, table.n, table.k, formula)
    assert formula(table.m, table.n, table.k) * factor == pytest.approx(table.seconds, rel=1e-6)
    turned = table.correction(table.n, table.m, table.k, formula)
    assert turned == pytest.approx(factor, rel=1e-12)


def test_products_measured_twice_count_by_their_mean() -> None:
    m = np.array([4096.0, 4096.0, 1024.0, 8192.0])
    formula = formula_of("H100")
    table = table_of(m, m, m, formula(m, m, m) * np.array([2.0, 8.0, 4.0, 4.0]))
    assert table.correction(m[:1], m[:1], m[:1], formula)[0] == pytest.approx(4.0, rel=1e-6)


def test_far_from_what_was_measured_the_level_of_the_table_is_left() -> None:
    m, n, k = grid()
    formula = formula_of("H100")
    table = table_of(m, n, k, 1.3 * formula(m, n, k))
    far = np.array([2.0**30])
    assert table.correction(far, far, far, formula) == pytest.approx([1.3], rel=1e-9)
    one = m == m[0]  # a product that is an exception stays one
    odd = table_of(m, n, k, np.where(one, 2.6, 1.3) * formula(m, n, k))
    assert odd.correction(m[0], n[0], k[0], formula) == pytest.approx(2.6, rel=1e-6)
    assert odd.correction(far, far, far, formula)[0] == pytest.approx(1.3, rel=0.03)
    near = [float(odd.correction(m[0] * 2**d, n[0], k[0] * 2**d, formula)) for d in (0.0, 0.2, 10.0)]
    assert near[0] > near[1] > near[2]


def test_a_start_that_the_formula_lacks_does_not_slow_large_products() -> None:
    m, n, k = grid()
    formula = formula_of("H100")
    table = table_of(m, n, k, formula(m, n, k) + 6e-6)
    large = np.array([65536.0])
    assert table.correction(large, large, large, formula)[0] == pytest.approx(1.0, abs=0.01)
    small = np.array([128.0])
    told = formula(small, small, small) * table.correction(small, small, small, formula)
    assert told[0] == pytest.approx(6e-6, rel=0.25)


@given(st.integers(0, 10_000), st.floats(0.2, 5.0))
def test_a_table_that_is_the_formula_scales_it_and_no_more(seed: int, scale: float) -> None:
    m, n, k = grid(seed, 20)
    formula = formula_of("H100")
    table = table_of(m, n, k, scale * formula(m, n, k))
    found = table.correction(*grid(seed + 1, 30), formula)
    assert found == pytest.approx(np.full(30, scale), rel=1e-6)


@given(st.integers(0, 10_000), st.floats(0.1, 10.0))
def test_other_units_of_time_change_nothing_but_the_unit(seed: int, unit: float) -> None:
    """A formula that is off by a factor gives the same seconds where products were measured densely."""
    table, wanted = published(H100), grid(seed, 10)
    formula = formula_of("H100")
    once = formula(*wanted) * table.correction(*wanted, formula)
    again = unit * formula(*wanted) * table.correction(*wanted, lambda m, n, k: unit * formula(m, n, k))
    assert again == pytest.approx(once, rel=1e-9)


def test_shapes_broadcast_and_repeated_shapes_agree() -> None:
    table, formula = published(H100), formula_of("H100")
    tokens, n, k = np.array([[512.0, 4096.0, 512.0]]), np.array([[1024.0], [3000.0]]), np.array([[2048.0]])
    found = table.correction(tokens, n, k, formula)
    assert found.shape == (2, 3)
    assert np.array_equal(found[:, 0], found[:, 2])
    alone = table.correction(np.array([4096.0]), np.array([3000.0]), np.array([2048.0]), formula)
    assert found[1, 1] == pytest.approx(alone[0], rel=1e-12)


def test_products_without_a_size_stay_finite() -> None:
    table, formula = published(H100), formula_of("H100")
    zero = np.array([0.0])
    assert np.isfinite(table.correction(zero, zero, zero, formula)).all()


def test_precisions_that_were_not_measured_keep_the_formula() -> None:
    formula = formula_of("H100")
    table = published(H100)
    m = np.array([[4096.0, 2048.0], [1024.0, 4096.0]])
    width = np.array([[2.0], [1.0]])
    found = table.factors(m, m, m, width, lambda m, n, k, width: formula(m, n, k) * width / 2)
    assert found[1].tolist() == [1.0, 1.0]
    assert found[0] == pytest.approx(table.correction(m[0], m[0], m[0], formula))
    assert (found[0] != 1).all()


@pytest.mark.parametrize(("chip", "tflops", "most"), [("H100", H100, 0.04), ("B200", B200, 0.05)])
def test_a_published_product_is_told_from_the_others(chip: str, tflops: str, most: float) -> None:
    """Leaving each out in turn; the uncorrected formula misses the middle one by more than a tenth."""
    table, formula = published(tflops), formula_of(chip)
    alone = formula(table.m, table.n, table.k) / table.seconds - 1
    missed = []
    for at in range(len(table)):
        rest = table.only(np.arange(len(table)) != at)
        m, n, k = table.m[at], table.n[at], table.k[at]
        missed.append(formula(m, n, k) * float(rest.correction(m, n, k, formula)) / table.seconds[at] - 1)
    assert np.median(np.abs(missed)) < most
    assert np.median(np.abs(alone)) > 2 * most


@pytest.mark.parametrize(
    ("chip", "tflops", "share", "median"), [("H100", H100, 0.86, 0.02), ("B200", B200, 0.74, 0.02)]
)
def test_published_tables_are_repeated(chip: str, tflops: str, share: float, median: float) -> None:
    """The shares are near the best rates that are published: 0.80 of an H100's peak, 0.78 of a B200's."""
    fitted = fit_formula(published(tflops), *CHIPS[chip])
    assert fitted.share == pytest.approx(share, abs=0.06)
    assert fitted.median_error < median
    assert 2e-6 < fitted.start_s < 8e-6
    assert 100 < fitted.depth < 350


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize(
    ("share", "tile_s", "waves", "start"), [(0.6, 1e-6, 0.3, 4e-6), (0.9, 2e-6, 0.6, 15e-6)]
)
def test_known_constants_are_found_again(
    share: float, tile_s: float, waves: float, start: float, noise: float
) -> None:
    m, n, k = grid(3, 150)
    truth = formula_of("H100", share, start, tile_s=tile_s, gemm_waves=waves)(m, n, k)
    seconds = truth * np.exp(np.random.default_rng(5).normal(0, noise, len(m)))
    fitted = fit_formula(table_of(m, n, k, seconds), *CHIPS["H100"])
    loose = 1 + 5 * noise
    assert fitted.share == pytest.approx(share, rel=0.02 * loose)
    assert fitted.tile_s == pytest.approx(tile_s, rel=0.05 * loose)
    assert fitted.waves == pytest.approx(waves, abs=0.05 * loose)
    assert fitted.start_s == pytest.approx(start, rel=0.05 * loose)
    assert fitted.median_error < 0.002 + noise
    assert fitted.products == 150


def test_an_outlier_does_not_move_the_fit() -> None:
    m, n, k = grid(3, 100)
    seconds = formula_of("H100", 0.7, 6e-6)(m, n, k)
    clean = fit_formula(table_of(m, n, k, seconds), *CHIPS["H100"])
    spoilt = fit_formula(table_of(m, n, k, np.where(np.arange(100) < 5, 4.0, 1.0) * seconds), *CHIPS["H100"])
    assert spoilt.share == pytest.approx(clean.share, rel=0.02)


def test_what_products_do_not_tell_stays_as_it_was_guessed() -> None:
    big = np.array([16384.0, 16384.0, 32768.0])
    fitted = fit_formula(table_of(big, big, big, 2 * big**3 / 600e12), *CHIPS["H100"])
    assert fitted.share == pytest.approx(600 / 989, rel=0.03)
    assert fitted.start_s == pytest.approx(6e-6, rel=0.05)
    assert fitted.tile_s == pytest.approx(0.6e-6, rel=0.2)


def test_products_faster_than_the_chip_are_refused() -> None:
    table = published(H100)
    with pytest.raises(UserError, match=r"1 product\(s\) in bf16 are faster than the peak of 750 TFLOP/s"):
        fit_formula(table, 132.0, 750e12, 3.35e12)
    with pytest.raises(UserError, match="has 0 products in fp8; 3 are needed"):
        fit_formula(table, *CHIPS["H100"], precision="fp8")


def test_the_description_names_what_was_fitted() -> None:
    fitted = fit_formula(published(H100), *CHIPS["H100"])
    told = describe(fitted)
    assert told.startswith("24 products in bf16, repeated to ")
    assert f"{fitted.share:.3f}" in told
    assert "tile_s" in told
    assert "gemm_waves" in told
