"""A slow reference of a batch: plain numbers in plain loops, for tables that fit one accelerator."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gigawright.workloads.recommender.constants import cache_bytes
from gigawright.workloads.recommender.service import Ask
from gigawright.workloads.training.calibration import calibration
from gigawright.workloads.training.machine import machine_row

BYTES = {"int8": 1.0, "fp8": 1.0, "bf16": 2.0}


def batch_seconds(ask: Ask, c: Mapping[str, float]) -> dict[str, float]:
    """Seconds by part of one batch, tables copied to each accelerator, uniform look-ups."""
    known = calibration().constants
    row = machine_row(ask.chip, ask.precision, age=ask.age_years)
    slow = 1 + known.immature * math.exp(-ask.age_years / known.maturing_years)
    told = {
        "products": slow * products(ask, c),
        "gather": slow * gather(ask, c, row["bandwidth"]),
        "element": slow * element(ask, c, row["bandwidth"]),
        "exchange": 0.0,
        "host": slow * ask.sizes.launches * c["launch_s"],
    }
    if ask.live:
        told["host"] += c["query_s"] * ask.requests
    copied = sum(lookups(ask)) * 4.0 / (0.85 * row["host"])
    told["host"] += max(0.0, copied - sum(told.values()))
    return told


def products(ask: Ask, c: Mapping[str, float]) -> float:
    known, p = calibration().constants, ask.sizes.products
    total = 0.0
    for at, part in enumerate(p.part):
        precision = "bf16" if part in ask.kept_16 else ask.precision
        row = machine_row(ask.chip, precision, age=ask.age_years)
        rate = row["peak"] * row["sustained"] * known.gemm * row["power"] ** known.power * c["dense"]
        rate *= c["integer"] if precision == "int8" else 1.0
        rate = min(rate, 0.97 * row["peak"]) * known.grouped ** (1 - 1 / p.parallel[at])
        m = p.per_candidate[at] * ask.pairs + p.per_request[at] * ask.requests
        n, k = p.n[at] * p.parallel[at], p.k[at]
        waves = math.ceil(m / 128) * math.ceil(n / 128) / row["cores"]
        tail = 1 + known.gemm_waves * min(math.ceil(waves) / waves - 1, 3.0)
        fill = known.tile_s * rate / row["cores"] / (2 * 128 * 128)
        work = 2 * m * n * k * tail * (1 + fill / k) / rate
        moved = BYTES[precision] * (m * k + k * n + m * n) / row["bandwidth"]
        total += (max(work, moved) + known.gemm_start_s) * p.times[at]
    return float(total)


def lookups(ask: Ask) -> list[float]:
    tables = ask.sizes.tables
    pairs = zip(tables.per_candidate, tables.per_request, strict=True)
    return [float(each * ask.pairs + once * ask.requests) for each, once in pairs]


def gather(ask: Ask, c: Mapping[str, float], bandwidth: float) -> float:
    tables, size = ask.sizes.tables, BYTES[ask.precision]
    free, moved = cache_bytes(ask.chip.name), 0.0
    order = sorted(range(len(tables.rows)), key=lambda at: -lookups(ask)[at] / tables.rows[at])
    for at in order:
        row, needed = tables.width[at] * size, tables.rows[at] * tables.width[at] * size
        kept = min(1.0, free / needed)
        free -= kept * needed
        many = lookups(ask)[at]
        moved += many * kept * row / 2.5
        moved += many * (1 - kept) * math.ceil(row / 32) * 32 * (1 + 64 / row)
    return float(moved / (c["gather"] * bandwidth))


def element(ask: Ask, c: Mapping[str, float], bandwidth: float) -> float:
    moved, sizes = 0.0, ask.sizes
    for at, part in enumerate(sizes.moved.part):
        values = sizes.moved.per_candidate[at] * ask.pairs + sizes.moved.per_request[at] * ask.requests
        moved += values * BYTES["bf16" if part in ask.kept_16 else ask.precision]
    if BYTES[ask.precision] < 2:
        for part in ask.kept_16:
            width = sizes.products.k[sizes.products.part.index(part)]
            moved += 2 * width * ask.pairs * (BYTES[ask.precision] + 2)
    return float(moved / (c["element"] * bandwidth))
