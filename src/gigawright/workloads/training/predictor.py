"""Predicts training runs with the calibrated model: a step, its interval, memory, and what limits it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from gigawright.arrays import Floats
from gigawright.units import GIBIBYTE
from gigawright.workloads.performance import Limit, Unpredictable
from gigawright.workloads.training.calibration import Calibration, calibration
from gigawright.workloads.training.candidates import QUICK, Space
from gigawright.workloads.training.effects import levels
from gigawright.workloads.training.layouts import layouts
from gigawright.workloads.training.machine import machines, used_precision
from gigawright.workloads.training.run import Layout, Run
from gigawright.workloads.training.search import evaluate
from gigawright.workloads.training.shapes import shapes
from gigawright.workloads.training.step import PARTS, step

LIMITS: Mapping[str, Limit] = {
    "products": "compute",
    "attention": "compute",
    "memory": "memory bandwidth",
    "experts": "compute",
    "network": "network",
    "dispatch": "network",
    "host": "overhead",
    "waiting": "pipeline",
    "capacity": "memory capacity",
}
"""What a part of a step is limited by, in the words of every prediction."""

BLOCK = 512
"""Runs predicted at once: each is compared with every measured run, which takes some 50 kB."""

KEYS = tuple(each.name for each in fields(Run) if each.name not in ("chip", "gemm"))
"""What tells a run from another, with its chip and table of products."""


@dataclass(frozen=True)
class Predicted:
    """A training step as predicted: the middle, and the 10th and 90th percentile of its pace.

    `seconds` by part without waiting, `waiting` in the pipeline; memory by what holds it [bytes]. `mfu`
    counts causal attention and the 16-bit peak. Where `refused` says why, the numbers are nan.
    """

    run: Run
    layout: Layout | None = None
    step_s: float = np.nan
    tokens_per_s: float = np.nan
    tokens_per_s_p10: float = np.nan
    tokens_per_s_p90: float = np.nan
    mfu: float = np.nan
    memory_bytes: float = np.nan
    fits: bool = False
    limited_by: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    held: dict[str, float] = field(default_factory=dict)
    refused: str = ""

    @property
    def short_bytes(self) -> float:
        """Bytes that the fullest accelerator lacks; 0 where the run fits."""
        usable = self.run.chip.memory_gb * GIBIBYTE * calibration().constants.memory_used
        return 0.0 if self.fits else max(0.0, self.memory_bytes - usable)


def predict_run(run: Run, *, space: Space = QUICK) -> Predicted:
    """One run; a run without a layout gets the fastest of the space that fits.

    >>> from gigawright.workloads.training.examples import llama_run
    >>> done = predict_run(llama_run())
    >>> done.tokens_per_s_p10 < done.tokens_per_s < done.tokens_per_s_p90
    True
    """
    return predict_runs([run], space=space)[0]


def predict_runs(
    runs: Sequence[Run], *, space: Space = QUICK, known: Calibration | None = None
) -> list[Predicted]:
    """Runs at once, in order; those that cannot be predicted say why. Equal runs are worked out once."""
    found = known or calibration()
    keys = [_key(run) for run in runs]
    distinct = dict(zip(keys, runs, strict=True))
    ready = {key: _laid_out(run, space, found) for key, run in distinct.items()}
    good = [run for run in ready.values() if isinstance(run, Run)]
    blocks = (good[first : first + BLOCK] for first in range(0, len(good), BLOCK))
    done = iter([one for block in blocks for one in _predict(block, found)])
    every = {key: next(done) if isinstance(run, Run) else run for key, run in ready.items()}
    return [every[key] for key in keys]


def _key(run: Run) -> object:
    """What tells a run from another; the chip, which cannot be hashed, by its identity."""
    return id(run.chip), id(run.gemm), *(getattr(run, name) for name in KEYS)


def fastest(run: Run, space: Space, known: Calibration) -> Run:
    """The run in the fastest layout of the space that fits; the one that needs least memory where none fits.

    Raises Unpredictable where there is none at all, or a rate is missing.
    """
    multipliers = known.effects.multipliers([levels(run)])[0]
    tried = evaluate(run, space, known.constants, multipliers)
    best = tried.best(1)
    place = int(best[0]) if len(best) else int(np.argmin(tried.memory))
    return replace(run, layout=tried.layout(place), assumed=tuple(dict.fromkeys((*run.assumed, "layout"))))


def _laid_out(run: Run, space: Space, known: Calibration) -> Run | Predicted:
    try:
        machines([run])
        ready = as_run(run)
        return ready if ready.layout is not None else fastest(ready, space, known)
    except Unpredictable as reason:
        return Predicted(run, refused=str(reason))


def as_run(run: Run) -> Run:
    """The run at the precision that its chip has, with what stands in for facts that are missing told."""
    chip, used = run.chip, used_precision(run.chip, run.precision)
    missing: tuple[str, ...] = (
        () if chip.nic_gbps or run.accelerators <= chip.scaleup_domain else ("nic_gbps",)
    )
    missing += () if chip.scaleup_gbs or run.accelerators == 1 else ("scaleup_gbs",)
    if used == run.precision and not missing:
        return run
    stood_in = (f"precision {used}",) if used != run.precision else ()
    recipe = run.recipe if used == run.precision else ""
    told = tuple(dict.fromkeys((*run.assumed, *stood_in, *missing)))
    return replace(run, precision=used, recipe=recipe, assumed=told)


def _predict(runs: list[Run], known: Calibration) -> list[Predicted]:
    """Runs with layouts, all at once."""
    shape, machine, layout = shapes(runs), machines(runs), layouts(runs)
    names = [levels(run) for run in runs]
    done = step(shape, machine, layout, known.constants)
    parts = done.parts.T * np.exp(known.effects.multipliers(names))
    seconds = parts.sum(axis=1)
    half = known.spread(runs, names, parts / seconds[:, None])
    tokens = layout.batch * shape.seq_len
    pace = tokens / seconds / layout.accelerators
    waiting = done.bubble / done.seconds * seconds
    held = done.memory
    total = held.total
    fits = held.fits(machine, known.constants.memory_used)
    mfu = pace * shape.flops / machine.peak_16
    kinds = {
        name: getattr(held, name) for name in ("weights", "gradients", "optimiser", "activations", "scores")
    }
    return [
        Predicted(
            run=run,
            layout=run.layout,
            step_s=float(seconds[at]),
            tokens_per_s=float(pace[at]),
            tokens_per_s_p10=float(pace[at] * np.exp(-half[at])),
            tokens_per_s_p90=float(pace[at] * np.exp(half[at])),
            mfu=float(mfu[at]),
            memory_bytes=float(total[at]),
            fits=bool(fits[at]),
            limited_by=_limit(told := _told(parts[at], float(waiting[at])), bool(fits[at])),
            seconds=told,
            held={name: float(value[at]) for name, value in kinds.items()},
        )
        for at, run in enumerate(runs)
    ]


def _told(parts: Floats, waiting: float) -> dict[str, float]:
    """Seconds by part with the pipeline's waiting taken out of them in proportion."""
    share = 1 - waiting / parts.sum()
    return {
        **{name: float(value * share) for name, value in zip(PARTS, parts, strict=True)},
        "waiting": waiting,
    }


def _limit(seconds: dict[str, float], fits: bool) -> str:
    """What most of a step is spent on, or the memory that does not hold the run."""
    if not fits:
        return LIMITS["capacity"]
    spent = by_limit(seconds)
    return max(spent, key=lambda kind: spent[kind])


def by_limit(seconds: Mapping[str, float]) -> dict[Limit, float]:
    """Seconds of a step's parts by what limits them."""
    spent: dict[Limit, float] = {}
    for part, value in seconds.items():
        spent[LIMITS[part]] = spent.get(LIMITS[part], 0.0) + value
    return spent
