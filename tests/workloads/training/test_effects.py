"""The hierarchy: shrinkage, what unknown levels add to an interval, and agreement with sums by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.arrays import Floats
from gigawright.workloads.training.calibration import STANDARD_80, interval
from gigawright.workloads.training.effects import (
    KINDS,
    UNSEEN,
    Effects,
    Known,
    covariance,
    levels,
    same_levels,
)
from gigawright.workloads.training.examples import example_run, llama_run
from gigawright.workloads.training.run import Layout
from gigawright.workloads.training.step import PARTS

Level = tuple[str, ...]
VARIANCES = np.outer(np.linspace(0.05, 0.3, len(KINDS)), np.linspace(0.5, 1.5, len(PARTS))) ** 2
EVEN = np.full(len(PARTS), 1 / len(PARTS))


def level(**named: str) -> Level:
    """Levels by kind; every kind that is not named is one of its own."""
    return tuple(named.get(kind.replace(" ", "_"), "") for kind in KINDS)


NVIDIA = level(vendor="NVIDIA", generation="Hopper", chip="h100", site="a", setting="Hopper bf16")
OTHER = level(vendor="AMD", generation="CDNA", chip="mi300x", site="b", setting="CDNA bf16")


def known(rows: list[Level], residual: list[float], noise: float = 0.01, seed: int = 0) -> Effects:
    shares = np.random.default_rng(seed).dirichlet(np.ones(len(PARTS)), len(rows))
    return Effects(Known(rows, shares, np.array(residual), np.full(len(rows), noise)), VARIANCES)


def spread(effects: Effects, row: Level, shares: Floats = EVEN) -> float:
    return float(effects.variance([row], shares[None, :])[0])


def random_rows(seed: int, count: int) -> list[Level]:
    random = np.random.default_rng(seed)
    return [tuple(f"{kind} {random.integers(3)}" for kind in KINDS) for _ in range(count)]


def test_levels_of_a_run() -> None:
    run = llama_run(site="Llama", release="1.0")
    assert dict(zip(KINDS, levels(run), strict=True)) == {
        "vendor": "NVIDIA",
        "generation": "NVIDIA Hopper",
        "chip": "nv_h100_sxm",
        "site": "Llama",
        "release": "Llama 1.0 dense",
        "setting": "NVIDIA Hopper bf16 ",
        "model": "Llama Llama 3.1 405B",
        "expert model": "",
    }


def test_levels_of_experts_are_their_own() -> None:
    moe = replace(
        example_run("deepseek-v3", "hw_910b2", 64, 4096, 64, Layout(data=64)), site="Huawei", release="8"
    )
    named = dict(zip(KINDS, levels(moe), strict=True))
    assert named["model"] == ""
    assert named["expert model"] == "Huawei DeepSeek-V3"
    assert named["release"] == "Huawei 8 MoE"


def test_what_nobody_said_is_no_level() -> None:
    named = dict(zip(KINDS, levels(llama_run(release="1.0")), strict=True))
    assert (named["site"], named["model"]) == (UNSEEN, UNSEEN)


def test_unknown_levels_are_shared_by_none() -> None:
    some = [NVIDIA, OTHER, level(site=UNSEEN), level(site=UNSEEN)]
    assert same_levels(some, some)[KINDS.index("site"), 2:].sum() == 0
    same = same_levels([NVIDIA, OTHER], [NVIDIA, OTHER])
    by_kind = dict(zip(KINDS, same, strict=True))
    np.testing.assert_array_equal(by_kind["site"], np.eye(2))
    np.testing.assert_array_equal(by_kind["release"], np.zeros((2, 2)))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 12))
def test_covariance_is_that_of_shared_levels(seed: int, count: int) -> None:
    """Summed by hand, symmetric and positive."""
    rows = random_rows(seed, count)
    shares = np.random.default_rng(seed).dirichlet(np.ones(len(PARTS)), count)
    found = covariance(rows, shares, rows, shares, VARIANCES)
    for i, left in enumerate(rows):
        for j, right in enumerate(rows):
            expected = sum(
                VARIANCES[kind, part] * shares[i, part] * shares[j, part]
                for kind in range(len(KINDS))
                for part in range(len(PARTS))
                if left[kind] == right[kind] != ""
            )
            assert found[i, j] == pytest.approx(expected)
    assert np.linalg.eigvalsh(found).min() > -1e-12


def test_one_measured_run_by_hand() -> None:
    """A residual of 20% in a run that is all products: each level takes its share of the variance."""
    shares = np.eye(len(PARTS))[[0]]
    effects = Effects(Known([NVIDIA], shares, np.array([0.2]), np.array([0.01])), VARIANCES)
    kinds = [KINDS.index(kind) for kind in ("vendor", "generation", "chip", "site", "setting")]
    signal = VARIANCES[kinds, 0].sum()
    expected = 0.2 * signal / (signal + 0.01)
    found = effects.multipliers([NVIDIA])[0]
    assert found[0] == pytest.approx(expected)
    assert (found[1:] == 0).all()
    vendor_only = effects.multipliers([level(vendor="NVIDIA")])[0, 0]
    assert vendor_only == pytest.approx(0.2 * VARIANCES[0, 0] / (signal + 0.01))
    assert effects.variance([NVIDIA], shares)[0] == pytest.approx(signal * 0.01 / (signal + 0.01))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 10))
def test_the_order_of_rows_does_not_matter(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    rows, residual = random_rows(seed, count), random.normal(0, 0.2, count)
    shares, noise = random.dirichlet(np.ones(len(PARTS)), count), random.uniform(0.001, 0.1, count)
    order = random.permutation(count)
    one = Effects(Known(rows, shares, residual, noise), VARIANCES)
    two = Effects(Known([rows[at] for at in order], shares[order], residual[order], noise[order]), VARIANCES)
    wanted = [*rows, OTHER]
    np.testing.assert_allclose(one.multipliers(wanted), two.multipliers(wanted), atol=1e-10)
    some = np.tile(EVEN, (len(wanted), 1))
    np.testing.assert_allclose(one.variance(wanted, some), two.variance(wanted, some), atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_more_measurements_are_never_less_sure(seed: int) -> None:
    rows = random_rows(seed, 8)
    shares = np.random.default_rng(seed).dirichlet(np.ones(len(PARTS)), 8)
    spreads = []
    for count in range(1, 8):
        some = Known(rows[:count], shares[:count], np.zeros(count), np.full(count, 0.01))
        spreads.append(float(Effects(some, VARIANCES).variance([rows[-1]], shares[[-1]])[0]))
    assert all(later <= before + 1e-12 for before, later in pairwise(spreads))


def test_a_level_that_is_measured_often_speaks_for_itself() -> None:
    """Shrinkage to the measured residual as measurements grow."""
    shares = np.tile(np.eye(len(PARTS))[0], (100, 1))
    found = [
        float(
            Effects(
                Known([NVIDIA] * count, shares[:count], np.full(count, 0.3), np.full(count, 0.05)), VARIANCES
            ).multipliers([NVIDIA])[0, 0]
        )
        for count in (1, 3, 10, 100)
    ]
    assert found == sorted(found)
    assert 0 < found[0] < 0.2
    assert found[-1] == pytest.approx(0.3, rel=0.05)


def test_a_chip_never_measured_has_what_its_vendor_has() -> None:
    effects = known([NVIDIA] * 5 + [OTHER] * 5, [0.2] * 5 + [-0.2] * 5)
    new = level(vendor="NVIDIA", generation="Feynman", chip="f100", setting="Feynman fp4")
    vendor = level(vendor="NVIDIA")
    np.testing.assert_array_equal(effects.multipliers([new]), effects.multipliers([vendor]))
    assert 0 < effects.multipliers([new])[0, 0] < effects.multipliers([NVIDIA])[0, 0]


def test_nothing_in_common_is_no_effect() -> None:
    effects = known([NVIDIA] * 5, [0.2] * 5)
    alone = level(vendor="Cambricon", generation="MLU", chip="590", site="z", setting="MLU bf16")
    assert (effects.multipliers([alone]) == 0).all()
    kinds = [KINDS.index(kind) for kind in ("vendor", "generation", "chip", "site", "setting")]
    assert spread(effects, alone) == pytest.approx((EVEN**2 * VARIANCES[kinds].sum(axis=0)).sum())


def test_a_level_nobody_measured_adds_its_spread() -> None:
    effects = known([NVIDIA] * 20, [0.1] * 20)
    place = KINDS.index("site")
    new = tuple("elsewhere" if at == place else name for at, name in enumerate(NVIDIA))
    assert spread(effects, new) > spread(effects, NVIDIA)


def test_not_knowing_a_site_is_no_surer_than_a_site_nobody_measured() -> None:
    """Without a site the run may be anybody's: the spread among sites remains."""
    effects = known([NVIDIA] * 20, [0.1] * 20)
    place = KINDS.index("site")
    nobody, new = (
        tuple(other if at == place else name for at, name in enumerate(NVIDIA)) for other in (UNSEEN, "else")
    )
    assert spread(effects, nobody) >= spread(effects, new) - 1e-12


def test_not_knowing_a_release_is_less_sure_where_releases_are_told() -> None:
    place = KINDS.index("release")
    told = tuple("a 1.0 dense" if at == place else name for at, name in enumerate(NVIDIA))
    telling, silent = known([told] * 20, [0.1] * 20), known([NVIDIA] * 20, [0.1] * 20)
    assert spread(telling, NVIDIA) > 1.5 * spread(telling, told)
    assert spread(silent, NVIDIA) == pytest.approx(spread(telling, told), rel=0.2)


def test_no_measurement_at_all() -> None:
    nothing = Effects(Known([], np.zeros((0, len(PARTS))), np.zeros(0), np.zeros(0)), VARIANCES)
    assert (nothing.multipliers([NVIDIA]) == 0).all()
    assert spread(nothing, NVIDIA) > 0


def test_the_interval_is_80_per_cent_of_a_normal() -> None:
    """Scaled by kind: dense, MoE."""
    scales = np.array([1.0, 2.0, 3.0, 4.0])
    found = interval(np.array([0.01, 0.01]), np.array([0.04, 0.04]), np.array([0, 1]), scales)
    expected = [STANDARD_80 * np.sqrt(0.04 + 0.09), STANDARD_80 * np.sqrt(4 * 0.04 + 16 * 0.01)]
    np.testing.assert_allclose(found, expected)
    drawn = np.random.default_rng(0).normal(0, 1, 200_000)
    assert np.mean(np.abs(drawn) < STANDARD_80) == pytest.approx(0.8, abs=0.003)
