"""The points of a search of serving configurations as a table."""

from __future__ import annotations

import csv
import math
from io import StringIO
from typing import TYPE_CHECKING

from gigawright.report.serving_text import running, whole
from gigawright.workloads.serving.points import configuration_words
from gigawright.workloads.serving.service import Layout

if TYPE_CHECKING:
    from gigawright.workloads.serving.explore import Explored
    from gigawright.workloads.serving.points import Point


def points_table(found: Explored) -> str:
    """Points one a line as CSV, from the most efficient to the fastest, with the recommended one, which need
    not lie on the front; where nothing keeps the limits, those that come nearest.
    """
    shown = whole(found) or found.misses
    front = {id(one) for one in found.points}
    lines = [_line(one, one is found.choice, id(one) in front) for one in shown]
    out = StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


LAYOUT = ("tensor", "data", "pipeline", "expert_tensor", "expert")
TIMES = ("ttft_ms", "tpot_ms", "output_tok_s_per_gpu")
COLUMNS = (
    *("recommended", "on_front", "mode", "configuration", "engine", "precision", "drafted"),
    *(f"prefill_{name}" for name in ("workers", *LAYOUT)),
    *(f"decode_{name}" for name in ("workers", *LAYOUT)),
    *("accelerators", "concurrency", "running_per_worker"),
    *(f"{name}{band}" for name in TIMES for band in ("", "_p10", "_p90")),
    *("tok_s_per_user", "usd_per_m_tokens", "joules_per_token", "kv_used", "prefill_idle", "chance"),
    *("requests_per_s", "units", "usd_per_month", "limited_by"),
)
"""Columns of the table; those of a prompt worker are empty where one worker does both."""


def _line(one: Point, best: bool, front: bool) -> dict[str, object]:
    service, told = one.service, one.predicted
    low, high = one.pace_p10_p90
    return {
        "recommended": int(best),
        "on_front": int(front),
        "mode": "disaggregated" if one.apart else "aggregated",
        "configuration": configuration_words(service),
        "engine": service.engine,
        "precision": service.expert_precision or service.precision,
        "drafted": service.drafted,
        **_layout("prefill", service.prefill, service.prefill_workers),
        **_layout("decode", service.layout, service.workers),
        "accelerators": f"{one.accelerators:.0f}",
        "concurrency": f"{service.concurrency:.0f}",
        "running_per_worker": f"{running(one):.0f}",
        **_band("ttft_ms", told.ttft_s * 1e3, told.ttft_s_p10 * 1e3, told.ttft_s_p90 * 1e3),
        **_band("tpot_ms", told.tpot_s * 1e3, told.tpot_s_p10 * 1e3, told.tpot_s_p90 * 1e3),
        **_band("output_tok_s_per_gpu", one.pace, low, high),
        "tok_s_per_user": _number(one.user),
        "usd_per_m_tokens": _number(one.usd_per_m),
        "joules_per_token": _number(one.joules),
        "kv_used": f"{one.filled:.4f}",
        "prefill_idle": f"{one.idle:.4f}" if one.apart else "",
        "chance": f"{one.chance:.4f}",
        "requests_per_s": _number(one.served),
        "units": one.units or "",
        "usd_per_month": _number(one.usd_per_month) if one.units else "",
        "limited_by": one.limits,
    }


def _layout(side: str, layout: Layout | None, workers: int) -> dict[str, object]:
    if layout is None:
        return {}
    sizes = {f"{side}_{name}": getattr(layout, name) for name in LAYOUT}
    return {f"{side}_workers": workers, **sizes}


def _band(name: str, middle: float, low: float, high: float) -> dict[str, object]:
    return {name: _number(middle), f"{name}_p10": _number(low), f"{name}_p90": _number(high)}


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"
