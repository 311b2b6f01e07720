from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.workloads.architecture import recommender_model
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender.examples import dlrm
from gigawright.workloads.recommender.placement import fill, harmonic, hit_rate, shard
from gigawright.workloads.recommender.places import SHARDINGS, places
from gigawright.workloads.recommender.sizes import Tables, sizes

SKEWS = st.sampled_from([0.0, 0.5, 0.9, 1.0, 1.05, 2.0])


@given(st.integers(1, 3000), SKEWS)
def test_harmonic_is_the_sum(rows: int, skew: float) -> None:
    assert harmonic(rows, skew) == pytest.approx(sum(r**-skew for r in range(1, rows + 1)), rel=1e-8)


@given(st.floats(0, 1e9), st.floats(0, 1e9), SKEWS)
def test_more_rows_hit_more(one: float, other: float, skew: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= hit_rate(low, 1e8, skew) <= hit_rate(high, 1e8, skew) * (1 + 1e-12) <= 1 + 1e-12


def test_a_hot_tenth_of_a_skewed_table_answers_most() -> None:
    """Zipf of exponent 1 over 1,000 rows: H(100) / H(1000) = 5.187 / 7.485."""
    assert hit_rate(100, 1000, 1.0) == pytest.approx(5.18738 / 7.48547, rel=1e-5)


def some(rows: list[float], lookups: list[float], skew: float = 0.0) -> tuple[Tables, np.ndarray]:
    r, one = np.array(rows), np.ones(len(rows))
    return Tables(r, 4 * one, one, 0 * one, skew * one), np.array(lookups)


@given(
    st.lists(st.tuples(st.floats(1, 1e6), st.floats(0.1, 1e6)), min_size=1, max_size=6),
    st.floats(0, 1e8),
    SKEWS,
)
def test_a_store_is_never_over_full_and_lookups_are_kept(
    pairs: list[tuple[float, float]], store: float, skew: float
) -> None:
    tables, lookups = some([rows for rows, _ in pairs], [many for _, many in pairs], skew)
    found = fill(tables, lookups, 2.0, store)
    assert found.bytes <= store * (1 + 1e-9)
    assert np.allclose(found.answered + found.left, lookups, rtol=1e-6)
    assert (found.answered >= 0).all()


def test_busy_small_tables_go_first() -> None:
    tables, lookups = some([10.0, 1000.0], [100.0, 100.0])
    found = fill(tables, lookups, 1.0, 40.0)
    assert found.answered.tolist() == [100.0, 0.0]


@given(st.lists(st.floats(1, 1e5), min_size=1, max_size=20), st.integers(1, 32))
def test_shards_are_never_lighter_than_even(lookups: list[float], group: int) -> None:
    tables, many = some([100.0] * len(lookups), lookups)
    for by in SHARDINGS:
        found = shard(tables, many, group, by)
        assert found.busiest >= 1 - 1e-9
        assert found.busiest <= group * (1 + 1e-9)


def test_mixed_shards_are_nearly_even_where_tables_are_not() -> None:
    tables = sizes(recommender_model("dlrm-dcnv2")).tables
    lookups = tables.lookups(6912.0, 6912.0)
    whole, mixed = (shard(tables, lookups, 8, by, 6912.0) for by in ("tables", "mixed"))
    assert whole.busiest > 3
    assert mixed.busiest < 1.6
    assert mixed.copied.sum() == (tables.rows < 6912).sum() == 11


def test_tables_are_copied_where_they_fit() -> None:
    assert [place.name for place in places(dlrm())] == ["a copy each"]


def test_tables_that_do_not_fit_are_sharded_or_cached() -> None:
    names = {place.name for place in places(dlrm("nv_l4"))}
    assert names >= {"hot rows, then host"}
    shards = {place.name for place in places(dlrm("nv_h100_sxm", precision="tf32"))}
    assert shards >= {"shards by rows", "shards by columns", "hot rows, then host"}


def test_every_look_up_is_answered_once() -> None:
    for chip, precision in (("nv_l4", "bf16"), ("nv_h100_sxm", "tf32"), ("nv_h200_sxm", "int8")):
        ask = dlrm(chip, precision=precision)
        wanted = ask.sizes.tables.lookups(ask.pairs, ask.requests)
        for place in places(ask):
            told = place.device + place.host + place.flash + place.remote
            assert np.allclose(told, wanted), (chip, place.name)


def test_a_dense_model_too_large_for_the_chip_is_refused() -> None:
    found = sizes(recommender_model("rankmixer-1b"))
    wide = replace(found.products, layers=found.products.layers * 1000)
    with pytest.raises(Unpredictable, match="does not fit"):
        places(dlrm("nv_l4", sizes=replace(found, products=wide, remote=False)))
