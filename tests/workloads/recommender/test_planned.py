from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gigawright.catalogue.types import System
from gigawright.workloads.architecture import load_models, recommender_model
from gigawright.workloads.power import IDLE_SHARE
from gigawright.workloads.recommender.capacity import capacity
from gigawright.workloads.recommender.examples import dlrm
from gigawright.workloads.recommender.model import RecommenderModel
from gigawright.workloads.recommender.planned import rank


def test_every_recommender_of_the_table_ranks(h100: System) -> None:
    models = [model for model in load_models().values() if isinstance(model, RecommenderModel)]
    assert len(models) >= 15
    for model in models:
        done = rank(model, h100, candidates=200)
        assert done.work_per_s > 0, model.id
        assert IDLE_SHARE * 1275 <= done.watts <= 1275 * (1 + 1e-9)
        assert done.details["work_per_s_p10"] < done.work_per_s < done.details["work_per_s_p90"]


def test_seconds_of_parts_add_up(h100: System) -> None:
    done = rank(recommender_model("rankmixer-1b"), h100, candidates=500)
    parts = ("products", "gather", "element", "exchange", "host", "waiting")
    assert sum(done.details[f"{part}_s"] for part in parts) == pytest.approx(1 / done.work_per_s)


def test_a_published_mfu_changes_nothing(h100: System) -> None:
    model = recommender_model("rankmixer-1b")
    assert model.mfu > 0
    other = replace(model, mfu=0.99)
    assert rank(model, h100, candidates=500) == rank(other, h100, candidates=500)


def test_fused_models_use_the_chip_and_hand_made_ones_do_not(h100: System) -> None:
    fused = rank(recommender_model("rankmixer-1b"), h100, candidates=512)
    classic = rank(recommender_model("rec-dlrm-mlp-base"), h100, candidates=512)
    assert fused.limited_by == "compute"
    assert classic.limited_by == "overhead"
    assert fused.details["mfu"] > 8 * classic.details["mfu"]


def test_requests_scored_together_share_launches(h100: System) -> None:
    model = recommender_model("rec-dcnv2-22m")
    alone, together = (rank(model, h100, candidates=100, requests=many) for many in (1, 16))
    assert together.work_per_s > 5 * alone.work_per_s


def test_large_tables_are_sharded_or_kept_on_hosts(h100: System, variant: Callable[..., System]) -> None:
    model = replace(recommender_model("rankmixer-1b"), sparse_params_b=350.0)
    done = rank(model, h100, candidates=500)
    assert done.work_per_s > 0
    model = replace(model, sparse_params_b=180.0)
    alone = variant(nic_gbps=None, scaleup_gbs=None, host_gbs=0.1)
    cached = rank(model, alone, candidates=500)
    assert cached.details["shards"] == 1
    assert cached.work_per_s < rank(model, h100, candidates=500).work_per_s
    assert cached.limited_by == "overhead"


def test_tables_that_nothing_holds_are_refused(variant: Callable[..., System]) -> None:
    model = replace(recommender_model("rankmixer-1b"), sparse_params_b=1e6)
    done = rank(model, variant(nic_gbps=None), candidates=500)
    assert "and a network" in done.refused
    assert done.work_per_s == 0


def test_a_precision_that_a_chip_lacks_is_told(variant: Callable[..., System]) -> None:
    system = variant(peak_tflops={"bf16": 989.0})
    done = rank(recommender_model("dlrm-dcnv2"), system, candidates=270, precision="int8")
    assert "int8 is not in the data sheet of H100 SXM5 80GB: bf16 instead" in done.note


def test_unknown_rates_and_precisions_are_refused(h100: System, variant: Callable[..., System]) -> None:
    model = recommender_model("dlrm-dcnv2")
    assert "missing" in rank(model, variant(peak_tflops={}), candidates=1).refused
    assert "missing" in rank(model, variant(memory_gbs=0.0), candidates=1).refused
    assert "'int3'" in rank(model, h100, candidates=1, precision="int3").refused
    assert (
        rank(RecommenderModel("x", "X"), h100, candidates=1).refused == "not predictable: missing flops of X"
    )


def test_a_tighter_limit_leaves_less_capacity() -> None:
    found = [capacity(dlrm(), limit) for limit in (0.001, 0.01, 0.1)]
    assert found[0].per_s < found[1].per_s < found[2].per_s
    for one in found:
        assert one.p99_s(one.per_s * 0.999) <= one.limit_s * (1 + 1e-6)
        assert one.p99_s(one.per_s * 0.5) < one.p99_s(one.per_s * 0.99)
