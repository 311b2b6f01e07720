"""CPU and wall time of starting the command line, the median of several starts.

python benchmarks/start_time.py [starts]
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import gigawright": ["-c", "import gigawright"],
    "gigawright --help": ["-m", "gigawright.cli", "--help"],
    "gigawright schema": ["-m", "gigawright.cli", "schema"],
}


def start(arguments: list[str]) -> tuple[float, float]:
    """CPU and wall time [s] of one start."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall


def main() -> None:
    starts = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(f"{'command':<22}{'CPU s':>8}{'wall s':>8}")
    for name, arguments in COMMANDS.items():
        times = [start(arguments) for _ in range(starts)]
        cpu, wall = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name:<22}{cpu:>8.3f}{wall:>8.3f}")


if __name__ == "__main__":
    main()
