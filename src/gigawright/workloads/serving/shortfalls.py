"""Why no configuration of a service fits into memory, and what would make one fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from gigawright.units import GIBIBYTE
from gigawright.workloads.calibrated import Calibrated
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.serving.ask import Asked
from gigawright.workloads.serving.bench import Bench, bench_of
from gigawright.workloads.serving.cost import room
from gigawright.workloads.serving.points import layout_words
from gigawright.workloads.serving.service import PRECISIONS
from gigawright.workloads.serving.sizes import BYTES
from gigawright.workloads.serving.space import Reach

GROWTH = (2, 4, 8, 16)
"""How many times as many accelerators are tried where nothing fits."""


def too_small(bench: Bench) -> Iterable[str]:
    """Why nothing fits into memory, of the layout that is short of least, and what helps, each tried."""
    asked, at = bench.asked, int(np.argmax(bench.holds))
    layout = bench.layouts[int(bench.layout(np.array([at]))[0])]
    left = float(np.broadcast_to(room(bench.wide, bench.known.constants), bench.holds.shape)[at])
    first = asked.first
    what = f"{layout_words(layout)} on {layout.accelerators} x {first.chip.name}"
    if left <= 0:
        reason = f"{what} is short by {-left / GIBIBYTE:,.1f} GiB an accelerator of holding the weights"
    else:
        length = f"{first.input_tokens + first.output_tokens:,.0f} tokens"
        reason = (
            f"{what} has {left / GIBIBYTE:,.1f} GiB an accelerator left beside the weights; "
            f"a request of {length} needs {1 / bench.holds[at]:.2f} times as much"
        )
    yield reason
    yield from _fitting(bench)


def _fitting(bench: Bench) -> Iterable[str]:
    """More accelerators and smaller formats that make the service fit."""
    asked = bench.asked
    for times in GROWTH:
        wide = asked.reach.worker * times
        more = replace(asked, reach=Reach(asked.reach.node, wide, max(wide, asked.reach.deployed)))
        if asked.gpus and _fits(more, bench.known):
            yield f"what helps: --gpus {wide}"
            break
    least = min(BYTES[one.expert_precision] for one in asked.services)
    for text in (text for text in PRECISIONS if BYTES[text] < least):
        one = replace(asked.first, precision=text, expert_precision=text)
        if _fits(replace(asked, services=(one,)), bench.known):
            yield f"what helps: --precision {text}"
    yield "what helps: shorter requests, or accelerators with more memory"


def _fits(asked: Asked, known: Calibrated) -> bool:
    """Whether any layout holds a request."""
    try:
        return bool((bench_of(asked, known).holds >= 1).any())
    except Unpredictable:
        return False
