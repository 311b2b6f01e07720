from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender.constants import PRIORS, cache_bytes, priors
from gigawright.workloads.recommender.cost import PARTS, prepare, seconds
from gigawright.workloads.recommender.examples import dlrm
from gigawright.workloads.recommender.load import fastest, loaded
from gigawright.workloads.recommender.places import places
from gigawright.workloads.recommender.service import Ask, precision_named

from .slow import batch_seconds

CHIPS = ("nv_h200_sxm", "nv_a100_80", "nv_b200_sxm", "amd_mi300x")


def total(ask: Ask) -> float:
    return float(seconds(fastest(ask, priors()), priors()).sum())


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("kept", [frozenset(), frozenset({"cross"})])
@pytest.mark.parametrize(("live", "requests"), [(False, 2000.0), (True, 190.0), (True, 1.0)])
def test_the_slow_reference_agrees(chip: str, kept: frozenset[str], live: bool, requests: float) -> None:
    ask = dlrm(chip, kept_16=kept, live=live, requests=requests)
    found = dict(zip(PARTS, seconds(prepare(ask, places(ask)[0]), priors()), strict=True))
    for part, value in batch_seconds(ask, priors()).items():
        assert found[part] == pytest.approx(value, rel=1e-9), part


@given(st.sampled_from(CHIPS), st.floats(1, 3000), st.floats(1, 3000))
def test_a_larger_batch_takes_longer_and_less_a_request(chip: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    short, long = total(dlrm(chip, requests=low)), total(dlrm(chip, requests=high))
    assert short <= long * (1 + 1e-9)
    # Waves of tiles are whole, so a request may cost a little more at once than in two.
    assert long / high <= short / low * 1.15


@given(st.sampled_from(CHIPS), st.sampled_from(sorted(PRIORS)), st.floats(1.0, 1.2))
def test_better_constants_are_never_slower(chip: str, name: str, factor: float) -> None:
    better = dict(priors())
    better[name] *= 1 / factor if name.endswith("_s") else factor
    ready = fastest(dlrm(chip, live=True), priors())
    assert seconds(ready, better).sum() <= seconds(ready, priors()).sum() * (1 + 1e-12)


@pytest.mark.parametrize("chip", CHIPS)
def test_parts_at_16_bits_are_slower(chip: str) -> None:
    plain, high = dlrm(chip), dlrm(chip, kept_16=frozenset({"cross"}))
    assert total(plain) < total(high) < 2.5 * total(plain)
    assert total(high) < total(dlrm(chip, precision="bf16")) * 1.05


def test_wider_rows_and_values_take_longer() -> None:
    times = [total(dlrm("nv_h200_sxm", precision=name)) for name in ("int8", "bf16", "tf32")]
    assert times == sorted(times)


def test_a_live_service_pays_for_each_query() -> None:
    offline, live = dlrm(requests=190.0), dlrm(requests=190.0, live=True)
    assert total(live) - total(offline) == pytest.approx(190 * priors()["query_s"])


def test_integers_are_told_from_floats() -> None:
    dear = priors() | {"integer": 1.3}
    for precision, faster in (("int8", True), ("fp8", False), ("bf16", False)):
        ready = fastest(dlrm(precision=precision), priors())
        assert bool(seconds(ready, dear)[0] < seconds(ready, priors())[0]) is faster


def test_no_product_is_faster_than_the_data_sheet() -> None:
    ask = dlrm()
    ready = fastest(ask, priors())
    spent = seconds(ready, priors() | {"dense": 50.0})[0]
    peak = ask.chip.peak_tflops["int8"] * 1e12
    assert ask.sizes.flops(ask.pairs, ask.requests) / spent < peak


def test_shards_send_what_is_pooled() -> None:
    """26 vectors of 128 values in fp16 a pair, 7 of 8 to other accelerators; rows are cut by columns."""
    ask = dlrm("nv_h100_sxm", precision="bf16", candidates=1.0, requests=1000.0)
    small = replace(ask, chip=replace(ask.chip, memory_gb=20.0))
    assert [place.name for place in places(ask)] == ["a copy each"]
    columns = [p for p in places(small) if p.name == "shards by columns" and p.shards.group == 8]
    ready = prepare(small, columns[0])
    assert ready.sent == pytest.approx(1000 * 26 * 128 * 2 * 7 / 8)
    assert seconds(ready, priors())[PARTS.index("exchange")] > 0


def test_caches_have_sources_and_sizes() -> None:
    assert cache_bytes("H200 SXM 141GB") == 25e6
    assert cache_bytes("something new") == 16e6


def test_a_chip_without_rates_is_refused() -> None:
    with pytest.raises(Unpredictable, match="missing"):
        fastest(dlrm("hw_910d"), priors())


def test_unknown_precisions_are_refused_by_name() -> None:
    with pytest.raises(Unpredictable, match="'int3' is none of"):
        precision_named("int3")


def test_a_tight_limit_halves_the_batch_or_leaves_time_idle() -> None:
    done = loaded(dlrm("nv_a100_80", live=True, limit_s=0.002, requests=2222.0), priors())
    loose = loaded(dlrm("nv_a100_80", live=True, limit_s=0.2, requests=2222.0), priors())
    assert done.ready.ask.requests <= loose.ready.ask.requests
    assert 0 < done.use < loose.use < 1
    assert loaded(dlrm(live=True, limit_s=1e-6), priors()).use == 0


def test_offline_work_waits_for_nobody() -> None:
    done = loaded(dlrm(), priors())
    assert done.use == 1
    assert np.isfinite(seconds(done.ready, priors())).all()
