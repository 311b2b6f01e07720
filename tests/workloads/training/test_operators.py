"""Operators of a micro-batch: products by hand, and what must hold of any of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gigawright.workloads.training.constants import Constants, priors
from gigawright.workloads.training.examples import example_run
from gigawright.workloads.training.layouts import layouts
from gigawright.workloads.training.machine import machines
from gigawright.workloads.training.operators import BACKWARD_ATTENTION, gemm_rate, micro, product
from gigawright.workloads.training.run import Layout, Run
from gigawright.workloads.training.shapes import shapes

from .drawing import A_RUN, SOME_CONSTANTS, laid

MANY = settings(max_examples=80, deadline=None)
SIDE = st.integers(1, 100_000)
SLACK = 1 + 1e-9


def once(run: Run, c: Constants | None = None) -> dict[str, float]:
    """Seconds of a micro-batch by operator."""
    found = micro(shapes([run]), machines([run]), layouts([run]), c or priors())
    return {name: float(np.asarray(value).reshape(-1)[0]) for name, value in vars(found).items()}


def seconds(
    m: float, n: float, k: float, c: Constants, rate: float = 1e15, cores: float = 128, size: float = 2.0
) -> float:
    arrays = (np.array([float(value)]) for value in (m, n, k, rate, 3e12, cores))
    return float(product(*arrays, size, c)[0])


QUICK = replace(priors(), gemm_start_s=0.0)
"""Products that start at once."""

IDEAL = replace(QUICK, gemm_waves=0.0, tile_s=0.0)


def test_a_large_product_runs_at_the_rate() -> None:
    assert seconds(16384, 16384, 16384, IDEAL) == pytest.approx(2 * 16384**3 / 1e15)


def test_a_thin_product_moves_its_weights() -> None:
    assert seconds(1, 16384, 16384, IDEAL) == pytest.approx(2 * (16384**2 + 2 * 16384) / 3e12)


def test_the_last_wave_is_idle_in_part() -> None:
    """136 tiles on 128 cores take two waves, of which 1.06 are work."""
    full = replace(IDEAL, gemm_waves=1.0)
    just, over = seconds(1024, 2048, 32768, full), seconds(1024, 2048 + 128, 32768, full)
    assert over / just == pytest.approx(2)
    assert seconds(2048, 2048, 32768, full) / just == pytest.approx(2)


def test_a_shallow_product_fills_and_empties_its_tiles() -> None:
    """A core of 1e15 / 128 flop/s computes a depth of 238 of a 128 x 128 tile in a microsecond."""
    c = replace(IDEAL, tile_s=1e-6)
    depth = 1e-6 * 1e15 / 128 / (2 * 128 * 128)
    assert depth == pytest.approx(238.4, abs=0.1)
    assert seconds(8192, 8192, 4096, c) == pytest.approx(2 * 8192**2 * (4096 + depth) / 1e15)


@MANY
@given(m=SIDE, n=SIDE, k=SIDE, c=SOME_CONSTANTS)
def test_a_product_is_no_faster_than_rate_and_memory(m: int, n: int, k: int, c: Constants) -> None:
    took = seconds(m, n, k, c)
    assert took >= 2 * m * n * k / 1e15
    assert took >= 2 * (m * k + k * n + m * n) / 3e12
    assert np.isfinite(took)


@MANY
@given(m=SIDE, n=SIDE, k=SIDE, c=SOME_CONSTANTS, more=st.floats(1.0, 8.0))
def test_products_on_faster_machines_are_no_slower(m: int, n: int, k: int, c: Constants, more: float) -> None:
    assert seconds(m, n, k, c, rate=1e15 * more) <= seconds(m, n, k, c) * SLACK
    assert seconds(m, n, k, c, size=1.0) <= seconds(m, n, k, c)


@MANY
@given(m=SIDE, n=SIDE, k=SIDE, c=SOME_CONSTANTS)
def test_which_side_is_which_does_not_matter(m: int, n: int, k: int, c: Constants) -> None:
    assert seconds(m, n, k, c) == pytest.approx(seconds(n, m, k, c))


@MANY
@given(m=SIDE, n=SIDE, k=SIDE, c=SOME_CONSTANTS)
def test_a_deeper_product_takes_longer(m: int, n: int, k: int, c: Constants) -> None:
    assert seconds(m, n, k, c) <= seconds(m, n, k + 1, c) * SLACK


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_every_operator_is_a_time(run: Run, c: Constants) -> None:
    for name, value in once(run, c).items():
        assert np.isfinite(value), name
        assert value >= 0, name


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_backward_attention_is_two_and_a_half_times_forward(run: Run, c: Constants) -> None:
    found = once(run, c)
    assert found["attention_b"] == BACKWARD_ATTENTION * found["attention_f"] > 0


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_operators_know_nothing_of_the_pipeline(run: Run, c: Constants) -> None:
    other = once(laid(run, pipeline=1, chunks=1, schedule="1f1b", zero=0, data=512), c)
    between = {"shard", "send", "gradients", "replicas"}
    assert {name for name, value in once(run, c).items() if other[name] != value} <= between


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_no_groups_have_no_traffic(run: Run, c: Constants) -> None:
    found = once(laid(run, tensor=1, context=1, expert=1), c)
    assert {name for name in found if name[:-2] in ("tensor", "context", "dispatch") and found[name]} == set()


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_a_tensor_group_shares_the_work(run: Run, c: Constants) -> None:
    """Each operator falls, but to no less than its share."""
    found = [once(laid(run, tensor=size, expert=1, sequence_parallel=True), c) for size in (1, 2)]
    exact = ("attention_f", "element_f", "element_b", "loss")
    for name in exact:
        assert found[1][name] == pytest.approx(found[0][name] / 2), name
    for name in ("products_f", "products_b", "head"):
        assert found[1][name] < found[0][name] * 1.3, name


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_more_tokens_take_longer(run: Run, c: Constants) -> None:
    few, many = once(laid(run, micro_batch=1), c), once(laid(run, micro_batch=2), c)
    for name, value in few.items():
        assert value <= many[name] * SLACK, name
    assert many["attention_f"] == pytest.approx(2 * few["attention_f"])
    assert many["host"] == few["host"]


@MANY
@given(run=A_RUN, c=SOME_CONSTANTS)
def test_experts_only_where_there_are(run: Run, c: Constants) -> None:
    found = once(run, c)
    for name in ("experts_f", "experts_b"):
        assert (found[name] > 0) == run.model.is_moe
    layout = run.layout
    assert layout is not None
    assert (found["dispatch_f"] > 0) == (run.model.is_moe and layout.expert > 1)


def moe(**changes: object) -> Run:
    layout = Layout(data=64, expert=8)
    return laid(example_run("qwen3-30b-a3b", "nv_h100_sxm", 64, 4096, 64, layout), **changes)


def test_grouped_products_of_many_tokens_are_their_flops() -> None:
    """2 x 3 matrices x tokens x experts picked, forward, at the rate of products; sorting left out."""
    c = replace(QUICK, grouped=1.0, grouped_rows=0.0, tile_s=0.0, permute=1e9, immature=0.0)
    run = moe(expert=1, micro_batch=64)
    flops = 2 * 64 * 4096 * run.model.grouped_params
    rate = float(gemm_rate(machines([run]), c)[0])
    assert once(run, c)["experts_f"] == pytest.approx(flops / rate, rel=1e-6)
    assert once(run, c)["experts_b"] == pytest.approx(2 * flops / rate, rel=1e-6)


def test_experts_have_the_same_tokens_however_they_are_spread() -> None:
    """An expert group gathers the tokens of its ranks: as many for each expert as a rank's own for all."""
    c = replace(priors(), grouped=1.0)
    alone, spread = once(moe(expert=1, micro_batch=8), c), once(moe(expert=8, micro_batch=8), c)
    assert spread["experts_f"] < alone["experts_f"], "more tokens for each of fewer experts"


def test_few_tokens_read_all_weights_of_local_experts() -> None:
    """Bandwidth decides: 128 experts of 3 x 2,048 x 768 values at 2 bytes."""
    c = replace(QUICK, permute=1e9, immature=0.0)
    run = replace(moe(expert=1), seq_len=8)
    model = run.model
    read = 2 * model.routed_params / (run.chip.memory_gbs * 1e9)
    assert once(run, c)["experts_f"] == pytest.approx(read, rel=0.01)


def test_casts_only_below_16_bits() -> None:
    layout = Layout(tensor=2)
    runs = [
        replace(
            example_run("llama-3.1-8b", "nv_gb200_nvl72", 2, 8192, 1, layout), precision=name, recipe=recipe
        )
        for name, recipe in (("bf16", ""), ("fp8", "tensor"), ("fp8", "block"), ("fp4", ""))
    ]
    plain, tensor, block, four = (once(run) for run in runs)
    assert plain["element_f"] < tensor["element_f"] < block["element_f"] == four["element_f"]
    assert four["products_f"] < tensor["products_f"] < plain["products_f"]
    for name in ("attention_f", "head", "loss", "tensor_f"):
        assert len({run[name] for run in (plain, tensor, block, four)}) == 1, name


def test_dropping_tokens_launches_one_product_for_all_experts() -> None:
    run = moe()
    assert once(replace(run, dropped=True))["host"] < once(run)["host"]


def test_a_group_of_experts_frees_them_of_tensor_traffic() -> None:
    """Attention's blocks alone remain: half of all."""
    split, whole = (once(moe(tensor=8, expert=expert, data=8)) for expert in (1, 8))
    assert whole["tensor_f"] == pytest.approx(split["tensor_f"] / 2)


def test_a_parallel_block_gathers_once() -> None:
    run = example_run("llama-3.1-8b", "nv_h100_sxm", 8, 8192, 1, Layout(tensor=8))
    assert once(replace(run, parallel_block=True))["tensor_f"] == pytest.approx(once(run)["tensor_f"] / 2)


def test_context_traffic_is_of_keys_and_values() -> None:
    """8 heads of 128 keys and as many values, 2 bytes, of 32,768 tokens, in 80 layers over NVLink."""
    c = replace(priors(), link=1.0, link_bytes=0.0, hop_s=0.0)
    run = example_run("llama-3-70b", "nv_h100_sxm", 8, 32768, 1, Layout(context=8))
    assert once(run, c)["context_f"] == pytest.approx(80 * 2 * 2 * 8 * 128 * 32768 * 7 / 8 / 450e9)


@settings(max_examples=50, deadline=None)
@given(run=A_RUN)
def test_products_beat_no_peak(run: Run) -> None:
    assume(run.layout is not None)
    found, machine = once(run), machines([run])
    flops = 6 * run.model.resident_params * layouts([run]).micro_batch * run.seq_len
    share = layouts([run]).tensor * layouts([run]).context
    peak = max(machine.peak[0], machine.peak_16[0])
    assert found["products_f"] + found["products_b"] >= (flops / share / peak)[0]
