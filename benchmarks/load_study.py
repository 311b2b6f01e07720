"""How long a study of 10,000 lines takes to read, and one where every site is wrong to be told.

    python benchmarks/load_study.py [lines]

The study is written here: sites, each with halls that stand, until the lines are full.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from gigawright.errors import StudyError
from gigawright.study.load import load_study

HEAD = """\
name: long
horizon: {start: 2026Q1, end: 2028Q4}
budgets: {capital: {2026: 160 bn CNY}}
systems: [{system: any}]
workloads:
  - family: recommendation
    name: feed
    model: any
    demand: {requests_per_user_day: 30}
    candidates: 1000
sites:
"""
SITE = """\
  - site: site-{number}
    designs: [air, liquid]
    max_it: 300 MW
    existing:
      air: 20 MW
      liquid: 10 MW
      grid: 60 MW
      note: stands since 2024
"""


def study_of(lines: int, site: str = SITE) -> str:
    count = (lines - HEAD.count("\n")) // SITE.count("\n")
    return HEAD + "".join(site.format(number=number) for number in range(count))


def seconds_to_read(text: str) -> tuple[float, int]:
    """Wall time [s] of reading a study from disk, and the number of problems it has."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.yaml"
        path.write_text(text, encoding="utf-8")
        start = time.perf_counter()
        try:
            load_study(path)
        except StudyError as error:
            return time.perf_counter() - start, len(error.problems)
        return time.perf_counter() - start, 0


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seconds_to_read(study_of(100))
    wrong = SITE.replace("300 MW", "300 MWh").replace("existing", "exsting")
    print(f"{'study':<28}{'lines':>8}{'problems':>10}{'s':>8}")
    for name, text in (("sound", study_of(lines)), ("every site wrong twice", study_of(lines, wrong))):
        seconds, problems = seconds_to_read(text)
        print(f"{name:<28}{len(text.splitlines()):>8}{problems:>10}{seconds:>8.2f}")


if __name__ == "__main__":
    main()
