from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.workloads.recommender.queueing import (
    Server,
    capacity_per_s,
    erlang_c,
    mean_wait_s,
    p99_latency_s,
)


@pytest.mark.parametrize("load", [0.1, 0.5, 0.9, 0.99])
def test_m_m_1_is_exact(load: float) -> None:
    server = Server(item_s=0.02, cv2=1.0)
    per_s = load / 0.02
    assert p99_latency_s(per_s, server) == pytest.approx(-math.log(0.01) / (50 - per_s), rel=1e-6)
    assert mean_wait_s(per_s, server) == pytest.approx(load * 0.02 / (1 - load))


@pytest.mark.parametrize(("servers", "load"), [(2, 0.5), (4, 0.8), (16, 0.95)])
def test_waiting_in_m_m_c_is_exact(servers: int, load: float) -> None:
    """Erlang C from its sum, and W_q = C / (c mu - lambda)."""
    offered = servers * load
    terms = [offered**k / math.factorial(k) for k in range(servers)]
    last = offered**servers / math.factorial(servers) / (1 - load)
    waits = last / (sum(terms) + last)
    assert erlang_c(servers, load) == pytest.approx(waits)
    server = Server(item_s=1.0, servers=servers, cv2=1.0)
    assert mean_wait_s(offered, server) == pytest.approx(waits / (servers - offered))


@pytest.mark.parametrize("load", [0.3, 0.7, 0.95])
def test_mean_wait_in_m_d_1_is_pollaczek_khinchine(load: float) -> None:
    assert mean_wait_s(load, Server(item_s=1.0)) == pytest.approx(load / (2 * (1 - load)))


def test_tail_of_m_d_1_is_near_the_exact_one() -> None:
    """P(W > t) of M/D/1 by the sum of Erlang (1909); the approximation is up to a fifth above."""

    def exact(at: float, load: float) -> float:
        steps = range(math.floor(at) + 1)
        below = sum((-load * (at - k)) ** k / math.factorial(k) * math.exp(load * (at - k)) for k in steps)
        return 1 - (1 - load) * below

    for load in (0.5, 0.7, 0.8):
        wait = p99_latency_s(load, Server(item_s=1.0)) - 1.0
        low, high = 0.0, 60.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if exact(middle, load) > 0.01 else (low, middle)
        assert low <= wait < 1.2 * low


def test_without_load_a_request_takes_one_service() -> None:
    assert p99_latency_s(0.0, Server(item_s=0.001, batch_s=0.004, most=64)) == pytest.approx(0.005)


def test_what_is_not_finished_never_ends() -> None:
    server = Server(item_s=0.001, batch_s=0.004, most=16, servers=2)
    assert math.isinf(p99_latency_s(1600.0, server))
    assert math.isinf(mean_wait_s(2000.0, server))


@pytest.mark.parametrize(
    "server",
    [
        Server(1e-3, 4e-3, 16),
        Server(1e-4, 1e-3, 64),
        Server(1e-4, 1e-3, 8),
        Server(1e-3, 1e-4, 16),
        Server(1e-3, cv2=0.0, servers=4),
    ],
)
def test_against_a_simulation(server: Server) -> None:
    """Within 15% below and 45% above the simulated percentile at any load: batches add on the safe side."""
    for load in (0.05, 0.3, 0.6, 0.9):
        per_s = load * server.most_per_s
        ratio = p99_latency_s(per_s, server) / simulated_p99(per_s, server, 40_000)
        assert 0.85 < ratio < 1.45, (load, ratio)


def simulated_p99(per_s: float, server: Server, count: int) -> float:
    """First come, first served; a free server takes what waits, up to `most`."""
    arrive = np.cumsum(np.random.default_rng(7).exponential(1 / per_s, count))
    free = [0.0] * server.servers
    latency, at = np.zeros(count), 0
    while at < count:
        start = max(heapq.heappop(free), float(arrive[at]))
        end = at + 1
        while end < count and arrive[end] <= start and end - at < server.most:
            end += 1
        done = start + server.batch_s + (end - at) * server.item_s
        latency[at:end] = done - arrive[at:end]
        heapq.heappush(free, done)
        at = end
    return float(np.quantile(latency[count // 10 :], 0.99))


SERVERS = st.one_of(
    st.builds(
        Server,
        item_s=st.floats(1e-6, 1e-1),
        batch_s=st.floats(0.0, 1e-1),
        most=st.floats(1.0, 1e4),
        servers=st.integers(1, 64),
    ),
    st.builds(Server, item_s=st.floats(1e-6, 1e-1), servers=st.integers(1, 64), cv2=st.floats(0.0, 1.0)),
)
"""Batches of like requests, and single requests that differ."""


@given(SERVERS, st.floats(0.01, 0.98), st.floats(0.01, 0.98))
def test_latency_grows_with_load(server: Server, one: float, other: float) -> None:
    low, high = sorted((one, other))
    near = p99_latency_s(low * server.most_per_s, server)
    far = p99_latency_s(high * server.most_per_s, server)
    assert near <= far * (1 + 1e-9)
    assert near >= server.batch_s + server.item_s * (1 - math.sqrt(server.cv2)) * (1 - 1e-9)


@given(SERVERS, st.floats(1e-4, 10.0))
def test_capacity_keeps_the_limit_and_no_more_does(server: Server, limit: float) -> None:
    per_s = capacity_per_s(limit, server)
    assert 0 <= per_s <= server.most_per_s
    if per_s:
        assert p99_latency_s(per_s, server) <= limit
    if per_s < server.most_per_s * (1 - 1e-9):
        assert p99_latency_s(per_s * (1 + 1e-6) + 1e-9, server) > limit


@pytest.mark.parametrize(
    "wrong", [{"item_s": 0.0}, {"item_s": -1.0}, {"most": 0.5}, {"servers": 0}, {"cv2": -1}]
)
def test_impossible_servers_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Server(**({"item_s": 1.0} | wrong))  # type: ignore[arg-type]


def test_a_load_of_one_has_no_erlang_c() -> None:
    with pytest.raises(ValueError, match="less than 1"):
        erlang_c(2, 1.0)
