from __future__ import annotations

from collections.abc import Callable

import pytest

from gigawright.catalogue.types import System
from gigawright.workloads.architecture import load_models, recommender_model
from gigawright.workloads.ranking import RecommenderModel
from gigawright.workloads.recommender import REQUEST_HOST_S, rank
from gigawright.workloads.roofline import machine


def test_every_recommender_of_the_table_ranks(h100: System) -> None:
    models = [model for model in load_models().values() if isinstance(model, RecommenderModel)]
    assert len(models) == 15
    for model in models:
        assert rank(model, h100, candidates=200).work_per_s > 0, model.id


def test_rankmixer_is_counted_by_hand(h100: System) -> None:
    done = rank(recommender_model("rankmixer-1b"), h100, candidates=500)
    seconds = 4113.3e6 * 500 / (0.4457 * 989e12)
    assert done.limited_by == "compute"
    assert done.work_per_s == pytest.approx(1 / (seconds + REQUEST_HOST_S))


def test_scattered_rows_limit_a_classic_model(h100: System) -> None:
    done = rank(recommender_model("dlrm-dcnv2"), h100, candidates=270, mfu=0.45, lookups_per_candidate=1000)
    seconds = 270 * 1000 * 128 * 2 / machine(h100, "bf16").gather
    assert done.limited_by == "random access"
    assert done.work_per_s == pytest.approx(1 / (seconds + REQUEST_HOST_S))


def test_tables_beyond_one_accelerator_are_sharded(h100: System, variant: Callable[..., System]) -> None:
    model = recommender_model("rankmixer-1b")
    assert rank(model, h100, candidates=500, table_gb=700).details["shards"] == 10
    alone = variant(nic_gbps=None)
    assert "need 10 accelerators" in rank(model, alone, candidates=500, table_gb=700).refused


def test_a_model_without_flops_is_refused(h100: System) -> None:
    nothing = RecommenderModel("x", "X")
    assert rank(nothing, h100, candidates=1).refused == "not predictable: missing flops of X"
