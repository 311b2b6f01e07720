"""How long the fast dispatch takes: a site-year, many of them, and sizing the common problem to its optimum.

    python benchmarks/dispatch_speed.py three_sites.csv [--repeats 3]

`three_sites.csv` is the common problem's file of profiles. Compiling is timed apart (the first call of a
fresh install; the machine code is kept on disk). CPU time counts all threads; memory is the high-water mark
of the resident set, imports included.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from gigawright.facility.dispatch.case import EnergyCase
from gigawright.facility.dispatch.common_problem import OPTIMUM_USD, three_sites
from gigawright.facility.dispatch.exact import size_exact
from gigawright.facility.dispatch.oracle import SitePeriod, dispatch_all

SIZES = np.array([130.0, 100.0, 50.0, 50.0, 10.0, 10.0, 40.0])
SCENARIOS = 60
GAPS = (1e-4, 1e-8, 1e-11)
T = TypeVar("T")


def timed(work: Callable[[], T], repeats: int) -> tuple[T, float, float]:
    """The last result, and the median wall and CPU time [s]."""
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        done = work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return done, statistics.median(walls), statistics.median(cpus)


def dispatches(case: EnergyCase, repeats: int) -> None:
    print(f"{'site-year of 8,760 h at fixed sizes':<44}{'ms':>10}{'gap':>12}")
    for site in case.sites:
        period = SitePeriod(site, 0)
        done, wall, _ = timed(lambda period=period: period.dispatch_at(SIZES), 7 * repeats)
        print(f"  {site.site:<42}{1e3 * wall:>10.2f}{abs(done.gap):>12.0e}")
    rng = np.random.default_rng(1)
    site = case.sites[0]
    load = site.load_mw if site.load_mw is not None else np.zeros(site.time.shape)
    years = [
        SitePeriod(replace(site, load_mw=load * rng.uniform(0.8, 1.0, load.shape)), 0)
        for _ in range(SCENARIOS)
    ]
    for threads in (1, 2):
        _, wall, _ = timed(lambda t=threads: dispatch_all(years, [SIZES] * SCENARIOS, t), repeats)
        print(f"  {SCENARIOS} years of other load, {threads} threads: {SCENARIOS / wall:,.0f} site-years/s")


def sizings(path: Path, repeats: int) -> None:
    print(f"\n{'three sites sized, 7 capacities each':<28}{'rounds':>7}{'wall s':>8}{'CPU s':>8}", end="")
    print(f"{'proven gap':>12}{'USD':>20}{'above stated':>14}")
    for hours, optimum in OPTIMUM_USD.items():
        case = three_sites(path, hours)
        for gap in GAPS:
            found, wall, cpu = timed(lambda case=case, gap=gap: size_exact(case, gap), repeats)
            print(
                f"  {hours:>5} h to {gap:<16.0e}{found.rounds:>7}{wall:>8.2f}{cpu:>8.2f}{found.gap:>12.1e}",
                end="",
            )
            print(f"{found.cost_usd:>20,.4f}{found.cost_usd / optimum - 1.0:>14.1e}")
    case = three_sites(path)
    for share in (0.5, 0.2):
        tight = replace(case, carbon_cap_t=share * case.carbon_cap_t)
        found, wall, cpu = timed(lambda case=tight: size_exact(case, 1e-4), repeats)
        print(f"  cap x {share:<18}{found.rounds:>7}{wall:>8.2f}{cpu:>8.2f}{found.gap:>12.1e}", end="")
        print(f"{found.cost_usd:>20,.4f}   {found.carbon_usd_t:.1f} USD/t")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profiles", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    _, wall, _ = timed(lambda: size_exact(three_sites(asked.profiles, 24), 0.1), 1)
    print(f"first call, compiling where nothing is kept yet: {wall:.1f} s\n")
    dispatches(three_sites(asked.profiles), asked.repeats)
    sizings(asked.profiles, asked.repeats)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0:,.0f} MiB")


if __name__ == "__main__":
    main()
