"""What a recommender computes and looks up, as arrays: products, values moved, launches, embedding tables.

Exact where `workloads/data/recommender_layers.csv` and `recommender_tables.csv` have the model; otherwise the
catalogue's totals are spread over layers of one width, and look-ups over features as production rankers have
them. Flops that the catalogue publishes for a candidate hold: products are repeated until they add up.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender.model import RecommenderModel

LAYERS_FILE = "recommender_layers.csv"
TABLES_FILE = "recommender_tables.csv"

FIELDS = 300.0
"""Feature fields of a ranking model whose table is silent, each with a row to look up; assumption: RankMixer
(arXiv:2507.15551) reports over 300 features, PICASSO (arXiv:2204.04903) up to a thousand."""

DIMENSION = 64
"""Width of a row where the model's table does not say; assumption."""

FIELD_LAUNCHES = 6.0
"""Small operators a field costs where modules are made by hand for fields: look up, pool, cast, reshape,
normalise, copy; assumption, after PICASSO's account of fragmentary operations a field."""

FUSED_LAUNCHES = 40.0
"""The same for a whole model that was made for the hardware; assumption: a few layers of about ten."""

FUSED_WORDS = ("token mixing", "hstu", "transducer", "generative")
"""Words of an architecture that was made for the hardware."""

HAND_MADE_LAYERS = 8
"""Products into which totals are spread; assumption."""

WIDTH = 768.0
"""Width of these where not even parameters are published; assumption: as MTGR-medium (arXiv:2505.18654)."""

SKEW = 1.05
"""Zipf exponent of look-ups where a table is silent; assumption: production features follow power laws, whose
top tenth of rows takes most accesses (RecShard, ASPLOS 2022, arXiv:2201.10095)."""

FLOPS_SLACK = 0.02
"""How far layers may lie from published flops before products are repeated to agree."""

Row = Mapping[str, str]


@dataclass(frozen=True)
class Products:
    """Products of `parallel` separate weights n x k, done `times` one after the other, over `per_candidate` x
    candidates + `per_request` x requests rows [products]; `layers` of these have weights of their own, `part`
    names where in the model.
    """

    part: tuple[str, ...]
    per_candidate: Floats
    per_request: Floats
    n: Floats
    k: Floats
    times: Floats
    parallel: Floats
    layers: Floats


@dataclass(frozen=True)
class Moved:
    """Values that other operators read and write, for a candidate and for a request [operators]."""

    part: tuple[str, ...]
    per_candidate: Floats
    per_request: Floats


@dataclass(frozen=True)
class Tables:
    """Embedding tables: rows, width, look-ups for a candidate and a request, Zipf exponent [tables]."""

    rows: Floats
    width: Floats
    per_candidate: Floats
    per_request: Floats
    skew: Floats

    @property
    def values(self) -> float:
        """Embedding values in all."""
        return float((self.rows * self.width).sum())

    def lookups(self, candidates: float, requests: float) -> Floats:
        """Look-ups in each table [tables]."""
        return np.asarray(self.per_candidate * candidates + self.per_request * requests)


@dataclass(frozen=True)
class Sizes:
    """A recommender in full. `attention` is heads x width, layers and history of pointwise attention, (0, 0,
    0) without; `launches` are operators beside products; `remote` marks tables whose size is unknown and
    which therefore stay on parameter servers; `assumed` names what was filled in.
    """

    model: RecommenderModel
    products: Products
    moved: Moved
    tables: Tables
    attention: tuple[float, float, float] = (0.0, 0.0, 0.0)
    launches: float = 0.0
    remote: bool = False
    assumed: tuple[str, ...] = ()

    def flops(self, candidates: float, requests: float = 1.0) -> float:
        """Dense flops of requests with `candidates` in all.

        >>> from gigawright.workloads.architecture import recommender_model
        >>> round(sizes(recommender_model("dlrm-dcnv2")).flops(1.0, 0.0) / 1e6, 2)
        32.06
        """
        p = self.products
        rows = p.per_candidate * candidates + p.per_request * requests
        return float((2 * rows * p.n * p.k * p.times * p.parallel).sum()) + self.attention_flops(
            candidates, requests
        )

    def attention_flops(self, candidates: float, requests: float) -> float:
        """Scores and sums: the history causally with itself, and each candidate with the history."""
        width, layers, history = self.attention
        return 4 * width * layers * history * (requests * history / 2 + candidates)

    @property
    def dense_params(self) -> float:
        """Weights of all products."""
        p = self.products
        return float((p.n * p.k * p.layers * p.parallel).sum())


def sizes(model: RecommenderModel, *, lookups: float | None = None, dimension: int | None = None) -> Sizes:
    """The sizes of a model; `lookups` a candidate and `dimension` of a row replace those of its tables.

    Raises Unpredictable where neither layers nor flops are known.
    """
    rows, tables = _layers().get(model.id, ()), _table_rows().get(model.id, ())
    assumed: list[str] = []
    if rows:
        found = Sizes(model, _products(rows, model), _moved(rows), _nothing(), *_rest(rows))
    else:
        found = _spread(model)
        assumed.append("layers")
    if tables and lookups is None and dimension is None:
        own, remote = _tables(tables), False
    else:
        own, remote = _production(model, lookups, dimension), not model.sparse_params_b
        assumed.append("tables")
    return Sizes(
        model, found.products, found.moved, own, found.attention, found.launches, remote, tuple(assumed)
    )


def _numbers(rows: Sequence[Row], column: str) -> Floats:
    return np.array([float(row[column]) for row in rows])


def _of(rows: Sequence[Row], kind: str) -> list[Row]:
    return [row for row in rows if row["kind"] == kind]


def _products(rows: Sequence[Row], model: RecommenderModel) -> Products:
    own = _of(rows, "product")
    n, k, times, parallel = (_numbers(own, name) for name in ("n", "k", "times", "parallel"))
    each = _numbers(own, "per_candidate")
    counted = float((2 * each * n * k * times * parallel).sum())
    width, layers, history = _rest(rows)[0]
    told = model.flops_per_candidate_m * 1e6 - 4 * width * layers * history
    agreed = told <= 0 or not counted or abs(counted / told - 1) <= FLOPS_SLACK
    again = times if agreed else times * told / counted
    part = tuple(row["part"] for row in own)
    return Products(part, each, _numbers(own, "per_request"), n, k, again, parallel, times)


def _moved(rows: Sequence[Row]) -> Moved:
    own = _of(rows, "element")
    values = _numbers(own, "n") * _numbers(own, "times")
    part = tuple(row["part"] for row in own)
    return Moved(part, values * _numbers(own, "per_candidate"), values * _numbers(own, "per_request"))


def _rest(rows: Sequence[Row]) -> tuple[tuple[float, float, float], float]:
    """Attention, and launches beside products."""
    launches = float(_numbers(_of(rows, "launches"), "times").sum())
    for row in _of(rows, "attention"):
        return (float(row["n"]), float(row["times"]), float(row["per_request"])), launches
    return (0.0, 0.0, 0.0), launches


def _nothing() -> Tables:
    none = np.zeros(0)
    return Tables(none, none, none, none, none)


def _tables(rows: Sequence[Row]) -> Tables:
    columns = ("rows", "dim", "lookups_candidate", "lookups_request", "skew")
    return Tables(*(_numbers(rows, name) for name in columns))


def _spread(model: RecommenderModel) -> Sizes:
    """Published totals as square products, all of one width, that repeat until their flops are reached.

    Flops beyond two a parameter are reuse of weights over the fields or events of a candidate: more rows.
    """
    each, request = model.flops_per_candidate_m * 1e6, model.flops_per_request_m * 1e6
    if each <= 0 and request <= 0:
        raise Unpredictable(f"not predictable: missing flops of {model.name}")
    params = model.dense_params_m * 1e6 or HAND_MADE_LAYERS * WIDTH**2
    width = (params / HAND_MADE_LAYERS) ** 0.5
    layer = 2 * params / HAND_MADE_LAYERS
    rows = np.array([[each], [request]]) / HAND_MADE_LAYERS / layer
    one = np.ones(1)
    layers = HAND_MADE_LAYERS * one
    products = Products(("top",), rows[0] * one, rows[1] * one, width * one, width * one, layers, one, layers)
    passes = 4 * HAND_MADE_LAYERS * width
    moved = Moved(("top",), passes * rows[0], passes * rows[1])
    return Sizes(model, products, moved, _nothing(), launches=_launches(model))


def _launches(model: RecommenderModel) -> float:
    """Operators beside products of a model that is known by its totals."""
    words = model.architecture.lower()
    if any(word in words for word in FUSED_WORDS):
        return FUSED_LAUNCHES
    return FIELD_LAUNCHES * (model.lookups_per_candidate or FIELDS)


def _production(model: RecommenderModel, lookups: float | None, dimension: int | None) -> Tables:
    """Tables of a production ranker: as many as fields, alike, holding the values that are published."""
    fields = lookups if lookups is not None else model.lookups_per_candidate or FIELDS
    width = float(dimension or model.embedding_dim or DIMENSION)
    if fields <= 0:
        return _nothing()
    # Tables alike are one table with their rows and look-ups.
    rows = np.array([max(1.0, model.sparse_params_b * 1e9 / width)])
    each = np.array([float(fields)])
    return Tables(rows, np.array([width]), each, np.zeros(1), np.array([SKEW]))


@lru_cache(maxsize=1)
def _layers() -> dict[str, tuple[Row, ...]]:
    return _by_model(LAYERS_FILE)


@lru_cache(maxsize=1)
def _table_rows() -> dict[str, tuple[Row, ...]]:
    return _by_model(TABLES_FILE)


def _by_model(name: str) -> dict[str, tuple[Row, ...]]:
    text = (files("gigawright.workloads") / "data" / name).read_text("utf-8")
    found: dict[str, list[Row]] = {}
    for row in csv.DictReader(text.splitlines()):
        found.setdefault(row["model"], []).append(row)
    return {model: tuple(rows) for model, rows in found.items()}
