"""Seconds of a batch by part: products, gathers, vectors combined, exchange between shards, host.

    t = t_products + t_gather + t_element + t_exchange + t_host

A batch's operators run one after the other; copies from the host run beside them and count only where they
take longer. Products are those of training (`operators.product`): the longer of computing, with the waves and
depth of their tiles, and moving operands. A gathered row of b bytes costs whole sectors of memory at the
share b / (b + b_half) of what long rows reach.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender.constants import (
    CACHE_SPEED,
    HALF_ROW,
    HOST_ROWS,
    HOST_STREAM,
    INDEX_BYTES,
    LINK_HALF_BYTES,
    SECTOR,
    SSD_ROWS_PER_S,
    Constants,
    cache_bytes,
)
from gigawright.workloads.recommender.placement import fill
from gigawright.workloads.recommender.places import Place
from gigawright.workloads.recommender.service import Ask, precision_named
from gigawright.workloads.training.calibration import calibration
from gigawright.workloads.training.machine import Machines, machine_row, used_precision
from gigawright.workloads.training.operators import gemm_rate, immaturity, product

MOST_OF_PEAK = 0.97
"""No product reaches more of the data sheet: the best measured part, Gaudi 2 (`machine.SUSTAINED`)."""

POOLED_BYTES = 2.0
"""Bytes of a pooled value that travels between shards at least (fp16)."""

PARTS = ("products", "gather", "element", "exchange", "host")
"""Parts of a batch's time, which levels of the hierarchy multiply."""


@dataclass(frozen=True)
class Format:
    """A chip at one precision as arrays of one element, the bytes of a value, and whether it is whole."""

    machine: Machines
    bytes: float
    integer: bool


@dataclass(frozen=True)
class Prepared:
    """A batch that is ready to be timed with any constants; look-ups and bytes are of one accelerator.

    `hits` and `misses` are bytes of rows from cache and memory at full speed of long rows; `sent` leaves for
    other shards, `copied` [s] is what the host moves meanwhile; `formats` by product and by operator.
    """

    ask: Ask
    place: Place
    formats: tuple[Format, ...]
    product_format: tuple[int, ...]
    rows: Floats
    hits: float
    misses: float
    moved: float
    sent: float
    copied_s: float
    launches: float


def formats(ask: Ask) -> tuple[Format, Format]:
    """The chip at the precision asked, and at 16 bits. Raises Unpredictable where a rate is missing."""
    name = precision_named(ask.precision)
    return _format(ask, name), _format(ask, "bf16")


def _format(ask: Ask, precision: str) -> Format:
    wide = precision == "tf32"
    row = machine_row(ask.chip, "bf16" if wide else precision, age=ask.age_years)
    row["peak"] *= 0.5 if wide else 1.0
    arrays: dict[str, Floats] = {name: np.array([value]) for name, value in row.items()}
    integer = used_precision(ask.chip, precision) == "int8"
    machine = Machines(**arrays, covered=np.zeros(1), measured=None)
    return Format(machine, 4.0 if wide else row["bytes"], integer)


def prepare(ask: Ask, place: Place) -> Prepared:
    """What does not depend on constants. Raises Unpredictable where the chip lacks a rate."""
    both, sizes = formats(ask), ask.sizes
    kept = [int(part in ask.kept_16) for part in sizes.products.part]
    p = sizes.products
    hits, misses = _rows(ask, place)
    moved = sizes.moved.per_candidate * ask.pairs + sizes.moved.per_request * ask.requests
    widths = [both[int(part in ask.kept_16)].bytes for part in sizes.moved.part]
    values = float((moved * np.array(widths)).sum()) if len(moved) else 0.0
    return Prepared(
        ask=ask,
        place=place,
        formats=both,
        product_format=tuple(kept),
        rows=p.per_candidate * ask.pairs + p.per_request * ask.requests,
        hits=hits,
        misses=misses,
        moved=values + _casts(ask, both),
        sent=_sent(ask, place),
        copied_s=_copied_s(ask, place, both[0].machine),
        launches=sizes.launches,
    )


def _casts(ask: Ask, both: tuple[Format, Format]) -> float:
    """Bytes read and written to widen the input of a part at 16 bits, and to narrow its output again."""
    p = ask.sizes.products
    first = [p.part.index(part) for part in ask.kept_16 if part in p.part]
    if both[0].bytes == both[1].bytes:
        return 0.0
    values = p.k[first] * (p.per_candidate[first] * ask.pairs + p.per_request[first] * ask.requests)
    return 2 * float(values.sum()) * (both[0].bytes + both[1].bytes)


def _rows(ask: Ask, place: Place) -> tuple[float, float]:
    """Bytes of rows that cache and device memory answer, as long rows would take."""
    tables, width = ask.sizes.tables, ask.value_bytes()
    slices, spread = place.shards.slices, np.where(place.shards.copied > 0, 1.0, place.shards.busiest)
    cut = replace(tables, width=tables.width / slices)
    cached = fill(cut, place.device * spread * slices, width, cache_bytes(ask.chip.name))
    row = cut.width * width
    return float((cached.answered * row).sum()), float((cached.left * row_bytes(row)).sum())


def row_bytes(row: Floats) -> Floats:
    """What rows of `row` bytes cost a memory, in bytes of long rows: whole sectors, and what opening a page
    costs.

    >>> row_bytes(np.array([16.0, 128.0, 512.0]))
    array([160., 192., 576.])
    """
    return np.asarray(np.ceil(row / SECTOR) * SECTOR * (1 + HALF_ROW / np.maximum(row, 1.0)))


def _sent(ask: Ask, place: Place) -> float:
    """Bytes of pooled vectors that leave for other shards and arrive from them."""
    if place.shards.group <= 1:
        return 0.0
    tables, group = ask.sizes.tables, place.shards.group
    lookups = tables.lookups(ask.pairs, ask.requests)
    pooled = np.minimum(lookups, np.where(tables.per_candidate > 0, ask.pairs, ask.requests))
    # Each cut by rows sends a partial sum of a pooled vector, at most one a look-up.
    partial = np.minimum(lookups, pooled * place.shards.cuts) * (1 - place.shards.copied)
    width = min(4.0, max(POOLED_BYTES, ask.value_bytes()))
    return float((partial * tables.width).sum()) * width * (group - 1) / group


def _copied_s(ask: Ask, place: Place, machine: Machines) -> float:
    """Seconds that the host link and the network are busy with a batch: indices, host rows, remote rows."""
    tables, host, nic = ask.sizes.tables, float(machine.host[0]), float(machine.nic[0])
    row = tables.width * ask.value_bytes()
    indices = float(tables.lookups(ask.pairs, ask.requests).sum()) * INDEX_BYTES
    near = indices / (HOST_STREAM * host) + float((place.host * row).sum()) / (HOST_ROWS * host)
    flash = float(place.flash.sum()) / SSD_ROWS_PER_S
    return near + flash + float((place.remote * row).sum()) / (calibration().constants.nic * nic)


def seconds(ready: Prepared, c: Constants) -> Floats:
    """Seconds of one batch by `PARTS`, and of a query beside it where they come one by one [parts]."""
    slow = float(immaturity(ready.formats[0].machine, calibration().constants)[0])
    bandwidth = float(ready.formats[0].machine.bandwidth[0])
    busy = np.array(
        [
            slow * _products_s(ready, c),
            slow * (ready.misses + ready.hits / CACHE_SPEED) / (c["gather"] * bandwidth),
            slow * ready.moved / (c["element"] * bandwidth),
            _exchange_s(ready),
            slow * ready.launches * c["launch_s"],
        ]
    )
    if ready.ask.live:
        busy[-1] += c["query_s"] * ready.ask.requests
    busy[-1] += max(0.0, ready.copied_s - float(busy.sum()))
    return busy


def _products_s(ready: Prepared, c: Constants) -> float:
    """Products by shape, each at its precision, and attention at what training's kernels reach."""
    p, known = ready.ask.sizes.products, calibration().constants
    total = 0.0
    for place, form in enumerate(ready.formats):
        own = np.array(ready.product_format) == place
        if not own.any():
            continue
        one, m = np.ones(int(own.sum())), form.machine
        each = product(
            ready.rows[own],
            p.n[own] * p.parallel[own],
            p.k[own],
            _rates(form, p.parallel[own], c),
            m.bandwidth * one,
            m.cores * one,
            form.bytes,
            known,
        )
        total += float((each * p.times[own]).sum())
    flops = ready.ask.sizes.attention_flops(ready.ask.pairs, ready.ask.requests)
    attention = flops / (float(ready.formats[1].machine.peak_16[0]) * known.attention)
    return total + attention


def _rates(form: Format, parallel: Floats, c: Constants) -> Floats:
    """Flop/s of large products [products]: what training's reach, less where several share a launch, more
    for integers, and never above `MOST_OF_PEAK`."""
    known = calibration().constants
    best = gemm_rate(form.machine, known) * c["dense"] * (c["integer"] if form.integer else 1.0)
    together = known.grouped ** (1 - 1 / parallel)
    return np.asarray(np.minimum(best, MOST_OF_PEAK * form.machine.peak) * together)


def _exchange_s(ready: Prepared) -> float:
    """An all-to-all of pooled vectors: inside the scale-up domain, and over the network beyond it."""
    group, known = ready.place.shards.group, calibration().constants
    if group <= 1:
        return 0.0
    m = ready.formats[0].machine
    domain = max(1.0, float(m.domain[0]))
    away = max(0.0, 1 - (min(domain, group) - 1) / (group - 1)) if group > domain else 0.0
    if away and not float(m.nic[0]):
        raise Unpredictable(f"not feasible: shards over {group} accelerators need a network")
    near = ((1 - away) * ready.sent + LINK_HALF_BYTES) / (known.link * float(m.scale_up[0]))
    far = away * ready.sent / (known.nic * float(m.nic[0])) if away else 0.0
    return known.hop_s + known.node_hop_s * math.log2(max(1.0, group / domain)) + max(near, far)
