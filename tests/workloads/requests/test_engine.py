"""The compiled engine against the slow reference, to the last bit, and what must always hold."""

from __future__ import annotations

import numpy as np
import pytest

from gigawright.errors import UserError
from gigawright.workloads.requests.engine.layout import Policy
from gigawright.workloads.requests.pace import Disaggregated, Pace
from gigawright.workloads.requests.result import Served
from gigawright.workloads.requests.run import serve
from gigawright.workloads.requests.traces import faster, trace_of

from . import reference
from .cases import Case, busy_trace, random_case, small_pace

COUNTERS = ("iterations", "preemptions", "prompt_tokens", "cached_tokens", "produced_tokens")


def assert_same(case: Case) -> Served:
    trace, pace, replicas, policy, routing = case
    fast = serve(trace, pace, replicas, policy=policy, routing=routing)
    requests, pools = reference.serve_slowly(trace, pace, replicas, policy, routing)
    ends = [one.finish if one.answer > 1 else one.first for one in requests]
    np.testing.assert_array_equal(fast.marks.first, [one.first for one in requests])
    np.testing.assert_array_equal(fast.finish_s, ends)
    np.testing.assert_array_equal(fast.marks.cached, [one.cached for one in requests])
    np.testing.assert_array_equal(fast.marks.preempted, [one.preempted for one in requests])
    for mine, slow in zip(fast.pools, pools, strict=True):
        counted = {
            "iterations": sum(one.iterations for one in slow),
            "preemptions": sum(one.preemptions for one in slow),
            "prompt_tokens": sum(one.prompt_tokens for one in slow),
            "cached_tokens": sum(one.cached_tokens for one in slow),
            "produced_tokens": sum(one.produced for one in slow),
        }
        assert {name: mine.counters[name] for name in COUNTERS} == counted
        np.testing.assert_array_equal(mine.busy_s, [one.busy for one in slow])
        assert mine.kv_peak == max(one.peak for one in slow) / slow[0].pace.blocks
    return fast


@pytest.mark.parametrize("start", range(0, 400, 50))
def test_agrees_with_the_slow_reference_to_the_last_bit(start: int) -> None:
    served = [assert_same(random_case(seed)) for seed in range(start, start + 50)]
    pools = [pool for one in served for pool in one.pools]
    assert sum(pool.counters["preemptions"] for pool in pools) > 20
    assert sum(pool.counters["cached_tokens"] for pool in pools) > 200
    assert sum(pool.counters["swapped_tokens"] for pool in pools) > 20
    assert any(one.refused.any() for one in served)
    assert {len(one.pools) for one in served} == {1, 2}


def test_answers_longer_than_the_calendar() -> None:
    trace = trace_of([0.0, 0.0, 1.0], [5, 9000, 3], [9500, 30, 4096])
    pace = Pace(np.full(64, 1e-3), 2000, 4, context_s=1e-9, window=6000, window_s=1e-9)
    assert_same((trace, pace, 1, Policy(), "round-robin"))


def test_every_token_is_produced_once_and_every_block_is_given_back() -> None:
    trace = busy_trace()
    served = serve(trace, small_pace(), 2)
    (pool,) = served.pools
    assert pool.counters["preemptions"] > 10
    assert pool.counters["cached_tokens"] > 1000
    assert pool.counters["produced_tokens"] == trace.output.sum()
    assert pool.counters["finished"] == pool.counters["assigned"] == len(trace)
    assert pool.counters["running"] == pool.kv_left == 0
    assert 0.9 < pool.kv_peak <= 1.0
    assert np.all(served.ttft_s > 0)
    assert np.all(served.e2e_s >= served.ttft_s)


@pytest.mark.parametrize("routing", ["round-robin", "least-loaded", "prefix"])
@pytest.mark.parametrize("apart", [False, True])
def test_threads_do_not_matter(routing: str, apart: bool) -> None:
    trace = busy_trace(600)
    pace = Disaggregated(small_pace(), small_pace(), 1e-5) if apart else small_pace()
    replicas = (3, 3) if apart else 4
    tables = [serve(trace, pace, replicas, routing=routing, threads=threads) for threads in (1, 2, 4)]  # type: ignore[arg-type]
    for other in tables[1:]:
        for mine, its in zip(tables[0].marks, other.marks, strict=True):
            np.testing.assert_array_equal(mine, its)
        for pool, its_pool in zip(tables[0].pools, other.pools, strict=True):
            assert pool.counters == its_pool.counters
            np.testing.assert_array_equal(pool.busy_s, its_pool.busy_s)


def test_slices_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    trace, pace = busy_trace(300), small_pace()
    for routing in ("round-robin", "least-loaded"):
        whole = serve(trace, pace, 3, routing=routing)  # type: ignore[arg-type]
        with monkeypatch.context() as patch:
            patch.setattr("gigawright.workloads.requests.run.SLICE", 7)
            sliced = serve(trace, pace, 3, routing=routing)  # type: ignore[arg-type]
        np.testing.assert_array_equal(whole.marks.finish, sliced.marks.finish)


def test_drafts_follow_the_seed_and_nothing_else() -> None:
    trace = busy_trace(200)
    pace = Pace(np.full(513, 0.01), 5000, 32, draft_tokens=3, acceptance=0.7)
    runs = [serve(trace, pace, 1, policy=Policy(seed=seed)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0].marks.finish, runs[1].marks.finish)
    assert not np.array_equal(runs[0].marks.finish, runs[2].marks.finish)


def test_drafts_keep_as_many_tokens_as_their_acceptance_says() -> None:
    pace = Pace(np.full(20, 1.0), 10_000, 1, draft_tokens=3, acceptance=0.6)
    served = serve(trace_of([0.0], [1], [20_001]), pace, 1)
    steps = served.pools[0].counters["iterations"] - 1
    assert 20_000 / steps == pytest.approx(1 + 0.6 + 0.6**2 + 0.6**3, rel=0.02)


def test_swapping_spares_computing_again() -> None:
    trace = busy_trace(400)
    pace = small_pace(300, swap_s=1e-9)
    again, swapped = (serve(trace, pace, 1, policy=Policy(swap=swap)) for swap in (False, True))
    assert swapped.pools[0].counters["swapped_tokens"] > 0
    assert swapped.pools[0].counters["prompt_tokens"] < again.pools[0].counters["prompt_tokens"]


def test_urgent_requests_go_first() -> None:
    rank = np.arange(300) % 2
    trace = trace_of(np.zeros(300), np.full(300, 50), np.full(300, 20), rank=rank)
    ttft = serve(trace, small_pace(), 1).ttft_s
    assert ttft[rank == 0].max() < ttft[rank == 1].mean()


def test_images_take_the_encoder_before_prefill() -> None:
    pace = small_pace(encode_s=1e-3)
    plain, image = (
        serve(trace_of([0.0], [100], [2], encoded=[tokens]), pace, 1).ttft_s[0] for tokens in (0, 80)
    )
    assert image - plain == pytest.approx(0.080)


def test_a_transfer_waits_for_the_one_before() -> None:
    pace = Disaggregated(small_pace(), small_pace(), 0.01)
    served = serve(trace_of([0.0, 0.0], [100, 100], [2, 2]), pace, (1, 1))
    np.testing.assert_allclose(served.marks.ready - served.marks.first, [1.0, 2.0])


def test_a_prefix_is_found_where_it_went_before() -> None:
    trace = faster(busy_trace(2000), 0.2)
    turns, prefix = (
        serve(trace, small_pace(), 8, routing=routing).pools[0].counters["cached_tokens"]
        for routing in ("round-robin", "prefix")
    )  # type: ignore[arg-type]
    assert prefix > 1.3 * turns


def test_prefixes_do_not_crowd_one_replica() -> None:
    trace = trace_of(
        np.arange(400) * 1e-3, np.full(400, 130), np.full(400, 50), hashes=[[1, 2]] * 400, block_tokens=64
    )
    served = serve(trace, small_pace(), 4, routing="prefix")
    assert np.bincount(served.marks.replica).min() > 60


def test_requests_that_never_fit_are_refused_and_the_others_served() -> None:
    served = serve(trace_of([0.0, 0.0], [7999, 10], [2, 2]), small_pace(), 1)
    assert served.refused.tolist() == [False, False]
    served = serve(trace_of([0.0, 0.0], [7999, 10], [3, 2]), small_pace(), 1)
    assert served.refused.tolist() == [True, False]
    assert np.isnan(served.e2e_s[0])
    assert served.e2e_s[1] > 0


def test_what_cannot_be_simulated_is_told() -> None:
    trace = trace_of([0.0], [1], [1], hashes=[[1]], block_tokens=500)
    with pytest.raises(UserError, match="block_tokens that divides 500"):
        serve(trace, small_pace(), 1)
    trace = trace_of([0.0], [1], [1])
    with pytest.raises(UserError, match="from 1 to 100,000"):
        serve(trace, small_pace(), 0)
    with pytest.raises(UserError, match="pair"):
        serve(trace, Disaggregated(small_pace(), small_pace(), 0.0), 1)
    with pytest.raises(UserError, match="must be one of round-robin, least-loaded, prefix"):
        serve(trace, small_pace(), 1, routing="random")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="at least 1"):
        serve(trace, small_pace(), 1, threads=0)
