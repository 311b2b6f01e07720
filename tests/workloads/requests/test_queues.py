"""Paces so simple that queueing theory knows the answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gigawright.arrays import Floats
from gigawright.workloads.requests.pace import Pace
from gigawright.workloads.requests.run import serve
from gigawright.workloads.requests.traces import Trace, trace_of

COUNT = 200_000
TICK_S = 1e-3
"""Seconds a prompt token takes: services are 1000 tokens on average, so 1 s."""


def one_by_one(most: int) -> Pace:
    """A replica that serves one prompt after the other, each in one iteration."""
    return Pace(TICK_S * np.arange(most + 1), blocks=most, max_sequences=1, block_tokens=1, watermark=0.0)


def mean_with_error(waits: Floats) -> tuple[float, float]:
    """Mean and half its 99.9% interval by the means of 25 batches, which hardly depend on each other."""
    batches = waits[len(waits) // 20 :]
    means = batches[: len(batches) // 25 * 25].reshape(25, -1).mean(axis=1)
    return float(means.mean()), float(stats.t.ppf(0.9995, 24) * means.std(ddof=1) / 5)


def poisson_trace(rate: float, prompts: Floats, seed: int) -> Trace:
    times = np.cumsum(np.random.default_rng(seed).exponential(1 / rate, len(prompts)))
    return trace_of(times, prompts, np.ones(len(prompts)))


def waits(trace: Trace, pace: Pace, replicas: int) -> Floats:
    served = serve(trace, pace, replicas)
    return served.ttft_s - trace.input * TICK_S


@pytest.mark.parametrize("load", [0.5, 0.7])
def test_m_m_1(load: float) -> None:
    prompts = np.ceil(np.random.default_rng(5).exponential(1000, COUNT))
    mean, error = mean_with_error(waits(poisson_trace(load, prompts, 6), one_by_one(20_000), 1))
    assert error < 0.15 * mean
    assert mean == pytest.approx(load / (1 - load), abs=error + 0.005)


def crommelin(servers: int, load: float) -> float:
    """Mean wait of M/D/c in services: C. D. Crommelin, P.O. Elect. Engrs. J. 25 (1932) 41-50.

    The sum over k of P(N >= kc) - P(N >= kc + 1) / load, N of Poisson's law with mean k c load.
    """
    k = np.arange(1, 4000)
    mean = k * servers * load
    return float(np.sum(stats.poisson.sf(k * servers - 1, mean) - stats.poisson.sf(k * servers, mean) / load))


def test_the_formula_for_one_server_is_that_of_pollaczek_and_khinchine() -> None:
    assert crommelin(1, 0.7) == pytest.approx(0.7 / (2 * 0.3))


@pytest.mark.parametrize(("servers", "load"), [(1, 0.6), (1, 0.8), (4, 0.8), (8, 0.85)])
def test_m_d_c(servers: int, load: float) -> None:
    """Where services last equally long, a common queue hands requests to its servers in turn."""
    trace = poisson_trace(load * servers, np.full(COUNT, 1000.0), 7)
    mean, error = mean_with_error(waits(trace, one_by_one(1000), servers))
    assert error < 0.15 * mean
    assert mean == pytest.approx(crommelin(servers, load), abs=error)


def test_m_d_1_by_decoding() -> None:
    """The same with services of 50 iterations: a prompt of one token and 49 decode steps."""
    times = np.cumsum(np.random.default_rng(8).exponential(1 / 0.7, COUNT))
    trace = trace_of(times, np.ones(COUNT), np.full(COUNT, 50))
    pace = Pace(np.full(2, 0.02), blocks=60, max_sequences=1, block_tokens=1, watermark=0.0)
    mean, error = mean_with_error(serve(trace, pace, 1).e2e_s - 1.0)
    assert mean == pytest.approx(crommelin(1, 0.7), abs=error)


def test_least_loaded_waits_less_than_turns() -> None:
    prompts = np.ceil(np.random.default_rng(9).exponential(1000, 20_000))
    trace = poisson_trace(0.8 * 4, prompts, 10)
    in_turn = serve(trace, one_by_one(20_000), 4).ttft_s.mean()
    assert serve(trace, one_by_one(20_000), 4, routing="least-loaded").ttft_s.mean() < 0.7 * in_turn
