"""Models as arrays against the counts of the model itself, and against published ones."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings

from gigawright.workloads.architecture import load_models
from gigawright.workloads.language import LanguageModel
from gigawright.workloads.training.examples import example_run
from gigawright.workloads.training.run import Layout, Run
from gigawright.workloads.training.shapes import QUANTISED_SLOTS, SLOTS, Shapes, shapes

from .drawing import A_RUN, MODELS

LANGUAGE = sorted(name for name, model in load_models().items() if isinstance(model, LanguageModel))


def a_run(model: str, **changes: int) -> Run:
    return replace(example_run(model, "nv_h100_sxm", 8, 4096, 8, Layout()), **changes)  # type: ignore[arg-type]


def alone(run: Run) -> dict[str, np.ndarray]:
    return {name: np.asarray(value)[..., 0] for name, value in vars(shapes([run])).items()}


@pytest.mark.parametrize("name", LANGUAGE)
def test_products_are_all_resident_parameters(name: str) -> None:
    """No weight is left out or counted twice: routed experts and output projection apart."""
    run = a_run(name)
    found = alone(run)
    products = (found["outputs"] * found["inputs"] * found["times"]).sum()
    assert products == pytest.approx(run.model.resident_params, rel=1e-6)
    assert found["dense"] == run.model.resident_params
    assert found["dense"] + found["routed"] + found["vocabulary"] == pytest.approx(
        run.model.gemm_params + run.model.routed_params
    )
    assert (found["times"] >= 0).all()
    assert (found["outputs"] >= 0).all()


@pytest.mark.parametrize("name", LANGUAGE)
def test_flops_of_the_convention(name: str) -> None:
    """Six a parameter that a token meets, and causal attention (PaLM, arXiv:2204.02311, appendix B)."""
    model = a_run(name).model
    if model.window:  # the first tokens see less
        w = min(model.window, 4096)
        model = replace(model, window=round(w - w**2 / 4096 / 2))
    expected = 6 * model.active_params + 3 * model.attention_flops(2048)
    assert alone(a_run(name))["flops"] == pytest.approx(expected)


def test_what_a_plain_layer_moves_and_keeps() -> None:
    """GPT-3: 14 h around norms and residuals, attention's inputs and output, 3 x 4 h of the activation."""
    model, found = a_run("gpt3-175b").model, alone(a_run("gpt3-175b"))
    h, layers = model.hidden, model.layers
    assert found["unsplit"] == 14 * h * layers
    assert found["moved"] == (14 + 2 * 3 + 3 * 4) * h * layers
    assert found["kept"] == (4 + 4 + 2 * 4) * h * layers
    assert found["kept_experts"] == found["routed"] == found["moe_layers"] == 0


def test_deepseek_v3_by_its_paper() -> None:
    """671 bn values (arXiv:2412.19437, section 4.2), and 11.5 bn of weights of its own for the MTP module
    (README_WEIGHTS of the model, embedding and output shared).
    """
    plain, trained = alone(a_run("deepseek-v3")), alone(a_run("deepseek-v3", mtp=1))
    whole = plain["dense"] + plain["routed"] + 2 * plain["vocabulary"]
    assert whole / 1e9 == pytest.approx(671, rel=0.002)
    more = trained["dense"] + trained["routed"] - plain["dense"] - plain["routed"]
    assert more / 1e9 == pytest.approx(11.5, rel=0.02)
    assert trained["layers"] - plain["layers"] == 1
    assert trained["moe_layers"] - plain["moe_layers"] == pytest.approx(1)
    assert trained["heads_out"] == 2
    assert trained["flops"] / plain["flops"] == pytest.approx(1 + 1 / 61, rel=0.05)


def test_attention_counts_whole_tiles() -> None:
    """The diagonal runs through tiles of 128 of which half is thrown away."""
    run = a_run("llama-3.1-8b")
    assert alone(run)["attention_flops"] == run.model.attention_flops(2048 + 64)
    long = replace(run, seq_len=131072)
    assert alone(long)["attention_flops"] / run.model.attention_flops(65536) == pytest.approx(1.001, abs=1e-4)


def test_windows_shorten_attention() -> None:
    """Gemma 3 attends to 1,024 tokens in five of six layers (arXiv:2503.19786, section 2)."""
    run = a_run("gemma-3-27b", seq_len=32768)
    everywhere = replace(run.model, full_layers=run.model.layers, window_layers=0)
    share = alone(run)["attention_flops"] / alone(replace(run, model=everywhere))["attention_flops"]
    assert share == pytest.approx((10 + 52 * (1024 + 128) / 16384) / 62, rel=0.02)


def test_a_runs_own_window_shortens_attention() -> None:
    run = a_run("llama-3.1-8b", seq_len=32768)
    whole = alone(run)["attention_flops"]
    seen = [alone(replace(run, window=window))["attention_flops"] / whole for window in (1024, 4096, 0)]
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_a_window_of_half_the_sequence_saves_a_quarter() -> None:
    """Mean over positions of min(i, w) for w = s/2: s/8 + s/4 = 3 s/8, against s/2."""
    run = a_run("llama-3.1-8b", seq_len=32768)
    saved = alone(replace(run, window=16384))["attention_flops"] / alone(run)["attention_flops"]
    assert saved == pytest.approx(0.75, rel=0.01)


def test_a_models_window_of_half_the_sequence_saves_a_quarter() -> None:
    """OLMo 3: 24 of 32 layers attend to 4,096 tokens."""
    run = a_run("olmo-3-7b", seq_len=8192)
    everywhere = replace(run.model, full_layers=run.model.layers, window_layers=0, window=0)
    share = alone(run)["attention_flops"] / alone(replace(run, model=everywhere))["attention_flops"]
    assert share == pytest.approx((8 + 24 * 0.75) / 32, rel=0.03)


def test_keys_and_values_as_attention_reads_them() -> None:
    assert alone(a_run("llama-3-70b"))["kv_width"] == 2 * 8 * 128
    assert alone(a_run("deepseek-v3"))["kv_width"] == 128 * (192 + 128)


@pytest.mark.parametrize("name", ["qwen3-next-80b-a3b", "nemotron-h-56b"])
def test_keys_and_values_of_layers_that_have_them(name: str) -> None:
    model = a_run(name).model
    found = alone(a_run(name))
    per_token = found["kv_width"] * found["attention_layers"]
    assert per_token == pytest.approx(model.full_layers * model.kv_heads * (model.head_dim + model.value_dim))


@pytest.mark.parametrize("name", MODELS)
def test_multi_token_prediction_adds_a_layer(name: str) -> None:
    run = a_run(name)
    before, after = alone(run), alone(replace(run, mtp=1))
    for key in ("attention_flops", "moved", "kept", "unsplit", "dense"):
        assert after[key] / before[key] == pytest.approx(1 + 1 / run.model.layers), key
    if run.model.is_moe:
        for key in ("routed", "kept_experts", "moe_layers"):
            assert after[key] / before[key] == pytest.approx(1 + 1 / run.model.moe_layers), key


@settings(max_examples=100, deadline=None)
@given(run=A_RUN)
def test_every_count_is_a_count(run: Run) -> None:
    for name, value in alone(run).items():
        assert np.isfinite(value).all(), name
        assert (value >= 0).all(), name
    found = alone(run)
    assert found["unsplit"] <= found["moved"]
    assert found["activated"] < found["kept"] + found["kept_experts"]
    assert found["head_dim"] > 0
    assert found["expert_width"] > 0


def test_runs_side_by_side_are_the_runs_alone() -> None:
    runs = [a_run(name) for name in MODELS]
    together = shapes(runs)
    assert together.outputs.shape == (len(SLOTS), len(MODELS)) == (len(QUANTISED_SLOTS), len(MODELS))
    for place, run in enumerate(runs):
        for name, value in alone(run).items():
            np.testing.assert_array_equal(getattr(together, name)[..., place], value, err_msg=name)


def test_taking_some() -> None:
    together = shapes([a_run(name) for name in MODELS])
    some = together.take([3, 0])
    for field in fields(Shapes):
        whole = getattr(together, field.name)
        np.testing.assert_array_equal(getattr(some, field.name), whole[..., [3, 0]])
