from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from gigawright.errors import CatalogueError
from gigawright.workloads.architecture import find_model, language_model, load_models, read_model
from gigawright.workloads.language import LanguageModel

LANGUAGE = [model for model in load_models().values() if isinstance(model, LanguageModel)]
VERIFIED = [model for model in LANGUAGE if model.verified]


def test_the_table_holds_the_models_it_promises() -> None:
    assert len(LANGUAGE) == 216
    assert len(VERIFIED) == 180


@pytest.mark.parametrize("model", VERIFIED, ids=lambda model: model.id)
def test_parameters_recount_to_one_per_cent(model: LanguageModel) -> None:
    assert model.params / 1e9 == pytest.approx(model.params_total_b, rel=0.01)


def test_deepseek_v3_is_counted_by_hand() -> None:
    model = language_model("deepseek-v3")
    attention = 7168 * 1536 + 1536 * 128 * 192 + 7168 * 576 + 512 * 128 * 256 + 128 * 128 * 7168
    assert model.attention_params == 61 * attention
    assert model.expert_params == 3 * 7168 * 2048
    assert model.routed_params == 58 * 256 * 3 * 7168 * 2048
    assert model.kv_bytes(1, 2.0) == 61 * (512 + 64) * 2
    assert model.active_params / 1e9 == pytest.approx(36.6, abs=0.1)  # 37 B published, embedding left out


def test_kv_of_grouped_attention_is_counted_by_hand() -> None:
    assert language_model("llama-3-70b").kv_bytes(1000, 2.0) == 1000 * 80 * 8 * (128 + 128) * 2


def test_a_window_bounds_the_cache_and_the_scores() -> None:
    model = language_model("gpt-oss-120b")
    grown = model.kv_bytes(100_000) - model.kv_bytes(50_000)
    assert grown == 18 * 50_000 * 8 * 128 * 2  # the 18 full layers alone
    assert model.attention_flops(100_000) - model.attention_flops(50_000) == 18 * 2 * 64 * 128 * 50_000


def test_linear_layers_keep_a_state_of_fixed_size() -> None:
    model = language_model("qwen3-next-80b-a3b")
    assert model.kv_bytes(0) == 36 * 32 * 128 * 128 * 4
    assert model.kv_bytes(1000) - model.kv_bytes(0) == 1000 * 12 * 2 * 512 * 2


def test_an_index_bounds_what_a_token_reads_but_not_what_is_kept() -> None:
    model, plain = language_model("deepseek-v3.2"), language_model("deepseek-v3")
    assert model.kv_read_bytes(100_000) < 0.3 * plain.kv_read_bytes(100_000)
    assert model.kv_bytes(100_000) > plain.kv_bytes(100_000)


def test_compressed_attention_keeps_less_than_a_tenth_of_mla() -> None:
    small, large = language_model("deepseek-v4-flash"), language_model("deepseek-v3")
    assert 0 < small.kv_bytes(100_000) < 0.15 * large.kv_bytes(100_000)


def test_absorbed_scores_cost_more_than_plain_ones() -> None:
    model = language_model("deepseek-v3")
    assert model.attention_flops(1, absorbed=True) == 61 * 2 * 128 * (512 + 64 + 512)
    assert model.attention_flops(1) == 61 * 2 * 128 * (192 + 128)


def test_models_are_found_by_alias_whatever_the_case() -> None:
    assert find_model("DEEPSEEK-AI/deepseek-v3").id == "deepseek-v3"
    with pytest.raises(CatalogueError, match="did you mean 'deepseek-v3'"):
        find_model("deepseek-v33")
    with pytest.raises(CatalogueError, match="is not a language model"):
        language_model("flux.1-dev@1024")


def test_a_malformed_row_says_which_cell() -> None:
    row = {"id": "x", "name": "X", "hidden": "a lot"}
    with pytest.raises(CatalogueError, match="model x: `hidden` is 'a lot'"):
        read_model(LanguageModel, row)
    with pytest.raises(CatalogueError, match="model x: missing heads"):
        read_model(LanguageModel, row | {"hidden": 4096})


@pytest.mark.parametrize("table", ["language", "generation", "recommender", "multimodal"])
def test_each_row_has_a_source_a_date_and_a_confidence(table: str) -> None:
    text = (files("gigawright.catalogue") / "data" / f"models_{table}.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        assert row["source"], row["id"]
        assert row["known_from"], row["id"]
        assert row["confidence"] in ("A", "B", "C", "D", "derived", "assumption"), row["id"]
