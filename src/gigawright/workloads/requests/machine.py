"""From the names of a model and a system to the pace of a replica, by the closed form of serving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gigawright.errors import UserError

if TYPE_CHECKING:
    from gigawright.facts import FactBook
    from gigawright.workloads.calibrated import Calibrated
    from gigawright.workloads.requests.pace import Disaggregated, Pace
    from gigawright.workloads.requests.traces import Trace
    from gigawright.workloads.serving.service import Service

BYTES_OF_KV = {"bf16": 2.0}
"""Bytes of a cached value by precision of the weights, where it is not one; assumption: an 8-bit cache below
16-bit weights.
"""


@dataclass(frozen=True)
class Machine:
    """What serves: the pace of one replica, its name for a heading, and what was assumed on the way."""

    pace: Pace | Disaggregated
    title: str
    notes: tuple[str, ...]


def machine_of(
    trace: Trace,
    model: str,
    system: str,
    book: FactBook,
    *,
    precision: str = "fp8",
    accelerators: int | None = None,
    apart: bool = False,
    drafted: int = 0,
    engine: str = "",
    known: Calibrated | None = None,
) -> Machine:
    """A replica of a model on a system, laid out for the mean lengths of a trace.

    The accelerators of the system, or as many as `accelerators` says, are laid out as has the best pace; a
    replica is one worker of that layout, and `notes` tell how large it is. With `apart`, prefill has replicas
    of its own. Raises CatalogueError for an unknown name and UserError where the model does not fit.
    """
    from gigawright.workloads.architecture import language_model
    from gigawright.workloads.performance import Unpredictable
    from gigawright.workloads.serving.layouts import laid_out
    from gigawright.workloads.serving.paces import pace_of
    from gigawright.workloads.serving.predictor import calibration
    from gigawright.workloads.serving.service import Service
    from gigawright.workloads.training.ask import system_named

    shape = language_model(model)
    chip, whole, notes = system_named(system, book)
    count = accelerators or (whole.accelerators if whole else 0)
    asked = Service(
        model=shape,
        chip=chip,
        layout=None,
        input_tokens=float(trace.input.mean()),
        output_tokens=float(trace.output.mean()),
        concurrency=float("inf"),
        precision=precision,
        kv_bytes=BYTES_OF_KV.get(precision, 1.0),
        gpus=count,
        disaggregated=apart,
        drafted=drafted,
        engine=engine,
    )
    found = known or calibration()
    try:
        placed = laid_out(asked, found.constants)
        pace = pace_of(placed, found)
    except Unpredictable as error:
        raise UserError(f"{model} on {system}: {error}") from error
    title = f"{shape.name} on {whole.name if whole else chip.name}"
    return Machine(pace, title, (*notes, *_told(placed, pace)))


def _told(placed: Service, pace: Pace | Disaggregated) -> tuple[str, ...]:
    """What a replica is, and what was filled in."""
    from gigawright.workloads.requests.pace import Disaggregated

    layout = placed.layout
    if layout is None:
        return ()
    one = pace.decode if isinstance(pace, Disaggregated) else pace
    sizes = {
        "tensor": layout.tensor,
        "data": layout.data,
        "pipeline": layout.pipeline,
        "expert": layout.expert,
    }
    groups = ", ".join(f"{name} {size}" for name, size in sizes.items() if size > 1) or "no parallelism"
    return (
        f"a replica is {layout.accelerators} x {placed.chip.name} ({groups}) at {placed.precision}, with a "
        f"KV cache of {one.kv_tokens:,} tokens, up to {one.max_sequences:,} sequences and chunks of "
        f"{one.chunk:,} tokens",
        *(f"assumed: {name}" for name in placed.assumed),
    )
