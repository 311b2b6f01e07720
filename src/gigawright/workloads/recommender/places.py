"""Which look-ups device memory, host memory, flash and parameter servers answer, and over how many shards."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Floats
from gigawright.units import GIBIBYTE
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender.constants import HOST_MEMORY, MEMORY_USED, SSD_BYTES
from gigawright.workloads.recommender.placement import Filled, Sharding, Shards, alone, fill, shard
from gigawright.workloads.recommender.service import Ask
from gigawright.workloads.recommender.sizes import Tables

MOST_SHARDS = 8192
"""Accelerators that tables are split over at most; assumption: as the largest training runs."""

SHARDINGS: tuple[Sharding, ...] = ("tables", "columns", "rows", "mixed")


@dataclass(frozen=True)
class Place:
    """Look-ups of one accelerator's batch by who answers them [tables], and the shards of device memory."""

    name: str
    shards: Shards
    device: Floats
    host: Floats
    flash: Floats
    remote: Floats


def places(ask: Ask) -> list[Place]:
    """All ways to hold the tables: a copy on each accelerator, shards, or a hot-row cache before host and
    flash.

    Raises Unpredictable where nothing holds them.
    """
    tables = ask.sizes.tables
    lookups = tables.lookups(ask.pairs, ask.requests)
    nothing, one = np.zeros(len(lookups)), alone(tables)
    if ask.sizes.remote:
        return [Place("parameter servers", one, nothing, nothing, nothing, lookups)]
    store, needed = device_store(ask), tables.values * ask.value_bytes()
    if needed <= store:
        return [Place("a copy each", one, lookups, nothing, nothing, nothing)]
    found = [*_sharded(ask, lookups, store, needed), *_cached(ask, lookups, store)]
    if not found:
        raise Unpredictable(
            f"not feasible: tables of {needed / 1e9:,.0f} GB need {math.ceil(needed / store)} accelerators "
            f"and a network, or more host memory and flash"
        )
    return found


def device_store(ask: Ask) -> float:
    """Bytes of device memory for embedding rows, beside dense weights. Raises Unpredictable where none are
    left, or the memory is unknown."""
    if not ask.chip.memory_gb:
        raise Unpredictable(f"not predictable: missing memory size of {ask.chip.name}")
    usable = ask.chip.memory_gb * GIBIBYTE * MEMORY_USED - ask.sizes.dense_params * ask.value_bytes()
    if usable <= 0:
        raise Unpredictable(f"not feasible: the dense model does not fit {ask.chip.name}")
    return usable


def _sharded(ask: Ask, lookups: Floats, store: float, needed: float) -> Iterator[Place]:
    """Shards over as many accelerators as hold the tables, within the domain or over a known network."""
    nothing, tables = np.zeros(len(lookups)), ask.sizes.tables
    domain = ask.chip.scaleup_domain if ask.chip.scaleup_gbs else 1
    groups = {math.ceil(needed / store), ask.accelerators}
    for by in SHARDINGS:
        for group in sorted(group for group in groups if 1 < group <= MOST_SHARDS):
            split = shard(tables, lookups, group, by, ask.pairs)
            fits = needed / group * split.fullest <= store
            if fits and (group <= domain or ask.chip.nic_gbps):
                yield Place(f"shards by {by}", split, lookups, nothing, nothing, nothing)


def _cached(ask: Ask, lookups: Floats, store: float) -> Iterator[Place]:
    """A hot-row cache in device memory, the rest in host memory and flash."""
    tables, width = ask.sizes.tables, ask.value_bytes()
    device = fill(tables, lookups, width, store)
    host = _next(tables, lookups, width, store + HOST_MEMORY, device)
    flash = lookups - device.answered - host
    held = store + HOST_MEMORY + (SSD_BYTES if flash.any() else 0.0)
    if tables.values * width <= held:
        nothing = np.zeros(len(lookups))
        yield Place(
            "hot rows, then host", alone(tables), device.answered, host, np.maximum(0.0, flash), nothing
        )


def _next(tables: Tables, lookups: Floats, width: float, store: float, first: Filled) -> Floats:
    """Look-ups that a second store answers behind the first [tables]."""
    return np.asarray(np.maximum(0.0, fill(tables, lookups, width, store).answered - first.answered))
