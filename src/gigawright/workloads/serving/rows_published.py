"""Rows of published throughput as services: MLPerf submissions, vendors' tables, reports of operators."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from gigawright.workloads.cells import Cells
from gigawright.workloads.serving.rows_look import MOST_TOKENS, Looked, formats_in
from gigawright.workloads.serving.rows_spread import MOST_ACCELERATORS, MOST_REQUESTS
from gigawright.workloads.serving.rows_text import (
    RULES,
    chunk_of,
    data_set_of,
    engine_of,
    layout_of,
    length_of,
    limits_of,
    load_of,
    nodes_of,
)
from gigawright.workloads.serving.rows_words import age_at, decimal_year, kv_bytes_of
from gigawright.workloads.serving.service import Kind, Service

NEEDED = ("model", "accelerator", "isl", "osl", "scenario")
"""Columns a file must have."""

OPTIONAL = (
    *("precision", "gpus", "nodes_x_gpus_or_parallelism", "engine", "concurrency_or_batch"),
    *("tpot_ms_or_sla", "submitter", "dataset_date"),
)
"""Columns that count as blank where a file lacks them. Of `tpot_ms_or_sla` only limits are read."""

KINDS: Mapping[str, Kind] = {
    "server": "online",
    "interactive": "online",
    "online": "online",
    "offline": "offline",
    "offline-throughput": "offline",
    "static/offline": "offline",
    "prefill": "prefill",
    "prefill profile": "prefill",
    "production prefill": "prefill",
    "decode": "decode",
    "decode profile": "decode",
    "production decode": "decode",
}
"""What each scenario measures."""

PHASE_TOKENS = {"isl": 4096.0, "osl": 1.0}
"""Tokens where a row of one phase is silent; assumption: 4,096 of context, as most published profiles of a
phase have (DeepSeek's, SGLang's of 2025-05-05, CloudMatrix-Infer's), and no growth beyond it."""

MLPERF = "MLPerf"


def service(cells: Cells, looked: Looked) -> Service | None:
    """The service that a row describes; None where problems were noted."""
    text = cells.text
    model = looked.model(cells, "model", text["model"])
    accelerator = _accelerator(cells)
    chip = looked.chip(cells, "accelerator", accelerator) if accelerator is not None else None
    kind = _kind(cells)
    asked, answered = _length(cells, "isl", kind), _length(cells, "osl", kind)
    gpus = cells.count("gpus", 1, MOST_ACCELERATORS)
    dense, experts, _ = formats_in(cells, "model")
    if model is None or chip is None or asked is None or answered is None or cells.problems:
        return None
    found = Service(
        model=model,
        chip=chip,
        layout=layout_of(text["nodes_x_gpus_or_parallelism"], model.is_moe),
        input_tokens=asked,
        output_tokens=answered,
        concurrency=math.inf,
        precision=dense,
        expert_precision=experts,
        gpus=gpus or nodes_of(text["nodes_x_gpus_or_parallelism"]) or 0,
        kind=kind,
    )
    found = _measured(cells, _loaded(cells, _spread(cells, found)), looked)
    return None if cells.problems else replace(found, assumed=tuple(dict.fromkeys(cells.assumed)))


def _accelerator(cells: Cells) -> str | None:
    """The accelerator's name; None where it is unstated or several (noted)."""
    text = cells.text["accelerator"]
    if re.search(r"not stated|unknown", text, re.IGNORECASE):
        cells.problems.append(f"accelerator is {text!r}, must be stated: a name of the catalogue")
        return None
    if len(re.findall(r"\(x\s*\d+\)", text)) > 1:
        cells.problems.append(f"accelerator is {text!r}, must be of one kind")
        return None
    return re.sub(r"^virtuali[sz]ed\s+", "", text, flags=re.IGNORECASE)


def _kind(cells: Cells) -> Kind:
    """What a scenario measures; noted where it is none of `KINDS`."""
    told = cells.text["scenario"]
    if (kind := KINDS.get(told.lower())) is None:
        what = f"is {told!r}" if told else "is blank"
        cells.problems.append(f"scenario {what}, must be one of {', '.join(KINDS)}")
        return "online"
    return kind


def _length(cells: Cells, column: str, kind: Kind) -> float | None:
    """Tokens of a prompt or an answer; None where the cell does not tell (noted).

    A data set stands for its mean; a row of one phase may leave them open (`PHASE_TOKENS`).
    """
    cell, place = cells.text[column], ("isl", "osl").index(column)
    length = length_of(cell)
    if length is None:
        told = data_set_of(cell or cells.text["isl"])
        phase = PHASE_TOKENS[column] if not cell and kind in ("prefill", "decode") else None
        length = told[place] if told else phase
        cells.assumed.append(column)
    elif re.search(r"unverified|memory|~", cell):
        cells.assumed.append(column)
    if length is None or not 1 <= length <= MOST_TOKENS:
        what = f"is {cell!r}" if cell else "is blank"
        cells.problems.append(f"{column} {what}, must be from 1 to {MOST_TOKENS:g} tokens of a request")
        return None
    return length


def _spread(cells: Cells, found: Service) -> Service:
    """The service with its workers counted, or with its layout left open where the row tells none."""
    layout, text = found.layout, cells.text["nodes_x_gpus_or_parallelism"]
    if layout is None:
        cells.assumed.append("layout")
        return found
    if layout.accelerators == 1 or not found.gpus:
        return replace(found, gpus=found.gpus or layout.accelerators, workers=found.gpus or 1)
    if found.gpus < layout.accelerators and "per node" in text:
        return replace(found, gpus=layout.accelerators)
    if found.gpus % layout.accelerators:
        cells.problems.append(
            f"gpus is {found.gpus}, must be a multiple of the {layout.accelerators} of {text!r}"
        )
    return replace(found, workers=max(1, found.gpus // layout.accelerators))


def _loaded(cells: Cells, found: Service) -> Service:
    """The service with its requests in flight and the limits that it had to keep."""
    text = cells.text["concurrency_or_batch"]
    first, each = limits_of(cells.text["tpot_ms_or_sla"])
    chunk, load = chunk_of(text), load_of(text)
    number, per_accelerator = load or (None, False)
    if load is None and chunk is None and text:
        cells.problems.append(
            f"concurrency_or_batch is {text!r}, must be a number, `128/GPU`, `max` or `max under SLA`"
        )
    if per_accelerator and not found.gpus:
        cells.problems.append(f"gpus is blank, must be told where concurrency_or_batch is {text!r}")
    requests = math.inf if number is None else number * (found.gpus if per_accelerator else 1)
    if not 1 <= requests <= MOST_REQUESTS and number is not None:
        cells.problems.append(
            f"concurrency_or_batch is {text!r}, must be from 1 to {MOST_REQUESTS:g} requests"
        )
    if not text and found.kind in ("online", "decode"):
        cells.assumed.append("concurrency")
    rule = RULES.get((found.model.id, cells.text["scenario"].lower()))
    if rule and not first and not each:
        cells.assumed.append("limits")
        first, each = rule
    return replace(found, concurrency=requests, ttft_limit_s=first, tpot_limit_s=each, chunk=chunk or 0)


def _measured(cells: Cells, found: Service, looked: Looked) -> Service:
    """The service with who measured it, by which software, and when."""
    date = cells.text["dataset_date"]
    engine, version = engine_of(cells.text["engine"])
    version = version or next(iter(re.findall(r"v(\d+(?:\.\d+)+)", date if MLPERF not in date else "")), "")
    site = MLPERF if MLPERF in date else cells.text["submitter"]
    # MLPerf's submissions of vLLM keep the cache in 8 bits on every chip.
    cached_by = "" if site == MLPERF else engine
    weights = found.expert_precision or found.precision
    cells.assumed.append("kv_bytes")
    return replace(
        found,
        kv_bytes=kv_bytes_of(cached_by, found.model, found.chip, weights),
        engine=engine,
        release=f"{engine} {version}".strip(),
        site=site,
        age_years=age_at(decimal_year(date), found.chip, looked.book),
    )
