"""Search of training layouts: configurations a second, with memory mask and breakdown by part, beside
Calculon.

Run `python benchmarks/training_search.py`. Calculon is quoted, not run: PyPI's package of that name is
another thing. Its exhaustive search of GPT-3 175B went at 377-485 configurations/s a core on a machine of
this kind in 2026, 39-50 minutes for 1.1 M configurations on one.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from gigawright.workloads.training.calibration import calibration
from gigawright.workloads.training.candidates import QUICK, Space
from gigawright.workloads.training.effects import levels
from gigawright.workloads.training.examples import example_run, llama_run
from gigawright.workloads.training.run import Layout, Run
from gigawright.workloads.training.search import evaluate

REPEATS = 5
CALCULON = (377, 485)
"""Configurations a second a core, as measured by others in 2026 on this kind of machine."""


def timed(name: str, run: Run, space: Space) -> None:
    """Prints the median time of a search and its pace."""
    known = calibration()
    multipliers = known.effects.multipliers([levels(run)])[0]
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        found = evaluate(run, space, known.constants, multipliers)
        place = int(found.best(1)[0])
        seconds.append(time.perf_counter() - start)
    middle, count = statistics.median(seconds), len(found.seconds)
    print(
        f"{name:44s}{count:12,d}{int(found.fits.sum()):12,d}{middle:9.2f} s{count / middle / 1e6:9.2f} M/s"
        f"{count / middle / CALCULON[1]:10,.0f}-{count / middle / CALCULON[0]:,.0f}x"
    )
    best = found.layout(place)
    sizes = f"tensor {best.tensor}, pipeline {best.pipeline}, data {best.data}"
    print(f"    best: step {found.seconds[place]:.2f} s, {sizes}")


def cold_start() -> None:
    """Prints the time of a whole process that searches once, Python's own start included."""
    code = "from gigawright.workloads.training.predictor import predict_run as p\n"
    code += (
        "from gigawright.workloads.training.examples import llama_run as r; print(p(r(layout=None)).step_s)"
    )
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    print(f"first answer of a fresh process: {statistics.median(seconds):.2f} s (median of {REPEATS})")


def main() -> None:
    heads = f"{'candidates':>12s}{'fit':>12s}{'time':>11s}{'pace':>13s}{'over Calculon, a core':>24s}"
    print(f"{'search':44s}{heads}")
    gpt = example_run("gpt3-175b", "nv_a100_80", 4096, 2048, 7680, Layout())
    timed("GPT-3 175B, 4,096 A100, every configuration", gpt, Space(max_micro_batch=1 << 20))
    timed("Llama 3.1 405B, 16,384 H100, exhaustive", llama_run(), Space())
    timed("Llama 3.1 405B, 16,384 H100, usual switches", llama_run(), QUICK)
    deepseek = example_run("deepseek-v3", "nv_h800", 2048, 4096, 15360, Layout())
    timed("DeepSeek-V3, 2,048 H800, exhaustive", deepseek, Space())
    cold_start()


if __name__ == "__main__":
    main()
