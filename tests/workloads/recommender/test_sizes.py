from __future__ import annotations

import numpy as np
import pytest

from gigawright.workloads.architecture import load_models, recommender_model
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender.model import RecommenderModel
from gigawright.workloads.recommender.sizes import FIELD_LAUNCHES, FIELDS, FUSED_LAUNCHES, sizes

RANKERS = [model for model in load_models().values() if isinstance(model, RecommenderModel)]


@pytest.mark.parametrize("model", RANKERS, ids=lambda model: model.id)
def test_flops_agree_with_the_catalogue(model: RecommenderModel) -> None:
    for candidates in (1.0, 270.0):
        told = model.request_flops(candidates)
        assert sizes(model).flops(candidates) == pytest.approx(told, rel=0.03)


def test_rankmixer_has_the_parameters_it_publishes() -> None:
    """2 k L T D^2 with k = 4: 1.21 bn of 1.1 published, 151 M of 107 (arXiv:2507.15551)."""
    assert sizes(recommender_model("rankmixer-1b")).dense_params == pytest.approx(1.208e9, rel=1e-3)
    assert sizes(recommender_model("rankmixer-100m")).dense_params == pytest.approx(151e6, rel=1e-3)


def test_hand_made_models_launch_by_the_field_and_others_do_not() -> None:
    assert sizes(recommender_model("rec-dcnv2-22m")).launches == FIELD_LAUNCHES * FIELDS
    assert sizes(recommender_model("mtgr-small")).launches == FUSED_LAUNCHES
    assert sizes(recommender_model("dlrm-dcnv2")).launches < FUSED_LAUNCHES


def test_what_is_filled_in_is_told() -> None:
    assert sizes(recommender_model("dlrm-dcnv2")).assumed == ()
    assert sizes(recommender_model("rankmixer-1b")).assumed == ("tables",)
    assert sizes(recommender_model("rec-dcnv2-22m")).assumed == ("layers", "tables")


def test_look_ups_and_widths_of_ones_own_replace_the_tables() -> None:
    found = sizes(recommender_model("dlrm-dcnv2"), lookups=1000.0, dimension=64)
    assert found.tables.lookups(2.0, 1.0).sum() == 2000
    assert set(found.tables.width.tolist()) == {64.0}
    assert found.tables.values == pytest.approx(26.136e9)
    assert not found.remote


def test_tables_of_unknown_size_stay_on_servers() -> None:
    assert sizes(recommender_model("rankmixer-1b")).remote


def test_a_model_without_flops_is_refused() -> None:
    with pytest.raises(Unpredictable, match="missing flops of X"):
        sizes(RecommenderModel("x", "X"))


def test_history_is_read_once_a_request_and_candidates_each() -> None:
    """HSTU with M-FALCON: 4 w layers history (history / 2 + candidates)."""
    found = sizes(recommender_model("hstu-1.5t"))
    per_token = 24 * 2 * (1024 * 4096 + 1024 * 1024)
    attention = 4 * 1024 * 24 * 8192 * (8192 / 2 + 100)
    assert found.flops(100.0, 1.0) == pytest.approx(per_token * (8192 + 100) + attention)


def test_products_are_never_empty() -> None:
    for model in RANKERS:
        p = sizes(model).products
        assert (p.n > 0).all()
        assert (p.k > 0).all()
        assert np.isfinite(p.times).all()
