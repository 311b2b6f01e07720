"""What must hold of a step whatever the run and whatever the constants were fitted to."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gigawright.workloads.training.constants import Constants, priors
from gigawright.workloads.training.examples import example_run
from gigawright.workloads.training.layouts import layouts
from gigawright.workloads.training.machine import machines
from gigawright.workloads.training.run import Layout, Run
from gigawright.workloads.training.shapes import shapes
from gigawright.workloads.training.step import PARTS, step
from gigawright.workloads.training.traffic import replicas

from .drawing import A_RUN, SOME_CONSTANTS, laid, stepped

MANY = settings(max_examples=80, deadline=None)
SLACK = 1 + 1e-9
RATES = ("peak", "peak_16", "bandwidth", "scale_up", "nic", "host")
LATENCIES = ("launch_s", "expert_launch_s", "step_s", "hop_s", "node_hop_s", "tile_s", "gemm_start_s")


def seconds(c: Constants, *runs: Run) -> list[float]:
    return [float(value) for value in stepped(runs, c).seconds]


def seconds_with(run: Run, c: Constants, **factors: float) -> float:
    """A step on a machine with rates multiplied."""
    machine = machines([run])
    faster = replace(machine, **{name: getattr(machine, name) * factor for name, factor in factors.items()})
    return float(step(shapes([run]), faster, layouts([run]), c).seconds[0])


def many_micro_batches(run: Run) -> Run:
    """The run with a batch that keeps its pipeline busy."""
    assert run.layout is not None
    return replace(run, batch=64 * run.layout.data * run.layout.micro_batch)


def without_latencies(c: Constants) -> Constants:
    return replace(c, **dict.fromkeys(LATENCIES, 0.0))


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_every_part_is_a_time(run: Run, c: Constants) -> None:
    done = stepped([run], c)
    assert np.isfinite(done.parts).all()
    assert (done.parts >= -1e-12 * done.seconds).all()
    assert done.parts[PARTS.index("products")] > 0
    assert 0 <= done.bubble[0] < done.seconds[0]
    assert (done.bubble[0] > 0) == (run.layout is not None and run.layout.pipeline > 1)


@MANY
@given(run=A_RUN)
def test_no_faster_than_the_peak(run: Run) -> None:
    """Flops of all products over all accelerators' peak, recomputed ones and attention not counted."""
    flops = 6 * run.model.active_params * run.batch_tokens
    machine = machines([run])
    fastest = max(machine.peak[0], machine.peak_16[0])
    assert seconds(priors(), run)[0] >= flops / fastest / run.accelerators


@MANY
@given(run=A_RUN)
def test_no_faster_than_weights_can_be_read(run: Run) -> None:
    """A micro-batch reads the weights of a stage forward and backward and writes their gradients."""
    layout, machine = layouts([run]), machines([run])
    values = run.model.attention_params / layout.tensor / layout.pipeline
    read = 3 * machine.bytes * values * layout.micro_batches / machine.bandwidth
    assert seconds(priors(), run)[0] >= read[0]


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS, factor=st.floats(0.1, 10))
def test_scaling_all_rates_scales_time(run: Run, c: Constants, factor: float) -> None:
    plain = without_latencies(c)
    faster = seconds_with(run, plain, **dict.fromkeys(RATES, factor))
    assert faster == pytest.approx(seconds(plain, run)[0] / factor, rel=1e-9)


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS, factor=st.floats(1.01, 4), rate=st.sampled_from(RATES))
def test_a_faster_part_is_never_slower(run: Run, c: Constants, factor: float, rate: str) -> None:
    """Offloading apart, behind which no traffic hides, so that products it does not wait for hide less."""
    run = laid(run, offload=False)
    assert seconds_with(run, c, **{rate: factor}) <= seconds(c, run)[0] * SLACK


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_overlap_is_never_slower(run: Run, c: Constants) -> None:
    for name in ("overlap_tensor", "overlap_pipeline", "overlap_data"):
        on, off = seconds(c, laid(run, **{name: True}), laid(run, **{name: False}))
        assert on <= off * SLACK, name


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_zero_bubble_waits_a_third(run: Run, c: Constants) -> None:
    assume(run.layout is not None and run.layout.pipeline > 1)
    run = many_micro_batches(run)
    done = stepped([laid(run, chunks=1, schedule=name) for name in ("zero-bubble", "1f1b")], c)
    assert done.seconds[0] <= done.seconds[1] * SLACK
    assert done.bubble[0] == pytest.approx(done.bubble[1] / 3)


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_interleaving_waits_less(run: Run, c: Constants) -> None:
    assume(run.layout is not None and run.layout.pipeline > 1)
    many = laid(many_micro_batches(run), chunks=2, recompute="none", overlap_pipeline=True, schedule="1f1b")
    one, two = (stepped([laid(many, chunks=count)], replace(c, hidden_pipeline=1.0)) for count in (1, 2))
    assert two.seconds[0] <= one.seconds[0] * SLACK
    assert two.bubble[0] == pytest.approx(one.bubble[0] / 2)


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_what_is_computed_twice_takes_longer(run: Run, c: Constants) -> None:
    """Operators only: what traffic they hide is another matter."""
    runs = [laid(run, recompute=name, offload=False) for name in ("none", "selective", "full")]
    parts = stepped(runs, c).parts
    for part in ("products", "attention", "memory", "experts"):
        none, selective, full = parts[PARTS.index(part)]
        assert none <= selective * SLACK
        assert selective <= full * SLACK


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_recomputing_is_never_faster(run: Run, c: Constants) -> None:
    runs = [laid(run, recompute=name, offload=False) for name in ("none", "selective", "full")]
    none, selective, full = seconds(c, *runs)
    assert none <= selective * SLACK
    assert selective <= full * SLACK


def test_overlap_is_never_slower_on_a_young_chip() -> None:
    layout = Layout(tensor=8, data=8, recompute="none")
    run = replace(example_run("deepseek-v2-lite", "nv_gb200_nvl72", 64, 4096, 64, layout), age_years=0.0)
    on, off = seconds(priors(), run, laid(run, overlap_tensor=False))
    assert on <= off * SLACK


def test_a_faster_peak_is_never_slower_where_much_traffic_hides() -> None:
    layout = Layout(data=4, context=16, micro_batch=2, zero=3, recompute="none")
    run = example_run("deepseek-v2", "nv_gb300_nvl72", 64, 32768, 8, layout)
    assert seconds_with(run, priors(), peak_16=1.3) <= seconds(priors(), run)[0] * SLACK


def test_offloading_inputs_of_layers_takes_time() -> None:
    layout = Layout(tensor=8, pipeline=16, recompute="full")
    run = example_run("llama-3.1-405b", "nv_h100_sxm", 128, 8192, 128, layout)
    slow_host = replace(run, chip=replace(run.chip, host_gbs=0.001))
    done = stepped([slow_host, laid(slow_host, offload=True)], priors())
    assert done.memory.total[1] == done.memory.total[0] or done.seconds[1] > done.seconds[0]


def test_all_that_is_recomputed_costs_what_full_recomputation_does() -> None:
    layout = Layout(tensor=8, pipeline=16, recompute="full")
    run = example_run("llama-3.1-405b", "nv_a100_40", 128, 8192, 128, layout)
    done = stepped([run, laid(run, recompute="auto")], priors())
    assert done.memory.shortage[1] == 1
    assert done.memory.total[1] == done.memory.total[0]
    assert done.seconds[1] == pytest.approx(done.seconds[0])


def test_shards_in_a_node_still_sum_gradients_over_nodes() -> None:
    """Hybrid sharding: 128 nodes of 8; 16 GB of gradients and weights cannot be free at 50 GB/s."""
    layout = Layout(data=1024, zero=3, shard=8, overlap_data=False, recompute="none")
    run = example_run("llama-3.1-8b", "nv_h100_sxm", 1024, 8192, 1024, layout)
    quick = stepped([replace(run, chip=replace(run.chip, nic_gbps=1e9))], priors())
    assert stepped([run], priors()).seconds[0] > quick.seconds[0] * 1.01


def test_experts_that_only_one_rank_holds_are_not_gathered() -> None:
    """128 experts over 64 ranks: sharding the weights of all else is little traffic."""
    layout = Layout(data=64, expert=64, zero=3, overlap_data=False, recompute="none")
    run = example_run("qwen3-30b-a3b", "nv_h100_sxm", 64, 4096, 64, layout)
    none = replace(run, model=replace(run.model, moe_ffn=1))
    network = PARTS.index("network")
    assert stepped([run], priors()).parts[network] < 1.1 * stepped([none], priors()).parts[network]


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_splitting_norms_is_never_slower(run: Run, c: Constants) -> None:
    on, off = seconds(c, laid(run, sequence_parallel=True), laid(run, sequence_parallel=False))
    assert on <= off * SLACK


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_software_that_had_longer_is_never_slower(run: Run, c: Constants) -> None:
    ages = seconds(c, *(replace(run, age_years=age) for age in (0.0, 1.0, 10.0)))
    assert ages == sorted(ages, reverse=True)


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_twice_the_batch_takes_at_most_twice(run: Run, c: Constants) -> None:
    assert run.layout is not None
    full = replace(run, batch=16 * run.layout.data * run.layout.micro_batch)
    once, twice = seconds(c, full, replace(full, batch=2 * full.batch))
    assert once < twice <= 2 * once * SLACK


def test_a_rank_cannot_do_half_a_micro_batch() -> None:
    """The rank with two sequences decides; the search picks such a layout as the best."""
    run = example_run("llama-3.1-8b", "nv_h100_sxm", 64, 8192, 100, Layout(data=64, recompute="none"))
    uneven, even = seconds(priors(), run, replace(run, batch=128))
    assert uneven == pytest.approx(even)


def test_what_is_offloaded_need_not_be_recomputed() -> None:
    """Without the host's memory this run has to recompute."""
    layout = Layout(tensor=8, pipeline=16, recompute="auto")
    run = example_run("llama-3.1-405b", "nv_h100_sxm", 128, 8192, 128, layout)
    done = stepped([laid(run, offload=True), laid(run, offload=True, recompute="none"), run], priors())
    assert list(done.memory.shortage > 0) == [False, False, True]
    assert done.seconds[0] == done.seconds[1]


def test_experts_that_only_one_rank_holds_are_not_summed() -> None:
    """128 experts over 64 ranks in 8 groups of 8 shards."""
    layout = Layout(data=64, expert=64, zero=3, shard=8)
    run = example_run("qwen3-30b-a3b", "nv_h100_sxm", 64, 4096, 64, layout)
    none = replace(run, model=replace(run.model, moe_ffn=1))
    runs = [run, none]
    between = replicas(shapes(runs), machines(runs), layouts(runs), priors())
    assert between[0] == pytest.approx(between[1], rel=0.01)


@pytest.mark.parametrize(
    ("schedule", "chunks"),
    [
        ("1f1b", 1),
        ("1f1b", 3),
        ("zero-bubble", 1),
    ],
)
def test_more_micro_batches_take_longer(schedule: str, chunks: int) -> None:
    layout = Layout(tensor=8, pipeline=8, chunks=chunks, schedule=schedule, recompute="none")  # type: ignore[arg-type]
    run = example_run("gpt3-175b", "nv_a100_80", 64, 2048, 64, layout)
    times = seconds(priors(), *(replace(run, batch=batch) for batch in range(1, 20)))
    assert times == sorted(times)


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_more_data_ranks_leave_each_less_to_do(run: Run, c: Constants) -> None:
    """At fixed work, everything but the network falls; only loss with scale works against it."""
    assert run.layout is not None
    full = many_micro_batches(run)
    few, many = stepped([full], c), stepped([laid(full, data=2 * run.layout.data)], c)
    rest = [place for place, part in enumerate(PARTS) if part not in ("network", "host")]
    grown = 1 + c.scale
    assert (many.parts[rest] <= few.parts[rest] * grown * SLACK).all()
    assert many.seconds[0] * 2 >= few.seconds[0] / SLACK or run.layout.zero > 0, "no better than linear"


@settings(max_examples=40, deadline=None)
@given(
    model=st.sampled_from(("llama-3.1-8b", "llama-3.1-70b", "gpt3-175b", "deepseek-v3", "mixtral-8x7b")),
    chip=st.sampled_from(("nv_a100_80", "nv_h100_sxm", "nv_gb200_nvl72", "amd_mi300x", "hw_910b2")),
    c=SOME_CONSTANTS,
)
def test_more_accelerators_are_faster_until_little_is_left_for_each(
    model: str, chip: str, c: Constants
) -> None:
    """From 64 to 2,048 at 4,096 sequences; each rank still has 16 sequences or more at the end."""
    layout = Layout(tensor=8, recompute="none")
    times = [
        seconds(c, example_run(model, chip, 8 * data, 4096, 4096, replace(layout, data=data)))[0]
        for data in (8, 16, 32, 64, 128, 256)
    ]
    for few, many in pairwise(times):
        assert few / 2.05 < many < few


def test_a_step_by_hand() -> None:
    """One accelerator, one micro-batch, and constants that lose nothing: flops over peak, bytes over
    bandwidth.
    """
    run = example_run("llama-3.2-1b", "nv_h100_sxm", 1, 4096, 1, Layout(recompute="none", zero=0))
    shares = dict.fromkeys(("gemm", "attention", "element", "optimiser"), 1.0)
    nothing = dict.fromkeys(
        (*LATENCIES, "gemm_waves", "attention_head", "attention_length", "scale", "immature", "power"), 0.0
    )
    done = stepped([run], replace(priors(), **shares, **nothing))
    machine, model, tokens = machines([run]), run.model, 4096
    part = dict(zip(PARTS, done.parts[:, 0], strict=True))
    best = machine.peak[0] * machine.sustained[0]
    assert part["products"] == pytest.approx(6 * model.active_params * tokens / best)
    scores = model.attention_flops(4096 / 2 + 64) * tokens
    assert part["attention"] == pytest.approx(3.5 * scores / machine.peak[0])
    moved = 3 * 2 * model.elementwise_values() * tokens + 16 * tokens * model.vocab + 30 * model.params
    assert part["memory"] == pytest.approx(moved / machine.bandwidth[0])
    assert part["experts"] == part["network"] == part["dispatch"] == 0
    assert part["host"] == pytest.approx(0, abs=1e-12)
