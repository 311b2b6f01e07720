"""Random runs: models of the catalogue on chips of several makers, in any layout that can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import exp
from random import Random

from hypothesis import strategies as st

from gigawright.catalogue.load import load_facts
from gigawright.catalogue.records import accelerator
from gigawright.catalogue.types import Accelerator
from gigawright.facts import FactBook
from gigawright.workloads.architecture import language_model
from gigawright.workloads.training.constants import PRIORS, Constants
from gigawright.workloads.training.layouts import layouts
from gigawright.workloads.training.machine import machines
from gigawright.workloads.training.run import PRECISIONS, Layout, Run
from gigawright.workloads.training.shapes import shapes
from gigawright.workloads.training.step import Step, step

MODELS = (
    "gpt3-175b",  # dense, one head of keys a head, tied
    "llama-3.1-405b",  # grouped keys
    "llama-3.2-1b",  # tied
    "nemotron-4-340b",  # no gate
    "gemma-3-27b",  # windows, tied
    "gpt-oss-120b",  # windows and experts
    "deepseek-v3",  # latent attention, shared expert, dense layers before
    "deepseek-v2-lite",  # latent attention without a low-rank query
    "deepseek-v4-pro",  # compressed attention
    "mixtral-8x7b",  # few experts
    "qwen3-30b-a3b",  # many experts, none shared
    "qwen3-next-80b-a3b",  # linear layers
    "kimi-k2",
    "nemotron-3-super",  # linear layers, latent experts
    "bloom-176b",
)

CHIPS = (
    "nv_a100_40",
    "nv_a100_80",
    "nv_h100_sxm",
    "nv_h20_96",
    "nv_gb200_nvl72",
    "nv_gb300_nvl72",
    "amd_mi300x",
    "amd_mi355x",
    "hw_910b2",
    "hw_950dt",
    "g_v6e",
    "in_gaudi3",
    "cb_mlu590",
    "mt_s4000",
)


@lru_cache(maxsize=1)
def book() -> FactBook:
    return FactBook(load_facts())


@lru_cache
def chip(name: str) -> Accelerator:
    return accelerator(book(), name)


def draw_run(seed: int) -> Run:
    """A run with a layout; the same for the same seed."""
    random = Random(seed)
    model = language_model(random.choice(MODELS))
    tensor, context = random.choice((1, 1, 2, 4, 8)), random.choice((1, 1, 1, 2, 4))
    pipeline = random.choice((1, 1, 2, 3, 4, 8))
    data = random.choice((1, 2, 3, 8, 64, 512))
    ranks = tensor * data * context
    groups = (
        [e for e in (1, 2, 4, 8, 16, 64) if e <= ranks and model.experts % e == 0] if model.is_moe else [1]
    )
    chunks = random.choice((1, 2, 3)) if pipeline > 1 else 1
    layout = Layout(
        tensor=tensor,
        pipeline=pipeline,
        data=data,
        context=context,
        expert=random.choice(groups),
        chunks=chunks,
        micro_batch=random.choice((1, 2, 4)),
        zero=random.randrange(4),
        shard=random.choice((0, 0, 2, 8)),
        recompute=random.choice(("none", "selective", "full", "auto")),
        sequence_parallel=random.random() < 0.5,
        overlap_tensor=random.random() < 0.5,
        overlap_pipeline=random.random() < 0.5,
        overlap_data=random.random() < 0.5,
        offload=random.random() < 0.3,
        schedule="zero-bubble" if pipeline > 1 and chunks == 1 and random.random() < 0.3 else "1f1b",
    )
    return Run(
        model=model,
        chip=chip(random.choice(CHIPS)),
        accelerators=layout.accelerators,
        seq_len=random.choice((2048, 4096, 8192, 32768)),
        batch=data * random.choice((1, 3, 8, 20)),
        precision=random.choice(PRECISIONS),
        recipe=random.choice(("", "tensor", "block")),
        layout=layout,
        mtp=random.choice((0, 0, 1)),
        dropped=random.random() < 0.2,
        parallel_block=random.random() < 0.2,
        window=random.choice((0, 0, 0, 1024)),
        imbalance=random.choice((1.0, 1.0, 1.25)),
        age_years=random.choice((0.0, 1.0, 3.0)),
    )


def draw_runs(count: int) -> list[Run]:
    """Runs of the seeds from 0."""
    return [draw_run(seed) for seed in range(count)]


def draw_constants(seed: int) -> Constants:
    """Constants within two standard deviations of their priors: what must hold holds after any refit."""
    values = {}
    for name, prior in PRIORS.items():
        moved = Random(f"{name} {seed}").uniform(-2, 2) * prior.spread  # a new constant moves no other
        odds = prior.value if prior.kind == "rate" else prior.value / (1 - prior.value)
        odds *= exp(moved)
        values[name] = odds if prior.kind == "rate" else odds / (1 + odds)
    return Constants(**values)


A_RUN = st.integers(0, 10**9).map(draw_run)
SOME_CONSTANTS = st.integers(0, 10**9).map(draw_constants)


def laid(run: Run, **changes: object) -> Run:
    """The run with changes to its layout, on as many accelerators as that needs."""
    assert run.layout is not None
    layout = replace(run.layout, **changes)  # type: ignore[arg-type]
    return replace(run, layout=layout, accelerators=layout.accelerators)


def stepped(runs: Sequence[Run], c: Constants) -> Step:
    """A step of each run by the array code."""
    return step(shapes(runs), machines(runs), layouts(runs), c)
