"""Latency of requests that wait for accelerators and are scored in batches: M/G/c, with batching.

Requests scored alone share one queue for all accelerators; the wait is 0 with probability 1 - P, otherwise
exponential with mean theta:

    P = Erlang C at c servers and load rho,   theta = E[S] (ca2 + cs2) / (2 c (1 - rho))

which is exact for M/M/c, has the Pollaczek-Khinchine mean for M/G/1, and is the approximation of Allen and
Cunneen for G/G/c (Whitt 1993, Production and Operations Management 2(2), 114-161, eq. 2.24).

Where requests are scored together, arrivals are dealt out and each accelerator has a queue of its own (c = 1
at lambda / c): it takes what waits when it is free, up to `most`. A batch of n takes `batch_s` + n `item_s`,
and n is where work and arrivals agree,

    n = lambda (batch_s + n item_s) / c,   at least 1, at most `most`

(dynamic batching: Inoue 2021, Performance Evaluation 147, arXiv:1912.06322). A request then waits for the
rest of the batch under way, anything from none to all of it, with the probability of finding one; for the
work in front of it, as in M/G/1 with `item_s` alone; and where batches fill, with probability P n / most, for
batches before it: theta with ca2 = 1 / n, rho of full batches. Quantiles of the three are added, which keeps
to the safe side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MOST_HALVINGS = 80
"""Halvings of a bisection: to the last digit of a double."""

P99 = 0.99


@dataclass(frozen=True)
class Server:
    """What scores requests: `servers` accelerators, each a batch at a time.

    A batch of n requests takes `batch_s` + n `item_s` [s], n at most `most`. `cv2` is the squared
    coefficient of variation of one request's work; that of a batch of n is 1/n of it.
    """

    item_s: float
    batch_s: float = 0.0
    most: float = 1.0
    servers: int = 1
    cv2: float = 0.0

    def __post_init__(self) -> None:
        if not (self.item_s >= 0 and self.batch_s >= 0 and self.item_s + self.batch_s > 0):
            raise ValueError(f"a batch takes {self.batch_s} + n x {self.item_s} s, must be more than 0")
        if self.most < 1 or self.servers < 1 or self.cv2 < 0:
            raise ValueError("most and servers must be at least 1, cv2 at least 0")

    @property
    def largest_s(self) -> float:
        """Seconds of the largest batch."""
        return self.batch_s + self.most * self.item_s

    @property
    def most_per_s(self) -> float:
        """Requests a second that all servers finish when every batch is full.

        >>> Server(item_s=1e-3, batch_s=4e-3, most=16, servers=2).most_per_s
        1600.0
        """
        return self.servers * self.most / self.largest_s

    def batch(self, per_s: float) -> float:
        """Requests in a batch at this rate of arrivals.

        >>> round(Server(item_s=1e-3, batch_s=4e-3, most=16).batch(500.0), 6)  # 4 come while 4 are scored
        4.0
        """
        free = 1 - per_s * self.item_s / self.servers
        if free <= 0:
            return self.most
        return min(self.most, max(1.0, per_s * self.batch_s / self.servers / free))


def erlang_c(servers: int, load: float) -> float:
    """Probability that an arrival waits in an M/M/c queue; `load` is arrivals over what all servers finish.

    C = B / (1 - rho (1 - B)), with Erlang's B by its recursion (Cooper 1981, Introduction to Queueing
    Theory, section 3.3).

    >>> erlang_c(1, 0.7), round(erlang_c(2, 0.5), 6)
    (0.7, 0.333333)
    """
    if not 0 <= load < 1:
        raise ValueError(f"load is {load}, must be at least 0 and less than 1")
    offered, blocked = load * servers, 1.0
    for count in range(1, servers + 1):
        blocked = offered * blocked / (count + offered * blocked)
    return blocked / (1 - load * (1 - blocked))


def mean_wait_s(per_s: float, server: Server) -> float:
    """Mean seconds that a batch waits for a free server; inf at a rate that is not finished.

    >>> mean_wait_s(50.0, Server(item_s=0.01))  # M/D/1: rho / (2 (1 - rho)) services
    0.005
    """
    wait, mean = _queue(per_s, server)
    return wait * mean


def p99_latency_s(per_s: float, server: Server, share: float = P99) -> float:
    """Seconds within which `share` of the requests are answered, at `per_s` Poisson arrivals a second [1/s].

    The quantile of wait + service, plus that of the rest of a batch under way. The service is a constant and
    an exponential part with the standard deviation of the service, so that M/M/1 comes out exact. inf where
    the rate is not finished.

    >>> p99_latency_s(50.0, Server(item_s=0.01, cv2=1.0))  # M/M/1: -ln(0.01) / (mu - lambda)
    0.09210...
    >>> p99_latency_s(0.0, Server(item_s=0.01))
    0.01
    """
    wait, theta = _queue(per_s, server)
    if math.isinf(theta):
        return math.inf
    size = server.batch(per_s)
    service = server.batch_s + size * server.item_s
    random = service * math.sqrt(server.cv2 / size)
    rest = _rest(per_s, server, service, 1 - share)
    return service - random + rest + _quantile(wait, theta, random, 1 - share)


def capacity_per_s(limit_s: float, server: Server, share: float = P99) -> float:
    """Requests a second that are answered within `limit_s` with probability `share`; 0 where none are.

    >>> round(capacity_per_s(0.09210340, Server(item_s=0.01, cv2=1.0)), 3)
    50.0
    """
    low, high = 0.0, server.most_per_s
    if p99_latency_s(low, server, share) > limit_s:
        return 0.0
    for _ in range(MOST_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if p99_latency_s(middle, server, share) <= limit_s else (low, middle)
    return low


def _queue(per_s: float, server: Server) -> tuple[float, float]:
    """Probability that a batch waits, and the mean of the wait of those that do [s]."""
    load = per_s / server.most_per_s
    if load >= 1:
        return 1.0, math.inf
    size = server.batch(per_s)
    service = server.batch_s + size * server.item_s
    spread = (1 / size + server.cv2 / size) / 2
    lines = 1 if server.most > 1 else server.servers
    waits = erlang_c(lines, load) * size / server.most
    return waits, service * spread / (lines * (1 - load))


def _rest(per_s: float, server: Server, service: float, tail: float) -> float:
    """Where the tails of what is left of a batch under way and of work in front are `tail`; 0 for requests
    alone.
    """
    busy = min(1.0, per_s * (server.batch_s + server.item_s) / server.servers)
    if server.most == 1 or busy <= tail:
        return 0.0
    load = per_s * server.item_s / server.servers
    front = server.item_s * (1 + server.cv2) / 2 / (1 - load)
    return service * (1 - tail / busy) + _quantile(load, front, 0.0, tail)


def _quantile(wait: float, theta: float, random: float, tail: float) -> float:
    """Where the tail of wait (0, or exponential with probability `wait`) + exponential service is `tail`."""
    if _tail(0.0, wait, theta, random) <= tail:
        return 0.0
    if random == 0:
        return theta * math.log(wait / tail)
    low, high = 0.0, (theta + random) * (1 - math.log(tail)) * 2
    for _ in range(MOST_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _tail(middle, wait, theta, random) > tail else (low, middle)
    return high


def _tail(at: float, wait: float, theta: float, random: float) -> float:
    """Probability that wait + exponential service is longer than `at`."""
    if random == 0:
        return wait if at == 0 else wait * math.exp(-at / theta)
    own = math.exp(-at / random)
    if theta == 0:
        return own
    if math.isclose(theta, random, rel_tol=1e-9):
        return own * (1 + wait * at / random)
    both = (theta * math.exp(-at / theta) - random * own) / (theta - random)
    return (1 - wait) * own + wait * both
