"""What a replica's pace may be, and what an iteration costs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from gigawright.workloads.requests.pace import Disaggregated, Pace, PaceError, iteration_seconds, linear_pace

COSTS = ("context_s", "window_s", "pair_s", "window_pair_s", "encode_s", "draft_s", "swap_s")


def test_an_iteration_is_the_sum_of_its_parts() -> None:
    values = dict(zip(COSTS, (1e-6, 2e-6, 3e-6, 4e-6, 5e-6, 6e-6, 7e-6), strict=True))
    rates = Pace(np.arange(11.0), blocks=8, max_sequences=4, **values).rates
    counted = (3, 2, 100, 200, 300, 400, 500, 1, 600)
    assert iteration_seconds(rates, *counted) == pytest.approx(
        5 + 100e-6 + 400e-6 + 900e-6 + 1600e-6 + 2500e-6 + 6e-6 + 4200e-6
    )


def test_an_iteration_of_arrays_is_that_of_each() -> None:
    rates = linear_pace(0.01, 1e-4, chunk=100, blocks=10, max_sequences=8, context_s=1e-6).rates
    batch = np.array([1, 4, 8])
    together = iteration_seconds(rates, 0, batch, 1000 * batch, 0, 0, 0, 0, 0, 0)  # type: ignore[arg-type]
    apart = [iteration_seconds(rates, 0, b, 1000 * b, 0, 0, 0, 0, 0, 0) for b in (1, 4, 8)]
    np.testing.assert_array_equal(together, apart)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tokens_s": np.array([1.0])}, "at least two"),
        ({"tokens_s": np.array([1.0, np.nan])}, "finite"),
        ({"tokens_s": np.array([1.0, -1.0, 2.0])}, "none negative"),
        ({"blocks": 0}, "blocks must be from 1"),
        ({"block_tokens": 0}, "block_tokens must be at least 1"),
        ({"max_sequences": 0}, "max_sequences must be from 1"),
        ({"max_sequences": 9}, "chunk budget of 8 tokens"),
        ({"draft_tokens": 2}, "below the 12 that 4 decoding sequences take"),
        ({"acceptance": 1.5}, "acceptance must be from 0 to 1"),
        ({"acceptance": float("nan")}, "acceptance must be from 0 to 1"),
        ({"pair_s": -1.0}, "costs must be finite"),
        ({"window": -1}, "must not be negative"),
        ({"watermark": 1.0}, "watermark must be from 0 up to 1"),
    ],
)
def test_what_no_replica_has_is_refused(changes: dict[str, object], words: str) -> None:
    fine: dict[str, object] = {"tokens_s": np.ones(9), "blocks": 8, "max_sequences": 4}
    with pytest.raises(PaceError, match=words):
        Pace(**(fine | changes))  # type: ignore[arg-type]


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(PaceError, match=r"blocks must.*; watermark must"):
        Pace(np.ones(9), 0, 4, watermark=-1.0)


def test_a_transfer_costs_something_finite() -> None:
    pace = linear_pace(0.01, 1e-4, chunk=8, blocks=10, max_sequences=2)
    with pytest.raises(PaceError, match="transfer_s is nan"):
        Disaggregated(pace, pace, float("nan"))


def test_a_pace_is_made_without_loading_the_compiler() -> None:
    code = (
        "import sys; import gigawright.workloads.requests.pace, gigawright.workloads.requests.command; "
        "assert not {'numba', 'pyarrow', 'pandas', 'plotly'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
