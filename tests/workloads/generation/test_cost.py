from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.workloads.generation.constants import PRIORS, priors
from gigawright.workloads.generation.cost import PARTS, parts
from gigawright.workloads.generation.load import Room, loads, ready
from gigawright.workloads.generation.task import Split, Task

from .conftest import CARD, H100, named
from .reference import seconds

Make = Callable[..., Task]

CASES = [
    Task(named("flux.1-dev@1024"), H100),
    Task(named("flux.1-dev@1024"), H100, Split(2, 2), 4, mode="compiled", newer_attention=True),
    Task(named("flux.1-dev@1024"), CARD),
    Task(named("sdxl@1024"), H100, batch=8, precision="fp8", decoder_precision="int8", mode="engine"),
    Task(named("sdxl@1024"), H100, accelerators=8, batch=8, mode="engine", latency_s=20.0),
    Task(named("sd3-medium@1024"), H100, Split(cfg=2), 2, decoder_precision="fp32"),
    Task(named("wan2.2-t2v-a14b@720p-81f"), H100, Split(8), 8, decoder_precision="fp32", sharded=True),
    Task(named("wan2.2-ti2v-5b@704p-121f"), CARD, Split(4), 4, sharded=True),
    Task(named("step-video-t2v@544p-204f"), H100, Split(4), 4, plain_attention=True),
    Task(named("hunyuanvideo@720p-129f"), H100, Split(8), 8, parallel_decoder=True),
    Task(named("whisper-large-v3"), H100, batch=0, mode="engine", seconds=23.2, words=86.0),
    Task(named("whisper-large-v3"), CARD, batch=4, precision="fp32", seconds=70.0, words=250.0),
]


def item_s(*tasks: Task) -> list[float]:
    return [float(value) for value in parts(loads([ready(task) for task in tasks]), priors()).sum(axis=0)]


def test_agrees_with_the_slow_reference() -> None:
    made = [ready(task) for task in CASES]
    found = parts(loads(made), priors())
    for column, one in zip(found.T, made, strict=True):
        assert column.tolist() == pytest.approx(seconds(one, priors()), rel=1e-9, abs=1e-12)


def test_every_constant_matters_somewhere() -> None:
    load = loads([ready(task) for task in CASES])
    before = parts(load, priors()).sum(axis=0)
    for name, prior in PRIORS.items():
        moved = parts(load, {**priors(), name: prior.value * 0.9}).sum(axis=0)
        assert (moved != before).any(), name


def test_rows_alone_are_as_rows_together() -> None:
    load = loads([ready(task) for task in CASES])
    for at, task in enumerate(CASES):
        assert parts(load, priors())[:, at].sum() == pytest.approx(item_s(task)[0])


def test_priors_have_sources() -> None:
    for prior in PRIORS.values():
        assert prior.source
        assert prior.meaning
        assert prior.spread > 0


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(CASES[:4] + CASES[6:9]), st.integers(1, 60), st.integers(1, 60))
def test_more_steps_take_longer(task: Task, steps: int, more: int) -> None:
    model = task.model
    few, many = (replace(task, model=replace(model, steps=count)) for count in (steps, steps + more))
    one, other = item_s(few, many)
    assert one < other


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["flux.1-dev@1024", "wan2.1-t2v-14b@480p-81f", "hunyuanvideo@720p-129f"]),
    st.integers(16, 80),
    st.integers(1, 40),
)
def test_more_pixels_take_longer(name: str, cells: int, more: int) -> None:
    model = named(name)
    small, large = (
        Task(model.at_size(16 * side, 16 * side, model.frames), H100, mode="compiled")
        for side in (cells, cells + more)
    )
    # A bigger product can fill its last wave better: some per cent are no matter.
    one, other = item_s(small, large)
    assert one < other * 1.1


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([CASES[0], CASES[1], CASES[6]]), st.sampled_from([1, 2, 4]))
def test_more_accelerators_are_not_slower_beyond_their_traffic(task: Task, ranks: int) -> None:
    few, many = (replace(task, split=Split(count), accelerators=count) for count in (ranks, 2 * ranks))
    found = parts(loads([ready(few), ready(many)]), priors())
    device = found[:3].sum(axis=0)
    assert device[1] < device[0]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([case for case in CASES if case.split.ranks == 1]), st.floats(1.05, 4.0))
def test_more_bandwidth_is_not_slower(task: Task, factor: float) -> None:
    better = replace(task, chip=replace(task.chip, memory_gbs=task.chip.memory_gbs * factor))
    one, other = item_s(better, task)
    assert one <= other * (1 + 1e-9)


def test_guidance_doubles_the_passes(task: Make) -> None:
    model = named("wan2.1-t2v-14b@480p-81f")
    once = item_s(task(model.id), replace(task(model.id), model=replace(model, forwards_per_step=1.0)))
    assert once[0] == pytest.approx(2 * once[1], rel=0.06)


def test_guidance_on_two_cards_halves_the_passes(task: Make) -> None:
    alone, two = item_s(task("wan2.1-t2v-14b@480p-81f"), task("wan2.1-t2v-14b@480p-81f", split=Split(cfg=2)))
    assert 1.8 < alone / two < 2.0


def test_a_compiled_model_is_faster_and_an_overlapping_attention_too(task: Make) -> None:
    eager, compiled, newer = item_s(
        task("flux.1-dev@1024"),
        task("flux.1-dev@1024", mode="compiled"),
        task("flux.1-dev@1024", mode="compiled", newer_attention=True),
    )
    assert newer < compiled < eager


def test_a_latency_limit_costs_throughput_and_a_tight_one_more(task: Make) -> None:
    free, loose, tight = item_s(
        *(
            task("sdxl@1024", batch=8, mode="engine", accelerators=8, latency_s=limit)
            for limit in (0.0, 60.0, 2.0)
        )
    )
    assert free < loose < tight


def test_cards_without_a_link_pay_for_traffic(task: Make) -> None:
    near = parts(loads([ready(task("flux.1-dev@1024", split=Split(2)))]), priors())
    far = parts(loads([ready(task("flux.1-dev@1024", split=Split(2), chip=replace(CARD)))]), priors())
    assert far[PARTS.index("network"), 0] > 10 * near[PARTS.index("network"), 0]


def test_audio_is_worked_on_by_window(task: Make) -> None:
    whisper = {"mode": "engine", "batch": 0}
    short, long = item_s(
        task("whisper-large-v3", seconds=30.0, words=100.0, **whisper),
        task("whisper-large-v3", seconds=300.0, words=1000.0, **whisper),
    )
    assert long == pytest.approx(10 * short)
    alone, many = item_s(
        task("whisper-large-v3", seconds=30.0, words=100.0, mode="engine", batch=1),
        task("whisper-large-v3", seconds=30.0, words=100.0, mode="engine", batch=64),
    )
    assert many < alone


def test_what_does_not_fit_comes_from_host_memory(task: Make) -> None:
    fits, not_ = (Room.of(task("flux.1-dev@1024", chip=chip)) for chip in (H100, CARD))
    assert fits.holds
    assert not fits.moved_in
    # 11.9 B weights at 2 bytes, and 4.9 B of text encoders
    assert not_.moved_in == pytest.approx(2 * (11.89e9 + 4.9e9))
    assert 0 < not_.streamed < 2 * 11.89e9
    held = Room.of(task("wan2.2-t2v-a14b@720p-81f", split=Split(8), sharded=True))
    assert held.holds
