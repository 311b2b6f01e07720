"""Search of serving configurations: configurations a second and the time of a whole answer, beside
aiconfigurator.

Run `python benchmarks/serving_search.py`. aiconfigurator 0.12 is quoted, not run: its search for Llama 70B on
32 H100 took 19 to 30 s on 2 cores of a machine of this kind in 2026.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from gigawright.catalogue.own import book_with
from gigawright.workloads.serving.ask import ask
from gigawright.workloads.serving.explore import explore
from gigawright.workloads.serving.predictor import calibration

REPEATS = 5
AICONFIGURATOR_S = (19.0, 30.0)
"""Seconds of a search for Llama 70B on 32 H100, as measured in 2026 on 2 cores of this kind of machine."""

QUESTIONS: Mapping[str, Mapping[str, Any]] = {
    "Llama 3.1 70B on 32 H100": {
        "model": "llama-3.1-70b",
        "system": "dgx_h100",
        "gpus": "32",
        "precision": "fp8",
        "ttft_ms": 2000,
        "tpot_ms": 30,
    },
    "Llama 3.1 70B on 32 H100, every format": {
        "model": "llama-3.1-70b",
        "system": "dgx_h100",
        "gpus": "32",
        "precision": "all",
        "ttft_ms": 2000,
        "tpot_ms": 30,
    },
    "DeepSeek-R1 on H20, up to 144 a worker": {
        "model": "deepseek-r1",
        "system": "hgx_h20_8",
        "ttft_ms": 2000,
        "tpot_ms": 30,
    },
    "DeepSeek-R1 on GB200 NVL72, every format": {
        "model": "deepseek-r1",
        "system": "gb200_nvl72",
        "precision": "all",
        "ttft_ms": 2000,
        "tpot_ms": 30,
    },
}

WHOLE = """
import json, sys, time
start = time.perf_counter()
from gigawright.catalogue.own import book_with
from gigawright.workloads.serving.ask import ask
from gigawright.workloads.serving.explore import explore
from gigawright.workloads.serving.predictor import calibration
known, book = calibration(), book_with([])
loaded = time.perf_counter()
known.hierarchy.mean
solved = time.perf_counter()
found = explore(ask(book, known, **json.loads(sys.argv[1])), known)
print(json.dumps([loaded - start, solved - loaded, time.perf_counter() - solved]))
"""
"""A process that answers one question: seconds to load, to solve the levels of the calibration, to search."""


def timed(name: str, question: Mapping[str, Any]) -> None:
    """Prints the median time of a search in a running process, its pace, and what it finds."""
    known, book = calibration(), book_with([])
    asked = ask(book, known, **question)
    explore(asked, known)
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        found = explore(asked, known)
        seconds.append(time.perf_counter() - start)
    middle = statistics.median(seconds)
    print(
        f"{name:42s}{found.configurations:10,d}{len(found.points):7,d}{middle:9.3f} s"
        f"{found.configurations / middle / 1e3:10,.0f} k/s"
    )


def cold(name: str, question: Mapping[str, Any]) -> None:
    """Prints the times of whole processes that answer once: Python's start, loading, the search."""
    rows = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        told = subprocess.run(
            [sys.executable, "-c", WHOLE, json.dumps(question)], check=True, capture_output=True, text=True
        )
        rows.append((time.perf_counter() - start, *json.loads(told.stdout)))
    whole, loading, solving, searching = (statistics.median(column) for column in zip(*rows, strict=True))
    print(
        f"{name:42s} {whole:.2f} s: imports, catalogue and calibration {loading:.2f} s, its levels "
        f"{solving:.2f} s, search {searching:.2f} s"
    )
    if name.startswith("Llama 3.1 70B on 32 H100") and not name.endswith("format"):
        low, high = (seconds / whole for seconds in AICONFIGURATOR_S)
        print(
            f"    aiconfigurator 0.12, the same model and accelerators: {AICONFIGURATOR_S[0]:.0f} to "
            f"{AICONFIGURATOR_S[1]:.0f} s (quoted), {low:,.0f} to {high:,.0f} times as long"
        )


def main() -> None:
    whole = {name: {"isl": "4000", "osl": "1000", **question} for name, question in QUESTIONS.items()}
    print(f"{'search in a running process':42s}{'tried':>10s}{'front':>7s}{'time':>11s}{'pace':>14s}")
    for name, question in whole.items():
        timed(name, question)
    print("\nfirst answer of a fresh process (medians)")
    for name, question in whole.items():
        cold(name, question)


if __name__ == "__main__":
    main()
