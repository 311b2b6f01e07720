"""Our energy block beside PyPSA on the common problem: build, memory, optimum, exact full year, weeks.

    python benchmarks/energy_vs_pypsa.py three_sites.csv [--full] [--repeats 3] [--pypsa-seconds CPU WALL]

Each task runs in a process of its own; its CPU time counts all its threads and children, its memory is the
high-water mark of its resident set (VmHWM), which PyPSA's own imports are part of as they are of ours. The
PyPSA network is made as a user of PyPSA would make it, not by our exporter: generators with `p_max_pu`,
stores behind two links, a primary-energy limit. Its hand-off is the direct one (`to_highspy`), faster than
the file that `optimize` writes by default. `--full` also solves the full year: PyPSA with HiGHS' default
takes minutes; give its seconds with `--pypsa-seconds` where they were measured before on this machine.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gigawright.facility.dispatch import common_problem as problem

SHORT_HOURS = (744, 2184)
FULL_HOURS = problem.HOURS_YEAR
DIGITS = 1e-8
Measured = dict[str, float]


def peak_mib() -> float:
    """The high-water mark of this process' resident set so far [MiB]."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024.0


def cpu_s() -> float:
    """CPU time of this process, its threads and its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def timed(work: Callable[[], Any]) -> tuple[Any, Measured]:
    wall, cpu = time.perf_counter(), cpu_s()
    done = work()
    return done, {"wall_s": time.perf_counter() - wall, "cpu_s": cpu_s() - cpu, "peak_mib": peak_mib()}


def our_build(path: Path, hours: int) -> Measured:
    # Imported before the clock starts, as linopy imports it for PyPSA.
    import highspy  # noqa: F401

    from gigawright.facility.dispatch.solve import build_energy
    from gigawright.linear import Live

    case = problem.three_sites(path, hours)
    built, measured = timed(lambda: build_energy(case))
    _, handed = timed(lambda: Live(built.assembled))
    model = built.assembled.model
    both = {key: measured[key] + handed[key] for key in ("wall_s", "cpu_s")}
    return both | {"peak_mib": handed["peak_mib"], "rows": model.row_count, "columns": model.column_count}


def pypsa_network(path: Path, hours: int) -> Any:
    """The problem by hand, as PyPSA's own examples build such networks."""
    import pandas as pd
    import pypsa

    data = pd.read_csv(path).iloc[:hours]
    part = hours / FULL_HOURS
    network = pypsa.Network()
    network.set_snapshots(data.index)
    for name, tonnes in (
        ("solar", 0.0),
        ("wind", 0.0),
        ("gas", problem.GAS_T_MWH),
        ("grid", problem.GRID_T_MWH),
    ):
        network.add("Carrier", name, co2_emissions=tonnes)
    for site in [column.removesuffix("_pv_per_mw") for column in data if column.endswith("_pv_per_mw")]:
        add_site(network, site, data, part)
    network.add(
        "GlobalConstraint", "co2", type="primary_energy", carrier_attribute="co2_emissions", sense="<=",
        constant=problem.CAP_T_MWH * problem.LOAD_MW * hours * len(network.loads),
    )  # fmt: skip
    return network


def add_site(network: Any, site: str, data: Any, part: float) -> None:
    network.add("Bus", site)
    network.add("Bus", f"{site} battery")
    network.add("Load", f"{site} load", bus=site, p_set=problem.LOAD_MW)
    for name, usd_mw, series in (
        ("solar", problem.SOLAR_USD_MW, "pv_per_mw"),
        ("wind", problem.WIND_USD_MW, "wind_per_mw"),
    ):
        network.add(
            "Generator", f"{site} {name}", bus=site, carrier=name, p_nom_extendable=True,
            capital_cost=usd_mw * part, p_max_pu=data[f"{site}_{series}"],
        )  # fmt: skip
    network.add(
        "Generator", f"{site} gas", bus=site, carrier="gas", p_nom_extendable=True,
        p_nom_max=problem.GAS_MOST_MW, capital_cost=problem.GAS_USD_MW * part,
        marginal_cost=problem.GAS_USD_MWH,
    )  # fmt: skip
    network.add(
        "Generator", f"{site} grid", bus=site, carrier="grid", p_nom_extendable=True,
        p_nom_max=problem.GRID_MOST_MW, capital_cost=problem.GRID_USD_MW * part,
        marginal_cost=data[f"{site}_price_usd_per_mwh"],
    )  # fmt: skip
    network.add(
        "Store", f"{site} battery", bus=f"{site} battery", e_nom_extendable=True, e_cyclic=True,
        capital_cost=problem.BATTERY_USD_MWH * part,
    )  # fmt: skip
    efficiency = problem.BATTERY_EFFICIENCY
    network.add(
        "Link", f"{site} charge", bus0=site, bus1=f"{site} battery", p_nom_extendable=True,
        efficiency=efficiency, capital_cost=problem.BATTERY_USD_MW / 2.0 * part,
    )  # fmt: skip
    # A link is sized by its inlet; the problem counts discharging power at the bus.
    network.add(
        "Link", f"{site} discharge", bus0=f"{site} battery", bus1=site, p_nom_extendable=True,
        efficiency=efficiency, capital_cost=problem.BATTERY_USD_MW / 2.0 * part * efficiency,
    )  # fmt: skip


def pypsa_build(path: Path, hours: int) -> Measured:
    from linopy.io import to_highspy

    network = pypsa_network(path, hours)
    model, measured = timed(lambda: network.optimize.create_model(include_objective_constant=False))
    _, handed = timed(lambda: to_highspy(model))
    both = {key: measured[key] + handed[key] for key in ("wall_s", "cpu_s")}
    return both | {"peak_mib": handed["peak_mib"], "rows": int(model.ncons), "columns": int(model.nvars)}


def pypsa_solve(path: Path, hours: int) -> Measured:
    network = pypsa_network(path, hours)

    def solve() -> None:
        status, found = network.optimize(
            solver_name="highs", include_objective_constant=False, output_flag=False
        )
        if (status, found) != ("ok", "optimal"):
            raise RuntimeError(f"PyPSA ended with {status}, {found}")

    _, measured = timed(solve)
    return measured | {"usd": float(network.objective)}


def our_whole(path: Path, hours: int) -> Measured:
    """One lean linear problem over all sites."""
    from gigawright.facility.dispatch.solve import solve_energy

    case = problem.three_sites(path, hours)
    answer, measured = timed(lambda: solve_energy(case))
    return measured | {"usd": answer.cost_usd, "bound": answer.bound_usd}


def our_exact(path: Path, hours: int) -> Measured:
    """The kernel's exact sizing in two threads; what it compiles on first use is measured apart."""
    from gigawright.facility.dispatch.exact import size_exact

    case = problem.three_sites(path, hours)
    _, first = timed(lambda: size_exact(problem.three_sites(path, 48)))
    found, measured = timed(lambda: size_exact(case, gap=1e-4, processes=2))
    return measured | {"usd": found.cost_usd, "bound": found.bound_usd, "first_use_s": first["wall_s"]}


def our_digits(path: Path, hours: int) -> Measured:
    """The kernel's exact sizing to a proven gap of one in a thousand million."""
    from gigawright.facility.dispatch.exact import size_exact

    case = problem.three_sites(path, hours)
    found, measured = timed(lambda: size_exact(case, gap=1e-9, processes=2))
    return measured | {"usd": found.cost_usd, "bound": found.bound_usd}


def our_weeks(path: Path, hours: int) -> Measured:
    """Eight representative weeks a site, judged on the full year."""
    from gigawright.facility.dispatch.weeks import size_weeks

    case = problem.three_sites(path, hours)
    answer, measured = timed(lambda: size_weeks(case))
    return measured | {
        "usd": answer.cost_usd, "estimate": answer.estimate, "rounds": float(len(answer.rounds)),
    }  # fmt: skip


TASKS: dict[str, Callable[[Path, int], Measured]] = {
    "our build": our_build,
    "PyPSA build": pypsa_build,
    "our whole": our_whole,
    "our exact": our_exact,
    "our digits": our_digits,
    "our weeks": our_weeks,
    "PyPSA solve": pypsa_solve,
}


def measure(task: str, path: Path, hours: int, repeats: int = 1) -> Measured:
    """Medians over repeats, each in a process of its own."""
    found = []
    for _ in range(repeats):
        command = [sys.executable, __file__, str(path), "--task", task, "--hours", str(hours)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{task} over {hours} h failed:\n{done.stderr}")
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return {key: statistics.median(one[key] for one in found) for key in found[0]}


def tell_build(path: Path, hours: int, repeats: int) -> None:
    print(f"\nbuild + hand-off, {hours:,} h, median of {repeats}")
    ours, theirs = (measure(task, path, hours, repeats) for task in ("our build", "PyPSA build"))
    for name, one in (("gigawright", ours), ("PyPSA", theirs)):
        print(
            f"  {name:10s} {one['wall_s']:8.3f} s wall {one['cpu_s']:8.3f} s CPU {one['peak_mib']:7.0f} MiB "
            f"{one['rows']:9,.0f} rows {one['columns']:9,.0f} columns"
        )
    wall, cpu = (theirs[key] / ours[key] for key in ("wall_s", "cpu_s"))
    memory = ours["peak_mib"] / theirs["peak_mib"]
    print(
        f"  {wall:.0f} x faster by wall, {cpu:.0f} x by CPU time (goal 25), "
        f"{memory:.2f} of the memory before the solve (goal 0.20)"
    )


def tell_cost(name: str, one: Measured, hours: int) -> None:
    stated = problem.OPTIMUM_USD[hours]
    off = one["usd"] / stated - 1.0
    agree = "agrees to 8 digits" if abs(off) < DIGITS else f"{off:+.2e} of the stated optimum"
    print(
        f"  {name:22s} {one['usd']:18,.4f} USD {one['wall_s']:8.2f} s wall {one['cpu_s']:8.2f} s CPU "
        f"{one['peak_mib']:6.0f} MiB  {agree}"
    )


def tell_optimum(path: Path, hours: int) -> None:
    print(f"\noptimum over {hours:,} h: stated {problem.OPTIMUM_USD[hours]:,.4f} USD")
    for task in ("our digits", "our whole", "PyPSA solve"):
        tell_cost(task, measure(task, path, hours), hours)


def tell_year(path: Path, full: bool, known: list[float] | None, repeats: int) -> None:
    print(f"\nfull year: stated {problem.OPTIMUM_USD[FULL_HOURS]:,.4f} USD")
    ours = {
        task: measure(task, path, FULL_HOURS, repeats) for task in ("our exact", "our digits", "our weeks")
    }
    for task, one in ours.items():
        tell_cost(task, one, FULL_HOURS)
    exact, weeks = ours["our exact"], ours["our weeks"]
    print(f"  proven gap {(exact['usd'] - exact['bound']) / exact['usd']:.2e} (goal 1e-4)")
    error = weeks["usd"] / problem.OPTIMUM_USD[FULL_HOURS] - 1.0
    print(f"  weeks: true cost error {error:.3%} (goal 0.5%), judged {weeks['estimate']:.3%} by itself")
    if full:
        tell_cost("our whole", measure("our whole", path, FULL_HOURS), FULL_HOURS)
        theirs = measure("PyPSA solve", path, FULL_HOURS)
        tell_cost("PyPSA solve", theirs, FULL_HOURS)
    elif known:
        theirs = {"cpu_s": known[0], "wall_s": known[1]}
    else:
        print("  PyPSA's full year is solved with --full")
        return
    for name, one in (("exact", exact), ("weeks", weeks)):
        print(f"  {name}: 1/{theirs['cpu_s'] / one['cpu_s']:.1f} of PyPSA's CPU time, "
              f"1/{theirs['wall_s'] / one['wall_s']:.1f} of its wall time")  # fmt: skip
    print(f"  weeks take {weeks['cpu_s'] / exact['cpu_s']:.1f} times our exact's CPU time")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path, help="three_sites.csv: hourly profiles of the common problem")
    parser.add_argument("--full", action="store_true", help="also solve the full year with PyPSA")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pypsa-seconds", type=float, nargs=2, metavar=("CPU", "WALL"))
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    parser.add_argument("--hours", type=int, default=FULL_HOURS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.task:
        logging.disable(logging.INFO)
        warnings.simplefilter("ignore")
        print(
            json.dumps(
                {key: float(np.float64(v)) for key, v in TASKS[asked.task](asked.path, asked.hours).items()}
            )
        )
        return
    tell_build(asked.path, FULL_HOURS, asked.repeats)
    for hours in SHORT_HOURS:
        tell_optimum(asked.path, hours)
    tell_year(asked.path, asked.full, asked.pypsa_seconds, asked.repeats)


if __name__ == "__main__":
    main()
