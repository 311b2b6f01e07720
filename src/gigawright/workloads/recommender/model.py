"""Recommenders as the catalogue has them: totals of dense flops, look-ups and embedding values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RecommenderModel:
    """A ranking model; a field that is not published is zero.

    Flops come either a candidate (each item scored apart) or a request (one pass scores all candidates).
    `mfu` is the published share of peak in serving, which is compared with predictions and never enters
    them; `sparse_params_b` the embedding values in billions.
    """

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    architecture: str = ""
    dense_params_m: float = 0.0
    sparse_params_b: float = 0.0
    embedding_dim: int = 0
    lookups_per_candidate: float = 0.0
    flops_per_candidate_m: float = 0.0
    flops_per_request_m: float = 0.0
    mfu: float = 0.0
    verified: bool = False
    source: str = ""

    def request_flops(self, candidates: float) -> float:
        """Dense flops of one request that scores `candidates` items.

        >>> RecommenderModel("r", "R", flops_per_candidate_m=4113.3).request_flops(100) / 1e9
        411.33
        """
        return (self.flops_per_candidate_m * candidates + self.flops_per_request_m) * 1e6

    def table_bytes(self, bytes_per_value: float = 2.0) -> float:
        """Bytes of the embedding tables; 0 where their size is not published."""
        return self.sparse_params_b * 1e9 * bytes_per_value
