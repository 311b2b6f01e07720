"""The flagship study end to end: seconds of each stage, gaps, and peak memory.

    python benchmarks/flagship.py [STUDY]

Peers: PyPSA 1.4 took 1.25-1.53 s and 452 MiB only to build a problem of 237,000 rows (2 cores, HiGHS 1.15.1);
the master's predecessor took 27 s in HiGHS' own search tree where rounding and improving takes about 6.
"""

from __future__ import annotations

import resource
import sys

from gigawright.evaluate import evaluate
from gigawright.study.load import load_study


def main() -> None:
    study = load_study(sys.argv[1] if len(sys.argv) > 1 else "studies/bytedance-2026.yaml")
    for as_of in study.knowledge_dates:
        result = evaluate(study, as_of, processes=2)
        summary = result.plan.summary
        print(f"as of {as_of}: {sum(result.seconds.values()):.1f} s in all")
        print(f"  master {summary['master_s']:.1f} s, energy {summary['energy_s']:.1f} s (2 processes)")
        print(f"  {summary['rows']:,.0f} rows, {summary['columns']:,.0f} columns")
        print(f"  master gap {summary['master_gap']:.2%}, energy gap {summary['energy_gap']:.2%}")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory {own:.0f} MiB, of a worker {workers:.0f} MiB")


if __name__ == "__main__":
    main()
