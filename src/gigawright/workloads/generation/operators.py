"""Operators of a forward pass as plain lists, and all rows' operators as arrays for the cost function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from gigawright.arrays import Floats, Ints


@dataclass(frozen=True)
class Product:
    """`times` dense products of m x k by k x n values; a convolution is one over `taps` places at once.

    A convolution of 3 x 3 reads an input value nine times from cache and once from memory: k = 9 x channels,
    taps = 9. `low` tells that it may run below 16 bits where the run does.
    """

    m: float
    n: float
    k: float
    times: float = 1.0
    taps: float = 1.0
    low: bool = True


@dataclass(frozen=True)
class Attention:
    """`times` attentions of `queries` over `keys` by `heads` of `dim` values."""

    queries: float
    keys: float
    heads: float
    dim: float
    times: float = 1.0


@dataclass(frozen=True)
class Work:
    """What a pass does: products, attentions, values that fused element-wise kernels read and write, bytes
    that the same operators move one by one (`loose`), kernels that are then launched, and flops of 3-D
    convolutions, which have a rate of their own.
    """

    products: tuple[Product, ...] = ()
    attention: tuple[Attention, ...] = ()
    moved: float = 0.0
    loose: float = 0.0
    kernels: float = 0.0
    volume: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(
            self.products + other.products,
            self.attention + other.attention,
            self.moved + other.moved,
            self.loose + other.loose,
            self.kernels + other.kernels,
            self.volume + other.volume,
        )

    def times(self, count: float) -> Work:
        """The same, done `count` times."""
        return Work(
            tuple(replace(one, times=one.times * count) for one in self.products),
            tuple(replace(one, times=one.times * count) for one in self.attention),
            self.moved * count,
            self.loose * count,
            self.kernels * count,
            self.volume * count,
        )

    def product_flops(self) -> float:
        """Flops of all products."""
        return sum(2 * one.m * one.n * one.k * one.times for one in self.products)

    def attention_flops(self) -> float:
        """Flops of scores and sums."""
        return sum(4 * one.queries * one.keys * one.heads * one.dim * one.times for one in self.attention)

    def scores(self) -> float:
        """Scores of all attentions."""
        return sum(one.queries * one.keys * one.heads * one.times for one in self.attention)

    def flops(self) -> float:
        """Flops of all that multiplies.

        >>> Work(products=(Product(10, 20, 30),)).flops()
        12000.0
        """
        return float(self.product_flops() + self.attention_flops() + self.volume)


@dataclass(frozen=True)
class Works:
    """The work of many rows: operators one after another, and the row that each belongs to."""

    count: int
    product_row: Ints
    m: Floats
    n: Floats
    k: Floats
    times: Floats
    taps: Floats
    low: Floats
    attention_row: Ints
    queries: Floats
    keys: Floats
    heads: Floats
    dim: Floats
    attentions: Floats
    moved: Floats
    loose: Floats
    kernels: Floats
    volume: Floats

    def take(self, rows: Ints) -> Works:
        """The work of these rows, in their order."""
        place = np.full(self.count, -1)
        place[rows] = np.arange(len(rows))
        own, other = place[self.product_row], place[self.attention_row]
        products = {name: getattr(self, name)[own >= 0] for name in ("m", "n", "k", "times", "taps", "low")}
        names = ("queries", "keys", "heads", "dim", "attentions")
        attention = {name: getattr(self, name)[other >= 0] for name in names}
        return Works(
            count=len(rows),
            product_row=own[own >= 0],
            attention_row=other[other >= 0],
            moved=self.moved[rows],
            loose=self.loose[rows],
            kernels=self.kernels[rows],
            volume=self.volume[rows],
            **products,
            **attention,
        )

    def by_row(self, rows: Ints, values: Floats) -> Floats:
        """Sums of operators' values by row [rows]."""
        return np.bincount(rows, weights=values, minlength=self.count).astype(np.float64)


Operator = TypeVar("Operator", Product, Attention)


def _merged(operators: Iterable[Operator]) -> list[Operator]:
    """Operators of equal shape as one, done as often as all of them."""
    counts: dict[Operator, float] = {}
    for one in operators:
        shape = replace(one, times=0.0)
        counts[shape] = counts.get(shape, 0.0) + one.times
    return [replace(shape, times=count) for shape, count in counts.items()]


def works(rows: Sequence[Work]) -> Works:
    """The work of rows as arrays; operators of equal shape are counted together."""
    products = [(at, one) for at, row in enumerate(rows) for one in _merged(row.products)]
    attention = [(at, one) for at, row in enumerate(rows) for one in _merged(row.attention)]

    def of(pick: Callable[[Product], float]) -> Floats:
        return np.array([pick(one) for _, one in products], dtype=float)

    def seen(pick: Callable[[Attention], float]) -> Floats:
        return np.array([pick(one) for _, one in attention], dtype=float)

    return Works(
        count=len(rows),
        product_row=np.array([at for at, _ in products], dtype=np.int64),
        m=of(lambda one: one.m),
        n=of(lambda one: one.n),
        k=of(lambda one: one.k),
        times=of(lambda one: one.times),
        taps=of(lambda one: one.taps),
        low=of(lambda one: one.low),
        attention_row=np.array([at for at, _ in attention], dtype=np.int64),
        queries=seen(lambda one: one.queries),
        keys=seen(lambda one: one.keys),
        heads=seen(lambda one: one.heads),
        dim=seen(lambda one: one.dim),
        attentions=seen(lambda one: one.times),
        moved=np.array([row.moved for row in rows], dtype=float),
        loose=np.array([row.loose for row in rows], dtype=float),
        kernels=np.array([row.kernels for row in rows], dtype=float),
        volume=np.array([row.volume for row in rows], dtype=float),
    )
