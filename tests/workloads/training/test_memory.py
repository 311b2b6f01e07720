"""Bytes on the fullest accelerator: against published counts, and monotone in what saves them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.workloads.training.constants import priors
from gigawright.workloads.training.examples import example_run
from gigawright.workloads.training.layouts import layouts
from gigawright.workloads.training.machine import GIBIBYTE, machines
from gigawright.workloads.training.memory import FIXED_BYTES, FRAGMENTATION, Memory, memory
from gigawright.workloads.training.run import Layout, Run
from gigawright.workloads.training.shapes import shapes

from .drawing import A_RUN, laid

MANY = settings(max_examples=80, deadline=None)
SLACK = 1 + 1e-9
USABLE = priors().memory_used
STATES = ("weights", "gradients", "optimiser")


def held(*runs: Run) -> Memory:
    many = list(runs)
    return memory(shapes(many), machines(many), layouts(many), USABLE)


@MANY
@given(run=A_RUN)
def test_every_kind_is_bytes(run: Run) -> None:
    found = held(run)
    for kind in (*STATES, "activations", "scores"):
        value = getattr(found, kind)[0]
        assert np.isfinite(value)
        assert value >= 0
    assert 0 <= found.shortage[0] <= 1
    parts = sum(getattr(found, kind)[0] for kind in (*STATES, "activations", "scores"))
    assert found.total[0] == pytest.approx(parts * FRAGMENTATION + FIXED_BYTES)


@MANY
@given(run=A_RUN)
def test_larger_micro_batches_need_more(run: Run) -> None:
    assert run.layout is not None
    many = replace(run, batch=run.layout.data * 4096)
    for recompute in ("none", "selective", "full", "auto"):
        sizes = [laid(many, micro_batch=size, recompute=recompute) for size in (1, 2, 4, 8)]
        total = held(*sizes).total
        assert (np.diff(total) >= -1e-9 * total[:-1]).all(), recompute


@MANY
@given(run=A_RUN)
def test_each_stage_of_zero_needs_less(run: Run) -> None:
    """But for weights that are gathered a layer at a time, which a few ranks may not make up for."""
    found = held(*(laid(run, zero=stage) for stage in range(4)))
    for kind in STATES:
        value = getattr(found, kind)
        assert (np.diff(value[:3]) <= 0).all(), kind
    assert found.optimiser[1] == found.optimiser[3]
    assert found.gradients[2] == found.gradients[3]


@MANY
@given(run=A_RUN)
def test_sharding_weights_over_many_ranks_needs_less(run: Run) -> None:
    found = held(*(laid(run, zero=stage, data=512, shard=0, expert=1) for stage in (2, 3)))
    if run.model.layers > 8:
        assert found.weights[1] < found.weights[0]


@MANY
@given(run=A_RUN)
def test_more_shards_need_less(run: Run) -> None:
    found = held(*(laid(run, data=64, shard=count, zero=1) for count in (2, 8, 64, 0)))
    assert (np.diff(found.optimiser) <= 0).all()
    assert found.optimiser[2] == pytest.approx(found.optimiser[3])


@MANY
@given(run=A_RUN)
def test_recomputing_needs_less(run: Run) -> None:
    """Where a stage keeps many layers' worth."""
    many = replace(run, batch=4096 * 512)
    runs = [laid(many, recompute=name, offload=False, pipeline=1) for name in ("none", "selective", "full")]
    none, selective, full = held(*runs).activations
    assert none >= selective >= full


def test_recomputing_a_single_layer_needs_no_more() -> None:
    layout = Layout(pipeline=32, recompute="none")
    run = example_run("llama-3.1-8b", "nv_h100_sxm", 32, 8192, 1, layout)
    none, full = held(run, laid(run, recompute="full")).activations
    assert full <= none


@MANY
@given(run=A_RUN)
def test_recomputing_what_is_short_fits_if_anything_does(run: Run) -> None:
    run = laid(replace(run, batch=4096 * 512), offload=False, pipeline=2)
    full, auto, none = (held(laid(run, recompute=name)) for name in ("full", "auto", "none"))
    usable = run.chip.memory_gb * GIBIBYTE * USABLE
    assert full.total[0] <= auto.total[0] * SLACK <= none.total[0] * SLACK**2
    assert (auto.total[0] <= usable * SLACK) == (full.total[0] <= usable * SLACK)
    assert (auto.shortage[0] == 0) == (none.total[0] <= usable * SLACK)


@MANY
@given(run=A_RUN)
def test_spreading_needs_less(run: Run) -> None:
    """Twice the tensor group halves what it splits; a group of experts at most does."""
    assert run.layout is not None
    one, two = (held(laid(run, tensor=size, expert=1, sequence_parallel=True)) for size in (1, 2))
    for kind in ("gradients", "activations", "scores"):
        if run.layout.recompute != "auto":
            assert getattr(two, kind)[0] <= getattr(one, kind)[0] * SLACK, kind
    assert two.total[0] < one.total[0] * SLACK


@MANY
@given(run=A_RUN)
def test_offloading_needs_no_more(run: Run) -> None:
    off, on = held(laid(run, offload=False), laid(run, offload=True)).total
    assert on <= off * SLACK


def test_a_plain_layer_keeps_32_bytes_a_value() -> None:
    """34 s b h bytes a layer without attention's scores (arXiv:2205.05198, equation 1), of which 2 are masks
    of dropout, which is not used any more.
    """
    layout = Layout(recompute="none", zero=0)
    run = example_run("gpt3-175b", "nv_a100_80", 1, 2048, 1, layout)
    found = held(run)
    assert found.activations[0] / (2048 * 12288 * 96) == pytest.approx(32, rel=0.01)


def test_full_recomputation_keeps_inputs_of_layers() -> None:
    """2 s b h bytes a layer (arXiv:2205.05198, table 2), and one layer while it is worked out again."""
    run = example_run("gpt3-175b", "nv_a100_80", 1, 2048, 1, Layout(recompute="full", zero=0))
    assert held(run).activations[0] / (2048 * 12288) == pytest.approx(2 * 96 + 32, rel=0.01)


@pytest.mark.parametrize(("stage", "gigabytes"), [(0, 120.0), (1, 31.4), (2, 16.6), (3, 1.9)])
def test_states_of_zero(stage: int, gigabytes: float) -> None:
    """Figure 1 of ZeRO (arXiv:1910.02054): 7.5 bn values over 64 ranks, 2 + 2 + 12 bytes a value.

    Gradients are kept in 4 bytes here (Megatron-Core), so 2 bytes a value more.
    """
    layout = Layout(data=64, zero=stage)
    run = example_run("gpt-sc21-7.5b", "nv_a100_80", 64, 2048, 64, layout)
    found = held(run)
    values = run.model.params - run.model.learned_positions * run.model.hidden
    more = 2 * values / (64 if stage >= 2 else 1)
    gathered = 4 * values / run.model.layers if stage == 3 else 0.0
    expected = gigabytes * 1e9 * values / 7.5e9 + more + gathered
    states = sum(float(getattr(found, kind)[0]) for kind in STATES)
    assert states == pytest.approx(expected, rel=0.02)


def test_interleaving_keeps_more() -> None:
    """1 + (p - 1) / (p m) of it with m chunks a stage (arXiv:2205.05198, section 4.2.3)."""
    layout = Layout(tensor=8, pipeline=8, chunks=3, recompute="none")
    run = example_run("gpt3-175b", "nv_a100_80", 64, 2048, 64, layout)
    many, one = held(run, laid(run, chunks=1)).activations
    assert many / one == pytest.approx(1 + 7 / 24)


def test_few_micro_batches_are_all_that_is_in_flight() -> None:
    run = example_run("gpt3-175b", "nv_a100_80", 64, 2048, 64, Layout(tensor=8, pipeline=8, recompute="none"))
    eight, two = held(run, replace(run, batch=2)).activations
    assert two == pytest.approx(eight / 4)


@pytest.mark.parametrize("pipeline", [1, 8])
def test_sharded_weights_are_gathered_a_layer_at_a_time(pipeline: int) -> None:
    """Two layers whole, whatever the number of stages."""
    layout = Layout(data=2**20, pipeline=pipeline, zero=3)
    run = example_run("llama-3.1-405b", "nv_h100_sxm", layout.accelerators, 8192, 2**20, layout)
    layer = run.model.resident_params / run.model.layers
    assert held(run).weights[0] == pytest.approx(2 * 2 * layer, rel=0.03)


@settings(max_examples=20, deadline=None)
@given(expert=st.sampled_from((1, 2, 8, 64)), data=st.sampled_from((64, 128)))
def test_experts_are_sharded_over_their_own_copies(expert: int, data: int) -> None:
    """States of all ranks together are one copy, however experts are spread."""
    layout = Layout(data=data, expert=expert, zero=1)
    run = example_run("qwen3-30b-a3b", "nv_h100_sxm", data, 4096, data, layout)
    assert held(run).optimiser[0] * data == pytest.approx(12 * run.model.params, rel=1e-6)
