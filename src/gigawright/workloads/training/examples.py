"""A run to try things on, for docstrings and tests."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from gigawright.catalogue.load import load_facts
from gigawright.catalogue.records import accelerator
from gigawright.facts import FactBook
from gigawright.workloads.architecture import language_model
from gigawright.workloads.training.run import Layout, Run


@lru_cache(maxsize=1)
def _book() -> FactBook:
    return FactBook(load_facts())


def example_run(model: str, chip: str, accelerators: int, seq_len: int, batch: int, layout: Layout) -> Run:
    """A run on a chip of the catalogue, bf16."""
    return Run(
        model=language_model(model),
        chip=accelerator(_book(), chip),
        accelerators=accelerators,
        seq_len=seq_len,
        batch=batch,
        layout=layout,
    )


def llama_run(**changes: object) -> Run:
    """Llama 3.1 405B on 16,384 H100 as its paper lays it out (arXiv:2407.21783, table 4), with changes."""
    layout = Layout(tensor=8, pipeline=16, data=128, chunks=1, zero=2, recompute="none")
    run = example_run("llama-3.1-405b", "nv_h100_sxm", 16384, 8192, 2048, layout)
    return replace(run, **changes)  # type: ignore[arg-type]
