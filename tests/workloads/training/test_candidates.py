"""Candidates of a search: each is a layout that can be, none twice, and none that could be is missing."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.workloads.training.candidates import MAX_CONTEXT, QUICK, Space, candidates
from gigawright.workloads.training.examples import example_run
from gigawright.workloads.training.layouts import Layouts
from gigawright.workloads.training.run import Layout, Run

NARROW = Space(
    recompute=("none", "full"),
    zero=(1, 3),
    overlap_tensor=(True,),
    overlap_pipeline=(True,),
    overlap_data=(True,),
    offload=(False,),
)


def a_run(model: str = "llama-3.1-8b", chip: str = "nv_h100_sxm", count: int = 64, **changes: int) -> Run:
    return replace(example_run(model, chip, count, 8192, 128, Layout()), **changes)  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None)
@given(
    model=st.sampled_from(("llama-3.1-8b", "deepseek-v3", "qwen3-30b-a3b", "llama-3.2-1b", "mt-nlg-530b")),
    chip=st.sampled_from(("nv_h100_sxm", "nv_gb200_nvl72", "hw_910b2", "cb_mlu590")),
    count=st.sampled_from((1, 8, 24, 64, 280)),
    batch=st.sampled_from((1, 24, 280, 1024)),
    seq_len=st.sampled_from((4096, 32768)),
)
def test_each_is_a_layout_that_can_be(model: str, chip: str, count: int, batch: int, seq_len: int) -> None:
    run = a_run(model, chip, count, batch=batch, seq_len=seq_len)
    found = candidates(run, NARROW)
    assert (found.accelerators == count).all()
    assert (found.batch == batch).all()
    assert (found.data * found.micro_batch <= batch).all(), "each rank has a micro-batch to work on"
    assert (run.model.heads % found.tensor == 0).all()
    assert (found.pipeline <= run.model.layers).all()
    assert (found.chunks * found.pipeline <= run.model.layers + found.pipeline - 1).all()
    assert (found.expert <= max(1, run.model.experts)).all()
    assert (max(1, run.model.experts) % found.expert == 0).all()
    assert ((found.tensor * found.data * found.context) % found.expert == 0).all()
    assert (found.context <= (MAX_CONTEXT if seq_len > 16000 else 1)).all()
    for field in fields(Layouts):
        value = getattr(found, field.name)
        assert value.shape == found.tensor.shape
        assert (value == np.floor(value)).all()


@pytest.mark.parametrize("model", ["llama-3.1-8b", "deepseek-v3"])
def test_none_comes_twice(model: str) -> None:
    found = candidates(a_run(model, count=32, seq_len=32768), NARROW)
    rows = np.stack([getattr(found, field.name) for field in fields(Layouts)])
    assert rows.shape[1] > 100
    assert np.unique(rows, axis=1).shape == rows.shape


def test_switches_that_change_nothing_are_left_out() -> None:
    found = candidates(a_run(), Space(max_micro_batch=1))
    single = found.tensor == 1
    assert (found.sequence_parallel[single] == 1).all()
    assert (found.zero_bubble[found.pipeline == 1] == 0).all()
    assert (found.overlap_pipeline[found.pipeline == 1] == 1).all()
    assert (found.zero[(found.data == 1) & (found.context == 1)] == 0).all()
    assert not ((found.zero_bubble == 1) & (found.chunks > 1)).any()
    assert set(found.zero_bubble) == {0, 1}
    assert set(found.zero) == {0, 1, 2, 3}


def test_published_layouts_are_among_them() -> None:
    """Llama 3.1 405B's own (arXiv:2407.21783, table 4), and those of MLPerf's rounds are in the space."""
    run = a_run("llama-3.1-405b", count=16384, batch=2048)
    found = candidates(run, replace(QUICK, max_micro_batch=1))
    theirs = (found.tensor == 8) & (found.pipeline == 16) & (found.data == 128) & (found.chunks == 1)
    assert theirs.any()
    long = candidates(a_run("llama-3.1-405b", count=16384, batch=128, seq_len=131072), QUICK)
    theirs = (long.tensor == 8) & (long.pipeline == 16) & (long.data == 8) & (long.context == 16)
    assert theirs.any()


def test_dense_models_have_no_expert_groups() -> None:
    assert set(candidates(a_run(), NARROW).expert) == {1}
    assert {1, 2, 4, 8, 16, 32, 64} == set(candidates(a_run("deepseek-v3"), NARROW).expert)


def test_a_large_domain_allows_large_tensor_groups() -> None:
    inside = replace(NARROW, beyond_domain=False)
    assert candidates(a_run(count=64), inside).tensor.max() == 8
    assert candidates(a_run(chip="nv_gb200_nvl72", count=64), inside).tensor.max() == 32, "as many as heads"
    assert candidates(a_run(count=64), NARROW).tensor.max() == 32


def test_fewer_sequences_than_ranks_leave_other_groups() -> None:
    found = candidates(a_run(count=64, batch=8), NARROW)
    assert len(found.tensor)
    assert (found.data <= 8).all()


def test_none_are_empty_arrays() -> None:
    found = candidates(a_run(count=64, batch=1), replace(NARROW, max_tensor=1, max_pipeline=1))
    assert found.tensor.shape == (0,)


def test_heads_divide_evenly() -> None:
    run = a_run("llama-2-13b", chip="nv_gb200_nvl72")
    assert (run.model.heads % candidates(run, NARROW).tensor == 0).all()
