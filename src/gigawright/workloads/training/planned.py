"""Training in a plan: the pace of a cluster of one system, in the fastest layout that fits.

A plan's runs happen on chips whose software has had `MATURE_YEARS` to learn them; nobody knows who will run
them with which release, so site and release stay open, which widens the interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from gigawright.catalogue.types import Accelerator, System
from gigawright.workloads.language import LanguageModel, shape_note
from gigawright.workloads.performance import PhasePerformance, Unpredictable, answer, joined
from gigawright.workloads.power import watts
from gigawright.workloads.training.predictor import Predicted, by_limit, predict_runs
from gigawright.workloads.training.run import MATURE_YEARS, Precision, Run

BATCH_TOKENS = 2.0**24
"""Tokens in a step if a study does not say; Llama 3 405B ended at 16 M (arXiv:2407.21783, section 3.4.1)."""

STAND_INS: Mapping[str, tuple[str, ...]] = {
    "fp4": ("fp4", "fp8", "bf16", "fp16"),
    "fp8": ("fp8", "bf16", "fp16"),
    "int8": ("int8", "bf16", "fp16"),
    "bf16": ("bf16", "fp16"),
    "fp16": ("fp16", "bf16"),
}
"""What a plan trains with where an accelerator lacks a precision, best first. Whole numbers only where asked
for: runs at int8 are rare, and nothing says that a recipe for fp8 converges with them."""

RUN_PRECISION: Mapping[str, Precision] = {
    "fp4": "fp4", "fp8": "fp8", "int8": "int8", "bf16": "bf16", "fp16": "bf16"
}  # fmt: skip
"""Precision of a run by that of its products; both 16-bit formats run alike."""

WHOLE = (1, 8, 64)
"""A run may leave accelerators unused until their number is a multiple of one of these: 9,999 divide into no
good groups, 9,984 do."""

IMBALANCE = 1.1
"""Load of the busiest rank of experts over the mean; assumption: routing balanced by biases is even to 4%
over a data set (arXiv:2408.15664), and swings by more within a micro-batch.
"""

LAYOUT = ("tensor", "pipeline", "data", "context", "expert", "chunks", "micro_batch", "zero")
"""What describes a layout, as the details of an answer name it."""


def train(
    model: LanguageModel,
    system: System,
    *,
    precision: str = "bf16",
    seq_len: int = 8192,
    accelerators: int = 8192,
    batch_tokens: float | None = None,
    mtp: int = 0,
    phase: str = "training",
    age_years: float = MATURE_YEARS,
) -> PhasePerformance:
    """Trained tokens a second an accelerator of a cluster, in the fastest layout that fits its memory.

    `precision` is that of the matrix products; `batch_tokens` (default `BATCH_TOKENS`) is rounded to
    sequences, `mtp` counts multi-token-prediction layers, `age_years` is how long the chip has been out.
    Details hold the 10th and 90th percentile of the pace (`p10`, `p90` [tokens/s an accelerator]), `mfu`
    (causal attention, 16-bit peak), `step_s`, `memory_gb`, the layout, `used` accelerators, seconds of a step
    by part (`products_s`, ...), and the pace an accelerator at half and at double the cluster with the same
    batch (`half`, `double`), where that is feasible. Refused where the data sheet lacks a rate or a link, no
    layout fits, or the batch is too small for the cluster.
    """
    asked = _Asked(
        model=model,
        chip=system.accelerator,
        precision=precision,
        seq_len=seq_len,
        accelerators=accelerators,
        batch=max(1, round((BATCH_TOKENS if batch_tokens is None else batch_tokens) / seq_len)),
        mtp=mtp,
        age_years=age_years,
    )
    return answer(phase, system, lambda: _train(asked, system, phase))


@dataclass(frozen=True)
class _Asked:
    """What decides a training pace: the key under which it is kept."""

    model: LanguageModel
    chip: Accelerator = field(hash=False)
    precision: str
    seq_len: int
    accelerators: int
    batch: int
    mtp: int
    age_years: float

    def run(self, accelerators: int) -> Run:
        """The run on so many accelerators, its layout left open."""
        return Run(
            model=self.model,
            chip=self.chip,
            accelerators=accelerators,
            seq_len=self.seq_len,
            batch=self.batch,
            precision=RUN_PRECISION[_products_at(self.chip, self.precision)],
            mtp=self.mtp,
            imbalance=IMBALANCE,
            age_years=self.age_years,
        )


def _train(asked: _Asked, system: System, phase: str) -> PhasePerformance:
    used = _products_at(asked.chip, asked.precision)
    _linked(asked)
    done, scaled = _searched(asked)
    if done.refused:
        raise Unpredictable(done.refused)
    if not done.fits:
        raise Unpredictable(_too_large(asked, done))
    seconds = by_limit(done.seconds)
    share = done.run.accelerators / asked.accelerators
    return PhasePerformance(
        phase=phase,
        system=system.id,
        work_per_s=done.tokens_per_s * share,
        watts=watts(system, seconds, done.step_s),
        limited_by=max(seconds, key=lambda kind: seconds[kind]),
        note=joined(_precision_note(asked, used), shape_note(asked.model)),
        details={
            "p10": done.tokens_per_s_p10 * share,
            "p90": done.tokens_per_s_p90 * share,
            "mfu": done.mfu * share,
            "step_s": done.step_s,
            "memory_gb": done.memory_bytes / 1e9,
            "used": float(done.run.accelerators),
            **{name: float(getattr(done.layout, name)) for name in LAYOUT},
            **{f"{part}_s": value for part, value in done.seconds.items()},
            **scaled,
        },
    )


@lru_cache(maxsize=4096)
def _searched(asked: _Asked) -> tuple[Predicted, Mapping[str, float]]:
    """The run in its fastest layout, and its pace an accelerator at half and double the cluster.

    Studies ask for the same run on the same chip many times: in several servers, programmes and days.
    """
    wanted = asked.accelerators
    sizes = {wanted - wanted % whole for whole in WHOLE if whole <= wanted}
    tried = predict_runs([asked.run(size) for size in sorted(sizes, reverse=True)])
    able = _able(tried)
    if not able:
        return tried[0], {}
    done = max(able, key=lambda one: one.tokens_per_s * one.run.accelerators)
    count = done.run.accelerators
    others = {"half": count // 2, "double": count * 2}
    paces = _able(predict_runs([asked.run(size) for size in others.values() if size]))
    known = {one.run.accelerators: one.tokens_per_s for one in paces}
    return done, {name: known[size] for name, size in others.items() if size in known}


def _able(tried: Sequence[Predicted]) -> list[Predicted]:
    return [one for one in tried if one.fits and not one.refused]


def _linked(asked: _Asked) -> None:
    """A plan guesses no network: raises Unpredictable where a cluster needs one that no data sheet has."""
    domain = max(1, asked.chip.scaleup_domain) if asked.chip.scaleup_gbs else 1
    if asked.accelerators > domain and not asked.chip.nic_gbps:
        raise Unpredictable("not predictable: missing network bandwidth")


def _products_at(chip: Accelerator, precision: str) -> str:
    """The precision asked for, or what stands in for it; raises Unpredictable where there is no rate."""
    if precision not in STAND_INS:
        raise Unpredictable(f"not predictable: precision {precision!r} is none of {', '.join(STAND_INS)}")
    names = STAND_INS[precision]
    for name in names:
        if chip.peak_tflops.get(name):
            return name
    others = "".join(f", nor {name}" for name in names if name != precision)
    raise Unpredictable(f"not predictable: missing {precision} rate{others}")


def _precision_note(asked: _Asked, used: str) -> str:
    chip, wanted = asked.chip, asked.precision
    instead = "" if used == wanted else f"{wanted} is not in the data sheet of {chip.name}: {used} instead"
    return joined(instead, f"the {used} rate is derived, not published" if used in chip.derived else "")


def _too_large(asked: _Asked, done: Predicted) -> str:
    return (
        f"not feasible: no layout of {asked.accelerators:,} accelerators holds the training state of "
        f"{asked.model.params / 1e9:,.0f} bn values: {done.short_bytes / 1e9:,.0f} GB an accelerator too much"
    )
