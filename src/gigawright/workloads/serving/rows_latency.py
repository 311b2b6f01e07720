"""Rows of latency runs of vLLM as services, where they tell what was asked for."""

from __future__ import annotations

from dataclasses import replace

from gigawright.workloads.cells import Cells
from gigawright.workloads.serving.rows_look import Looked, formats_in, length_in
from gigawright.workloads.serving.rows_spread import MOST_ACCELERATORS, MOST_REQUESTS
from gigawright.workloads.serving.rows_words import kv_bytes_of
from gigawright.workloads.serving.service import Layout, Service

NEEDED = ("model", "workload", "hardware")
"""Columns a file must have."""

OPTIONAL = ("precision", "tp", "dp", "max_num_batched_tokens", "isl", "osl", "concurrency")
"""Columns that count as blank where a file lacks them; without lengths and load a row is refused."""

MOST_CHUNK = 10**7
"""No step may take more tokens; beyond it a number is a slip."""


def service(cells: Cells, looked: Looked) -> Service | None:
    """The service that a row describes; None where problems were noted.

    `workload` names a mixture of prompts that the row does not describe, so isl, osl and concurrency must be
    told beside it.
    """
    model = looked.model(cells, "model", cells.text["model"])
    chip = looked.chip(cells, "hardware", cells.text["hardware"])
    dense, experts, _ = formats_in(cells, "model")
    tensor, data = (cells.count(column, 1, MOST_ACCELERATORS) or 1 for column in ("tp", "dp"))
    chunk = cells.count("max_num_batched_tokens", 1, MOST_CHUNK)
    asked, answered = length_in(cells, "isl"), length_in(cells, "osl")
    requests = cells.number("concurrency", 1, MOST_REQUESTS)
    if not cells.text["concurrency"]:
        cells.problems.append("concurrency is blank, must be the requests in flight")
    if model is None or chip is None or asked is None or answered is None or requests is None:
        return None
    found = Service(
        model=model,
        chip=chip,
        layout=Layout(tensor, data, expert_tensor=tensor * data if model.is_moe else 1),
        input_tokens=asked,
        output_tokens=answered,
        concurrency=requests,
        precision=dense,
        expert_precision=experts,
        kv_bytes=kv_bytes_of("vllm", model, chip, experts),
        chunk=chunk or 0,
        engine="vllm",
        release="vllm",
    )
    cells.assumed.append("kv_bytes")
    return replace(found, assumed=tuple(dict.fromkeys(cells.assumed)))
