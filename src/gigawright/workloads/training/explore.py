"""Searches the layouts of a run for a person: the best that differ, why others lost, what nearly fitted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gigawright.arrays import Ints
from gigawright.errors import UserError
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.training.ask import Asked
from gigawright.workloads.training.calibration import Calibration
from gigawright.workloads.training.candidates import QUICK, SIZES, Space, candidates
from gigawright.workloads.training.effects import levels
from gigawright.workloads.training.layouts import Layouts
from gigawright.workloads.training.machine import machines
from gigawright.workloads.training.predictor import LIMITS, Predicted, predict_runs
from gigawright.workloads.training.run import Layout, Run
from gigawright.workloads.training.search import Evaluated, evaluate

CHOICES = replace(
    QUICK,
    recompute=("none", "selective", "full"),
    zero=(0, 1, 2, 3),
    sequence_parallel=(True, False),
    zero_bubble=(False, True),
)
"""What a search varies unless told to be exhaustive: all policies, traffic beside products as usual, and
nothing sent to the host, whose links few published runs burden.
"""

PART_WORDS = {
    "products": "matrix products",
    "attention": "attention",
    "memory": "element-wise work and optimiser",
    "experts": "experts",
    "network": "network",
    "dispatch": "tokens sent to experts",
    "host": "host and launches",
    "waiting": "waiting in the pipeline",
}
"""The parts of a step in words."""

SHORT_WORDS = {**{part: part for part in PART_WORDS}, "memory": "element-wise"}
"""The parts of a step in a word each, for tables."""

HELD_WORDS = {
    "weights": "weights",
    "gradients": "gradients",
    "optimiser": "optimiser",
    "activations": "activations",
    "scores": "output scores",
    "reserve": "libraries and fragmentation",
}
"""What holds memory, in words."""

TIE = 1e-3
"""Steps of the same sizes that differ by less are shown once."""

SAME = 1e-9
"""Steps that differ by less are equal; the simpler layout is shown."""

SHOWN_SHARE = 0.05
"""Share of a step below which a limit is not named."""

DEPTH = 50
"""Candidates looked through for each layout shown, at first."""

MISSES = 5
"""Layouts shown where none fits, those nearest first."""

GROUPS = SIZES.index("expert") + 1
"""How many of the sizes are those of groups of accelerators."""

GROWTH = (2, 4, 8, 16, 32, 64)
"""How many times as many accelerators are tried where nothing fits."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Explored:
    """What a search found: all candidates, and the best that differ, fastest first.

    `best` is empty where nothing fits; `misses` are then the layouts that need least memory, and `helps`
    what would make it fit. An accelerator has `capacity_bytes` of memory, `usable_bytes` of which may be
    filled; `took_s` counts evaluation alone.
    """

    asked: Asked
    tried: Evaluated
    best: tuple[Predicted, ...]
    misses: tuple[Predicted, ...]
    helps: tuple[str, ...]
    capacity_bytes: float
    usable_bytes: float
    took_s: float

    @property
    def configurations(self) -> int:
        """Candidates evaluated."""
        return len(self.tried.seconds)

    @property
    def fitting(self) -> int:
        """Candidates that fit into memory."""
        return int(self.tried.fits.sum())


def explore(
    asked: Asked,
    known: Calibration,
    *,
    space: Space = CHOICES,
    count: int = 10,
    progress: Progress | None = None,
) -> Explored:
    """Evaluates every layout of the space and predicts the best `count` in full.

    Raises UserError where the batch cannot occupy the accelerators, or a rate of the accelerator is unknown.
    """
    run = asked.run
    try:
        capacity = float(machines([run]).memory[0])
        multipliers = known.effects.multipliers([levels(run)])[0]
        start = time.perf_counter()
        tried = evaluate(run, space, known.constants, multipliers, progress)
        took_s = time.perf_counter() - start
    except Unpredictable as reason:
        raise UserError(_too_few(run, space) or str(reason)) from reason
    best = _predicted(tried, _best(tried, count), known)
    misses = () if best else _predicted(tried, _smallest(tried), known)
    helps = () if best else tuple(_helps(run, space, known))
    usable = capacity * known.constants.memory_used
    return Explored(asked, tried, best, misses, helps, capacity, usable, took_s)


def _too_few(run: Run, space: Space) -> str:
    """The words that tell that the batch has less sequences than the smallest number of ranks; else empty."""
    one_way = replace(space, zero=(0,), recompute=("full",), offload=(False,), overlap_data=(True,))
    least = int(candidates(replace(run, batch=run.accelerators), one_way).data.min())
    if run.batch >= least:
        return ""
    return (
        f"{run.batch:,} sequence{'s' if run.batch > 1 else ''} of {run.seq_len:,} tokens cannot occupy "
        f"{run.accelerators:,} accelerators: batch-tokens must be at least {least * run.seq_len:,} "
        f"({least:,} sequences, one for each data-parallel rank)"
    )


def _best(tried: Evaluated, count: int) -> list[int]:
    """Places of the best layouts that differ; as many candidates are sorted as that needs."""
    many, fitting = DEPTH * count, int(tried.fits.sum())
    while len(found := distinct(tried, tried.best(many), count)) < count and many < fitting:
        many *= 8
    return found


def distinct(tried: Evaluated, order: Ints, count: int) -> list[int]:
    """The first `count` places of `order` (fastest first) whose layouts differ in what matters.

    Left out are layouts of the same sizes whose step takes as long (within TIE), and those that only hide
    less traffic than one before them. Of layouts with equal steps the simplest is kept.
    """
    kept: list[int] = []
    policy_of: dict[int, tuple[float, ...]] = {}
    by_sizes: dict[tuple[float, ...], list[int]] = {}
    policies: set[tuple[float, ...]] = set()
    found = tried.take(order)
    for place, sizes, policy in zip(order.tolist(), _sizes(found), _policies(found), strict=True):
        policy_of[place] = policy
        alike = by_sizes.setdefault(sizes, [])
        twin = next((at for at in alike if _within(tried, kept[at], place, TIE)), None)
        if twin is not None:
            same = _within(tried, kept[twin], place, SAME)
            if same and policy < policy_of[kept[twin]]:
                kept[twin] = place
        elif (*sizes, *policy) not in policies:
            if len(kept) == count:
                break
            alike.append(len(kept))
            kept.append(place)
        policies.add((*sizes, *policy))
    return kept


def _within(tried: Evaluated, first: int, second: int, share: float) -> bool:
    return bool(tried.seconds[second] <= tried.seconds[first] * (1 + share))


def _sizes(found: Layouts) -> list[tuple[float, ...]]:
    return list(zip(*(getattr(found, name).tolist() for name in SIZES), strict=True))


POLICY = ("offload", "zero", "recompute", "zero_bubble")


def _policies(found: Layouts) -> list[tuple[float, ...]]:
    """Policies of layouts, simpler ones first; overlaps are none."""
    columns = [*(getattr(found, name) for name in POLICY), 1.0 - found.sequence_parallel]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _smallest(tried: Evaluated) -> list[int]:
    """Places of the layouts that need least memory, the fastest of each set of groups."""
    many = DEPTH * MISSES
    while True:
        most = np.partition(tried.memory, many - 1)[many - 1] if many < len(tried.memory) else np.inf
        near = np.flatnonzero(tried.memory <= most)
        order = near[np.lexsort((tried.seconds[near], tried.memory[near]))]
        seen: dict[tuple[float, ...], int] = {}
        for place, sizes in zip(order.tolist(), _sizes(tried.take(order)), strict=True):
            seen.setdefault(sizes[:GROUPS], place)
        if len(seen) >= MISSES or many >= len(tried.memory):
            return list(seen.values())[:MISSES]
        many *= 8


def _predicted(tried: Evaluated, places: Sequence[int], known: Calibration) -> tuple[Predicted, ...]:
    runs = [replace(tried.run, layout=tried.layout(place)) for place in places]
    return tuple(predict_runs(runs, known=known))


def _helps(run: Run, space: Space, known: Calibration) -> Iterable[str]:
    """What would make a run fit, each tried: a wider search, more accelerators, a shorter sequence."""
    if space != Space() and (fitting := _fitting(run, Space(), known)):
        yield f"--exhaustive finds {fitting:,} layouts that fit"
    more = (run.accelerators * times for times in GROWTH)
    enough = next((count for count in more if _fitting(replace(run, accelerators=count), space, known)), None)
    if enough is not None:
        yield f"--accelerators {enough} fits, with the same batch"
    halves = (run.seq_len >> power for power in range(1, 8) if run.seq_len >> power >= 1024)
    shorter = next((size for size in halves if _fitting(_shortened(run, size), space, known)), None)
    if shorter is not None:
        yield f"--seq {shorter} fits, with the same tokens in a step"
    if enough is None and shorter is None:
        yield "neither 64 times the accelerators nor shorter sequences fit: take one with more memory"


def _shortened(run: Run, seq_len: int) -> Run:
    return replace(run, seq_len=seq_len, batch=run.batch_tokens // seq_len)


def _fitting(run: Run, space: Space, known: Calibration) -> int:
    """How many layouts of a space fit."""
    try:
        return int(evaluate(run, space, known.constants).fits.sum())
    except Unpredictable:
        return 0


def why_slower(best: Predicted, other: Predicted) -> str:
    """The part of a step by which a layout loses most against the best.

    >>> from gigawright.workloads.training.examples import llama_run
    >>> run = llama_run()
    >>> fast = Predicted(run, seconds={"products": 4.0, "waiting": 1.0})
    >>> why_slower(fast, Predicted(run, seconds={"products": 4.1, "waiting": 1.5}))
    'waiting +0.50 s'
    """
    more = {part: other.seconds[part] - value for part, value in best.seconds.items()}
    part = max(more, key=lambda name: more[name])
    if more[part] < TIE * sum(best.seconds.values()):
        return ""
    return f"{SHORT_WORDS[part]} +{more[part]:,.{0 if more[part] >= 10 else 2}f} s"


def held_bytes(found: Predicted) -> dict[str, float]:
    """Bytes on the fullest accelerator by what holds them, with what libraries and fragmentation take."""
    return {**found.held, "reserve": found.memory_bytes - sum(found.held.values())}


def switches(layout: Layout) -> str:
    """What a layout switches on or off against the usual, in words.

    >>> switches(Layout(tensor=8, offload=True, sequence_parallel=False))
    'no SP, offload'
    """
    told = {
        "no SP": layout.tensor > 1 and not layout.sequence_parallel,
        "offload": layout.offload,
        "zero-bubble": layout.schedule == "zero-bubble",
        "tp traffic felt": not layout.overlap_tensor,
        "pp traffic felt": not layout.overlap_pipeline,
        "dp traffic felt": not layout.overlap_data,
    }
    return ", ".join(word for word, holds in told.items() if holds)


def layout_code(layout: Layout) -> str:
    """A layout in short: sizes above one, micro-batch, ZeRO, what is recomputed and switched.

    >>> layout_code(Layout(tensor=8, pipeline=16, data=128, chunks=4, recompute="full"))
    'tp8 pp16x4 dp128 mb1 z1 full'
    """
    sizes = (
        ("tp", layout.tensor, ""),
        ("pp", layout.pipeline, f"x{layout.chunks}" if layout.chunks > 1 else ""),
        ("dp", layout.data, ""),
        ("cp", layout.context, ""),
        ("ep", layout.expert, ""),
    )
    told = [f"{name}{size}{more}" for name, size, more in sizes if size > 1]
    words = {
        layout.recompute: layout.recompute in ("selective", "full"),
        "no-sp": layout.tensor > 1 and not layout.sequence_parallel,
        "offload": layout.offload,
        "zb": layout.schedule == "zero-bubble",
        "tp-felt": not layout.overlap_tensor,
        "pp-felt": not layout.overlap_pipeline,
        "dp-felt": not layout.overlap_data,
    }
    return " ".join(
        [*told, f"mb{layout.micro_batch}", f"z{layout.zero}", *(w for w, on in words.items() if on)]
    )


def limits(one: Predicted) -> str:
    """What most of a step is spent on, with the share of the first two, or the memory that is missing.

    >>> from gigawright.workloads.training.examples import llama_run
    >>> limits(Predicted(llama_run(), fits=True, seconds={"products": 6.0, "experts": 1.0, "network": 3.0}))
    'compute 70%, network 30%'
    """
    if not one.fits:
        return one.limited_by
    whole, spent = sum(one.seconds.values()), dict.fromkeys(LIMITS.values(), 0.0)
    for part, value in one.seconds.items():
        spent[LIMITS[part]] += value / whole
    most = sorted(spent.items(), key=lambda pair: -pair[1])[:2]
    return ", ".join(f"{kind} {share:.0%}" for kind, share in most if share >= SHOWN_SHARE)


def policies(layout: Layout) -> str:
    """What a layout shares, recomputes and switches, in words.

    >>> policies(Layout(recompute="full", offload=True))
    'ZeRO 1, full recompute, offload'
    """
    words = (
        f"ZeRO {layout.zero}",
        f"{layout.recompute} recompute" if layout.recompute != "none" else "",
        switches(layout),
    )
    return ", ".join(word for word in words if word)


def sizes_words(layout: Layout) -> str:
    """The sizes of a layout's groups that are more than one.

    >>> sizes_words(Layout(tensor=8, pipeline=16, data=128, chunks=2))
    'tp 8, pp 16 x 2, dp 128'
    """
    stages = f"{layout.pipeline} x {layout.chunks}" if layout.chunks > 1 else str(layout.pipeline)
    told = (
        ("tp", layout.tensor > 1, str(layout.tensor)),
        ("pp", layout.pipeline > 1, stages),
        ("dp", layout.data > 1, str(layout.data)),
        ("cp", layout.context > 1, str(layout.context)),
        ("ep", layout.expert > 1, str(layout.expert)),
        ("micro-batch", layout.micro_batch > 1, str(layout.micro_batch)),
    )
    return ", ".join(f"{name} {size}" for name, shown, size in told if shown) or "one accelerator"
