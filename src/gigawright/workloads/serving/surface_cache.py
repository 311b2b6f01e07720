"""Response surfaces on disk and in memory: each made once, under a name that tells everything it rests on.

A file is named by the hash of its configuration (the pace of a replica to the last bit, lengths, loads, bank)
and of the code that makes surfaces. A file that cannot be read, or that holds anything else than its name and
its own checksum say, is made anew.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from gigawright.errors import OutputError
from gigawright.tables import cache_folder, write_json
from gigawright.workloads import requests
from gigawright.workloads.serving.surface import PERCENTILES, SpotCheck, Surface
from gigawright.workloads.serving.surface_build import Configuration, built

COLUMNS = ("loads", "requests_per_s", "in_flight", "busy")
NUMBERS = ("replicas", "requests", "full_per_s", "fixed_s")

MOST_THREADS = 4
"""Surfaces that are made side by side at most; each is the same however many there are."""

TOLD_EVERY = 16
"""Surfaces between two tellings of progress."""

_MADE: dict[str, Surface] = {}

Told = Callable[[str], None]


def surfaces_of(asked: Sequence[Configuration], told: Told = lambda text: None) -> list[Surface]:
    """The surfaces of configurations: from memory, from disk, or simulated, which is told."""
    keys = [key_of(one) for one in asked]
    wanted = dict(zip(keys, asked, strict=True))
    for key in wanted:
        if key not in _MADE and (kept := _read(key)) is not None:
            _MADE[key] = kept
    if missing := {key: one for key, one in wanted.items() if key not in _MADE}:
        _make(missing, told)
    return [_MADE[key] for key in keys]


def surface_of(asked: Configuration, told: Told = lambda text: None) -> Surface:
    """The surface of one configuration."""
    return surfaces_of([asked], told)[0]


def _make(missing: Mapping[str, Configuration], told: Told) -> None:
    """Simulate surfaces, some side by side, and keep each as it is done."""
    from gigawright.workloads.requests.run import prepare

    prepare(told)
    count = len(missing)
    told(f"simulating requests for {count} response surfaces, kept in {cache_folder()}")
    workers = max(1, min(MOST_THREADS, os.cpu_count() or 1, count))
    pool = ThreadPoolExecutor(workers)
    try:
        for place, (key, found) in enumerate(zip(missing, pool.map(built, missing.values()), strict=True)):
            if place and place % TOLD_EVERY == 0:
                told(f"simulated {place} of {count} response surfaces")
            _MADE[key] = found
            # A cache that cannot be written costs time at the next run, nothing else.
            with suppress(OutputError):
                write_json(_path(key), _written(key, found))
    finally:
        pool.shutdown(cancel_futures=True)


def key_of(asked: Configuration) -> str:
    """The name of a configuration's surface: a hash of it, and of the code that simulates it."""
    digest = hashlib.sha256(_code().encode())
    for each in fields(asked):
        if each.name != "pace":
            digest.update(f"{each.name}={getattr(asked, each.name)!r}\n".encode())
    digest.update(f"{asked.replicas} {asked.requests}\n".encode())
    for each in fields(asked.pace):
        value = getattr(asked.pace, each.name)
        told = value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
        digest.update(each.name.encode() + b"=" + told + b"\n")
    return digest.hexdigest()[:32]


@lru_cache(maxsize=1)
def _code() -> str:
    """A hash of the sources that a surface depends on, and of the version of the random numbers."""
    here, simulator = Path(__file__).parent, Path(requests.__file__).parent
    digest = hashlib.sha256(np.__version__.encode())
    for path in (here / "spread.py", *sorted(here.glob("surface*.py")), *sorted(simulator.rglob("*.py"))):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _path(key: str) -> Path:
    return cache_folder() / "surfaces" / f"{key}.json"


def _written(key: str, found: Surface) -> dict[str, Any]:
    content = {
        "felt": found.felt,
        **{name: getattr(found, name).tolist() for name in COLUMNS},
        **{name: getattr(found, name) for name in NUMBERS},
        "seconds": {str(each): _finite(found.seconds[each].tolist()) for each in PERCENTILES},
        "checks": [
            asdict(check)
            | {
                "told": {str(each): _finite([value])[0] for each, value in check.told.items()},
                "simulated": {str(each): _finite([value])[0] for each, value in check.simulated.items()},
            }
            for check in found.checks
        ],
    }
    return {"key": key, "checksum": _checksum(content), "surface": content}


def _finite(values: Sequence[float]) -> list[float | None]:
    """Seconds as JSON has them, which knows no infinity."""
    return [value if math.isfinite(value) else None for value in values]


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read(key: str) -> Surface | None:
    """A kept surface; None where there is none, or where its file is not what it should be."""
    try:
        kept = json.loads(_path(key).read_text("utf-8"))
        content = kept["surface"]
        if kept["key"] != key or kept["checksum"] != _checksum(content):
            return None
        return _surface(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _surface(content: Mapping[str, Any]) -> Surface:
    """A surface from a file's content; ValueError where it cannot be one."""
    arrays: dict[str, Any] = {name: np.array(content[name], float) for name in COLUMNS}
    seconds = _by_percentile(content["seconds"], lambda values: np.array(_seconds(values)))
    if len({one.shape for one in (*arrays.values(), *seconds.values())}) != 1:
        raise ValueError("columns differ in length")
    if not (np.diff(arrays["loads"]) > 0).all():
        raise ValueError("loads do not rise")
    checks = tuple(
        SpotCheck(
            float(one["load"]),
            int(one["seed"]),
            _by_percentile(one["told"], lambda value: _seconds([value])[0]),
            _by_percentile(one["simulated"], lambda value: _seconds([value])[0]),
        )
        for one in content["checks"]
    )
    numbers: dict[str, Any] = {name: content[name] for name in NUMBERS}
    return Surface(felt=content["felt"], seconds=seconds, checks=checks, **arrays, **numbers)


def _by_percentile(content: Mapping[str, Any], value: Callable[[Any], Any]) -> dict[int, Any]:
    return {each: value(content[str(each)]) for each in PERCENTILES}


def _seconds(values: Sequence[float | None]) -> list[float]:
    return [math.inf if value is None else float(value) for value in values]
