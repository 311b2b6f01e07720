"""The cost of an iteration: what each part grows with, and by how much."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.workloads.architecture import language_model
from gigawright.workloads.serving.constants import PRIORS
from gigawright.workloads.serving.cost import (
    all_reduce,
    all_to_all,
    bound_by_compute,
    decoding,
    drafting,
    forward,
    most_sequences,
    prompting,
    room,
    yielded,
)
from gigawright.workloads.serving.service import Layout, Service
from gigawright.workloads.serving.sizes import Sizes, sizes

from ..conftest import H100

C = {name: prior.value for name, prior in PRIORS.items()}
CHIP = replace(H100, cores=132, host_gbs=63.0, generation="Hopper")
GIBIBYTE = 2.0**30


def case(model: str = "llama-3.1-70b", layout: Layout | None = None, **changes: Any) -> Sizes:
    asked: dict[str, Any] = {"input_tokens": 2000.0, "output_tokens": 500.0, "concurrency": 8.0}
    chip = replace(CHIP, **changes.pop("chip", {}))
    return sizes([Service(language_model(model), chip, layout or Layout(tensor=4), **(asked | changes))])


def at(value: float) -> np.ndarray[Any, Any]:
    return np.array([float(value)])


def products(s: Sizes, tokens: float, **constants: float) -> float:
    return float(forward(s, C | constants, at(tokens), at(1)).products[0])


def test_a_few_tokens_take_the_time_in_which_weights_are_read() -> None:
    """70 bn 8-bit values over four chips at 80% of 3,350 GB/s, and an output projection at 16 bits."""
    s = case()
    model = language_model("llama-3.1-70b")
    read = (model.resident_params + 2 * model.head_params) / 4 / (0.8 * 3350e9)
    assert products(s, 1, product_rows=0.0) == pytest.approx(read, rel=0.01)


def test_many_tokens_take_the_time_in_which_products_are_computed() -> None:
    s = case()
    model = language_model("llama-3.1-70b")
    more = products(s, 2e6, tile_s=0.0, element=1e9) - products(s, 1e6, tile_s=0.0, element=1e9)
    assert more == pytest.approx(2 * model.resident_params * 1e6 / 4 / (1979e12 * 0.709 * 0.85), rel=0.01)


@given(tokens=st.floats(1, 1e5), more=st.floats(1.01, 10))
@pytest.mark.parametrize("model", ["llama-3.1-70b", "deepseek-v3", "gpt-oss-120b"])
def test_no_part_falls_with_tokens(model: str, tokens: float, more: float) -> None:
    s = case(model, Layout(tensor=2, data=4, expert=8))
    less, other = (forward(s, C, at(n), at(n)) for n in (tokens, tokens * more))
    for part in ("products", "experts", "network", "fixed"):
        assert getattr(other, part)[0] >= getattr(less, part)[0]
    assert other.total[0] > less.total[0]
    assert other.total[0] < less.total[0] * more  # weights are read once


def test_experts_are_read_as_tokens_touch_them() -> None:
    s = case("deepseek-v3", Layout(tensor=8, expert=8))
    known = C | {"expert_rows": 0.0, "grouped": 1e9, "skew": 1.0, "uneven": 0.0, "expert_stream": 1.0}
    model = language_model("deepseek-v3")
    layer = model.expert_params / (8 * 3350e9) * 58
    for tokens in (1, 10, 1000):
        touched = 256 * (1 - (1 - 8 / 256) ** tokens)
        found = float(forward(s, known, at(tokens), at(1)).experts[0])
        assert found == pytest.approx(touched * layer, rel=1e-6)


def test_whole_experts_wait_for_the_busiest_rank() -> None:
    split = case("deepseek-v3", Layout(tensor=8, expert_tensor=8))
    whole = case("deepseek-v3", Layout(tensor=8, expert=8))
    free = C | {"tile_s": 0.0}
    ratio = forward(whole, free, at(64), at(64)).experts / forward(split, free, at(64), at(64)).experts
    assert float(ratio[0]) == pytest.approx(1 + C["uneven"] * 7 / 8)


def test_products_of_thin_slices_fill_cores_in_vain() -> None:
    one, many = case(layout=Layout(tensor=1)), case(layout=Layout(tensor=8))
    assert products(many, 1e5) > products(one, 1e5) / 8
    assert products(many, 1e5, tile_s=0.0) == pytest.approx(products(one, 1e5, tile_s=0.0) / 8)


def test_dense_models_have_no_experts_and_a_single_chip_no_traffic() -> None:
    found = forward(case(layout=Layout()), C, at(64), at(64))
    assert found.experts[0] == 0
    assert found.network[0] == 0


def test_an_all_reduce_moves_twice_its_message_less_a_share() -> None:
    s = case(layout=Layout(tensor=8))
    wire = 2 * 7 / 8 * 1e9 / (C["link"] * 450e9)
    assert all_reduce(s, C, s.tensor, at(1e9))[0] == pytest.approx(C["hop_s"] + wire)
    wide = case(layout=Layout(tensor=16), chip={"nic_gbps": 100.0})
    across = 2 * 15 / 16 * 1e9 / (C["nic"] * 12.5e9 * 8)
    hop = C["hop_s"] + C["node_hop_s"]
    assert all_reduce(wide, C, wide.tensor, at(1e9))[0] == pytest.approx(hop + across)


def test_tokens_go_once_to_each_rank_and_node_with_their_experts() -> None:
    s = case("deepseek-v3", Layout(tensor=1, data=32, expert=32))
    sent = 1e6
    met = 32 * (1 - (31 / 32) ** 8) * 7 / 8 * sent / (C["link"] * 450e9)
    far = 3 * (1 - (3 / 4) ** 8) * sent / (C["nic"] * 50e9)
    hops = 2 * (C["hop_s"] + 2 * C["node_hop_s"])
    assert far > met
    assert all_to_all(s, C, s.data, at(sent))[0] == pytest.approx(hops + far)


def test_messages_of_16_bit_experts_are_larger() -> None:
    layout = Layout(tensor=1, data=8, expert=8)
    found = [
        float(forward(case("deepseek-v3", layout, precision=name), C, at(4096), at(1)).network[0])
        for name in ("fp8", "bf16")
    ]
    assert found[1] > found[0]


def test_stages_of_a_pipeline_send_to_each_other() -> None:
    found = [
        float(forward(case(layout=Layout(tensor=1, pipeline=stages)), C, at(1000), at(1)).network[0])
        for stages in (1, 2, 5)
    ]
    assert found[0] == 0
    assert found[2] == pytest.approx(4 * found[1])


def test_fixed_time_counts_kernels_layers_with_experts_and_sequences() -> None:
    s = case("deepseek-v3", Layout(tensor=1, data=4, expert=4))
    found = float(forward(s, C, at(10), at(10)).fixed[0])
    kernels = float(s.kernels[0])
    assert kernels > 1000
    wanted = C["step_s"] + kernels * C["kernel_s"] + 58 * C["routing_s"] + 10 * C["sequence_s"]
    assert found == pytest.approx(wanted)


def test_a_latent_cache_is_not_split_by_tensor_groups() -> None:
    """Each rank holds the whole latent; grouped heads are split, but not beyond their number."""
    free = C | {"decode_attention": 1e12}
    for model, speedups in (("deepseek-v3", [1, 1, 1]), ("llama-3.1-70b", [2, 8, 8])):
        alone = decoding(case(model, Layout(tensor=1)), free, at(32))[0]
        for tensor, wanted in zip((2, 8, 16), speedups, strict=True):
            found = decoding(case(model, Layout(tensor=tensor)), free, at(32))[0]
            assert alone / found == pytest.approx(wanted)


def test_reading_the_cache_takes_its_bytes_over_bandwidth() -> None:
    s = case(layout=Layout(tensor=4))
    read = 32 * 163_840 * 2250 / 4 / (C["cache"] * 3350e9)
    assert decoding(s, C | {"decode_attention": 1e12}, at(32))[0] == pytest.approx(read)


def test_attention_of_prompts_is_half_the_square() -> None:
    s = case(input_tokens=8000.0)
    flops = 2 * 64 * 256 * 80 * 8000 * 4000
    assert prompting(s, C)[0] == pytest.approx(flops / 4 / (989e12 * C["prompt_attention"]))
    half = case(input_tokens=8000.0, cached=0.5)
    assert prompting(half, C)[0] == pytest.approx(0.75 * prompting(s, C)[0])


def test_room_is_what_weights_and_buffers_leave() -> None:
    model = language_model("llama-3.1-70b")
    s = case()
    weights = (model.resident_params + 4 * model.head_params) / 4
    buffers = 8192 * 8192 * 4 * 2
    assert room(s, C)[0] == pytest.approx(0.9 * (80 * GIBIBYTE - weights - buffers))
    assert most_sequences(s, C)[0] == pytest.approx(room(s, C)[0] * 4 / (163_840 * 2250))


def test_weights_that_do_not_fit_leave_no_room() -> None:
    assert room(case(layout=Layout(tensor=1), precision="bf16"), C)[0] < 0
    assert most_sequences(case(layout=Layout(tensor=1), precision="bf16"), C)[0] < 0


@pytest.mark.parametrize("model", ["deepseek-v3", "gpt-oss-120b"])
def test_wider_workers_hold_more(model: str) -> None:
    found = [
        float(most_sequences(case(model, Layout(tensor=2, data=data, expert=2 * data)), C)[0])
        for data in (8, 16, 32)
    ]
    assert found == sorted(found)
    assert found[0] < found[-1]


def test_steps_yield_the_drafts_that_are_kept() -> None:
    assert yielded(case(), C)[0] == 1.0
    assert yielded(case(drafted=2, accepted=1.3), C)[0] == pytest.approx(2.3)
    assumed = case(drafted=3, accepted=1.3, assumed=("accepted",))
    assert yielded(assumed, C)[0] == pytest.approx(1 + 0.75 + 0.75**2 + 0.75**3)


def test_drafts_read_an_output_projection_each() -> None:
    head = language_model("llama-3.1-70b").head_params * 2 / 4 / (C["stream"] * 3350e9)
    assert drafting(case(drafted=2), C)[0] == pytest.approx(2 * head)
    assert drafting(case(), C)[0] == 0


def test_a_crowd_is_bound_by_computing() -> None:
    for model in ("llama-3.1-70b", "deepseek-v3"):
        s = case(model, Layout(tensor=8, expert=8))
        assert not bound_by_compute(s, C, at(4))[0]
        assert bound_by_compute(s, C, at(50_000))[0]
