"""How fast training runs are on each system, in which layout, and what another cluster would change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gigawright.report import words
from gigawright.report.html import Column, Html, Piece, table
from gigawright.report.parts import Report, more
from gigawright.workloads.performance import PhasePerformance

if TYPE_CHECKING:
    from gigawright.study.model import Study, TrainingSetting

NUMBER: Final = "number"

GROUPS = (("tensor", "TP"), ("pipeline", "PP"), ("context", "CP"), ("data", "DP"), ("expert", "EP"))
"""Groups of a layout and their usual short names."""

COLUMNS = (
    Column("System"),
    Column("Pace", "tokens/s an accelerator", NUMBER),
    Column("80% interval", "tokens/s", NUMBER),
    Column("MFU", "", NUMBER),
    Column("Layout"),
    Column("Memory", "GB", NUMBER),
    Column("Limited by"),
    Column("At half the cluster", "", NUMBER),
    Column("At double", "", NUMBER),
    Column("Put in place"),
)


def training_pace(report: Report) -> list[Piece]:
    """A table to open for each setting of training runs, fastest system first; none without training."""
    result = report.view.result
    return [
        more(
            f"The predicted pace of {words.joined(names)}: {_told(setting)}",
            _table(report, [p for p in result.performance.table.values() if p.phase == phase]),
        )
        for setting, (phase, names) in _settings(result.study).items()
    ]


def _settings(study: Study) -> dict[TrainingSetting, tuple[str, list[str]]]:
    """The settings of a study's training, each with its first phase and the names of its runs."""
    found: dict[TrainingSetting, tuple[str, list[str]]] = {}
    for setting, phase, name in _runs(study):
        found.setdefault(setting, (phase, []))[1].append(name)
    return found


def _runs(study: Study) -> Iterator[tuple[TrainingSetting, str, str]]:
    for workload in study.workloads:
        if workload.family != "llm-training":
            continue
        for run in workload.programmes:
            yield workload.setting(run), f"{workload.name}:{run.name}", run.name
        if not workload.programmes:
            yield workload.setting(), f"{workload.name}.training", workload.name


def _told(setting: TrainingSetting) -> str:
    batch = f", {words.scaled(setting.batch_tokens)} tokens a step" if setting.batch_tokens else ""
    return (
        f"{setting.model} at {setting.precision} on {setting.cluster:,} accelerators, "
        f"sequences of {setting.seq_len:,} tokens{batch}"
    )


def _table(report: Report, paces: list[PhasePerformance]) -> Html:
    able = sorted((p for p in paces if not p.refused), key=lambda p: -p.work_per_s)
    caption = (
        "Training pace by system, before goodput and availability; MFU counts the 16-bit peak; half and "
        "double the cluster share one batch"
    )
    return table(caption, COLUMNS, [_row(report, pace) for pace in able])


def _row(report: Report, pace: PhasePerformance) -> list[Piece]:
    told = pace.details
    return [
        report.view.system(pace.system),
        words.digits(pace.work_per_s),
        f"{words.digits(told['p10'])} to {words.digits(told['p90'])}",
        words.share(told["mfu"]),
        _layout(pace),
        words.digits(told["memory_gb"]),
        pace.limited_by,
        _against(told.get("half"), pace.work_per_s),
        _against(told.get("double"), pace.work_per_s),
        pace.note,
    ]


def _layout(pace: PhasePerformance) -> str:
    """Groups of more than one accelerator, as `TP 8, PP 4, DP 512`."""
    sizes = [f"{short} {pace.details[name]:.0f}" for name, short in GROUPS if pace.details[name] > 1]
    if pace.details["zero"] >= 3:
        sizes.append("sharded weights")
    return ", ".join(sizes) or "one accelerator"


def _against(other: float | None, pace: float) -> str:
    """How another pace an accelerator differs, in per cent."""
    return "not feasible" if other is None else f"{other / pace - 1.0:+.0%}"
