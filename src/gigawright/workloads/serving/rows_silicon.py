"""Rows of configurations of engines, in the columns of NVIDIA's aiconfigurator, as services."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from gigawright.workloads.cells import Cells
from gigawright.workloads.serving import rows_spread
from gigawright.workloads.serving.rows_look import Looked, formats_in, length_in
from gigawright.workloads.serving.rows_recipes import (
    DRAFT_DAYS,
    Recipe,
    accepted_of,
    drafted_on,
    of_total,
    of_widths,
    recipes_for,
)
from gigawright.workloads.serving.rows_spread import INFERENCEX, Origin, Spread
from gigawright.workloads.serving.rows_words import (
    BYTES,
    age_at,
    kv_bytes_of,
)
from gigawright.workloads.serving.service import Layout, Service

NEEDED = ("model_path", "system", "isl", "osl", "concurrency")
"""Columns a file must have."""

REPEATED = "qwen3.5-397b-gap-analysis"
"""A comparison that repeats rows of InferenceX."""

OPTIONAL = (
    *("silicon_data_source", "backend", "backend_version", "precision", "mode"),
    *("gemm_quant_mode", "moe_quant_mode", "kvcache_quant_mode", *rows_spread.COLUMNS),
    *("images", "image_tokens"),
)
"""Columns that count as blank where a file lacks them. `isl` counts the tokens of images too."""

MOST_PICTURES = 10_000
"""Images of a request at most."""


def service(cells: Cells, looked: Looked) -> Service | None:
    """The service that a row describes; None where problems were noted."""
    text = cells.text
    model = looked.model(cells, "model_path", text["model_path"])
    chip = looked.chip(cells, "system", text["system"])
    asked, answered = length_in(cells, "isl"), length_in(cells, "osl")
    mode, engine = text["mode"].lower() or "agg", text["backend"].lower()
    if mode not in ("agg", "disagg"):
        cells.problems.append(f"mode is {text['mode']!r}, must be agg or disagg")
    dense, experts, cache = formats_in(cells, "model_path")
    if model is None or chip is None:
        return None
    origin = origin_of(text["silicon_data_source"])
    if mode == "disagg":
        spread = rows_spread.disaggregated(cells, origin, model, chip, engine)
    else:
        spread = rows_spread.aggregated(cells, origin, model)
    pictures, each = (
        cells.number("images", 0, MOST_PICTURES, whole=True),
        cells.number("image_tokens", 1, whole=True),
    )
    if pictures and each is None and not cells.problems:
        cells.problems.append("image_tokens is blank, must be tokens of an image where images are told")
    if spread is None or asked is None or answered is None or cells.problems:
        return None
    found = Service(model, chip, spread.layout, asked, answered, spread.concurrency, dense, experts)
    found = replace(found, pictures=int(pictures or 0), picture_tokens=int(each or 0))
    found = replace(found, engine=engine, release=_release(engine, text["backend_version"], origin))
    found = replace(found, site=origin.site, age_years=age_at(origin.year, chip, looked.book))
    found = _deployed(cells, _credible(cells, _spread(_cached(cells, found, cache), spread)), origin)
    if found.drafted:
        cells.assumed.append("accepted")
        found = replace(found, accepted=accepted_of(found.drafted))
    return replace(found, assumed=tuple(dict.fromkeys(cells.assumed)))


def _cached(cells: Cells, found: Service, cache: str) -> Service:
    """The service with the size of a cached value: as told, or as its engine is measured."""
    if cache:
        return replace(found, kv_bytes=BYTES[cache])
    cells.assumed.append("kv_bytes")
    return replace(found, kv_bytes=kv_bytes_of(found.engine, found.model, found.chip, found.expert_precision))


def _spread(found: Service, spread: Spread) -> Service:
    """The service with its workers."""
    return replace(
        found,
        prefill=spread.prefill,
        gpus=spread.gpus,
        disaggregated=spread.disaggregated,
        workers=spread.workers,
        prefill_workers=spread.prefill_workers,
    )


def _deployed(cells: Cells, found: Service, origin: Origin) -> Service:
    """The service with what InferenceX's earlier exports have lost: numbers of workers, and drafted tokens.

    Where several recipes fit, the first without drafts is taken, and what they differ in is assumed.
    """
    if not origin.lossy and origin.site != REPEATED:
        return found
    if not found.disaggregated:
        drafted = drafted_on(found, origin.day)
        if drafted is None:
            cells.assumed.append("drafted")
        return replace(found, drafted=drafted or 0)
    recipes = recipes_for(found, origin.day)
    if found.layout is not None and found.prefill is not None:
        recipes = of_widths(recipes, found.prefill, found.layout)
    else:
        recipes = of_total(recipes, found.gpus)
    if (found.engine, found.chip.id) == ("sglang", "nv_b200_sxm") and origin.day in DRAFT_DAYS:
        recipes = [one for one in recipes if one.drafted == DRAFT_DAYS[origin.day]] or recipes
    if not recipes:
        cells.assumed.append("drafted")
        return found
    return _by_recipe(cells, found, recipes)


def _by_recipe(cells: Cells, found: Service, recipes: Sequence[Recipe]) -> Service:
    """The service as one of `recipes` deploys it."""
    chosen = min(recipes, key=lambda recipe: recipe.drafted)
    open_still = {recipe.drafted != chosen.drafted for recipe in recipes}
    spreads = {(recipe.prefill, recipe.decode) for recipe in recipes}
    lost = {"layout", "data", "workers"}
    cells.assumed[:] = [name for name in cells.assumed if name not in lost]
    cells.assumed += ["workers"] * (len(spreads) > 1) + ["drafted"] * (True in open_still)
    return replace(
        found,
        layout=chosen.decode.layout,
        prefill=chosen.prefill.layout,
        workers=chosen.decode.count,
        prefill_workers=chosen.prefill.count,
        drafted=chosen.drafted,
    )


def origin_of(source: str) -> Origin:
    """Who measured a row and when, and the export that tells it; nothing else is read of its source.

    >>> origin_of("source_file=2026-04-06.csv; model=X; measured=2025-11-02T00:00:00.000Z; wip=False")
    Origin(site='InferenceX', export='2026-04-06', day='2025-11-02')
    """
    file = re.search(r"source_file=([^;]*)|(db-dump/[^;]*)", source)
    name = (file[1] or file[2]).strip() if file else ""
    export = re.search(r"(?:^|/)(20\d\d-\d\d-\d\d)(?:\.csv)?$", name)
    date = re.search(r"measured=(\d{4}-\d\d-\d\d)", source)
    day = date[1] if date else ""
    if export:
        return Origin(INFERENCEX, export[1], day)
    return Origin(name.split("/")[0].removesuffix(".csv"), "", day)


def _release(engine: str, version: str, origin: Origin) -> str:
    """The level of a release: engine and version, or the month of the measurement where it is not told."""
    if not engine:
        return ""
    return f"{engine} {version or origin.day[:7]}".strip()


def _credible(cells: Cells, found: Service) -> Service:
    """The service without layouts that cannot hold the weights: they are placeholders, such as 1 for
    unknown."""
    model = found.model
    rest = (model.params - model.routed_params) * BYTES[found.precision]
    weights = rest + model.routed_params * BYTES[found.expert_precision]
    room = found.chip.memory_gb * 1e9

    def holds(layout: Layout | None) -> bool:
        return layout is None or weights / layout.accelerators <= room

    if holds(found.layout) and holds(found.prefill):
        return found
    cells.assumed.append("layout")
    return replace(found, layout=None, prefill=None, workers=0 if found.disaggregated else 1)
