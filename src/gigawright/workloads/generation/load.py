"""A task made ready: its operators counted, what fits where, and what crosses links."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from gigawright.arrays import Floats, Ints
from gigawright.workloads.generation import decoders, speech, transformer, unet
from gigawright.workloads.generation.chips import Chips, chip_row, chips
from gigawright.workloads.generation.model import GenerationModel
from gigawright.workloads.generation.operators import Product, Work, Works, works
from gigawright.workloads.generation.task import Task
from gigawright.workloads.performance import Unpredictable

USABLE = 0.92
"""Share of device memory that weights and activations may fill; assumption: the rest is the driver's, the
libraries' and fragmentation."""

LIVE = 24
"""Values of hidden width alive for a token at the peak of a pass; assumption: one layer's."""

TEXT_WIDTH, TEXT_KERNELS = 4096, 600
"""Width of a text encoder's products, and kernels it launches: T5-XXL's width; 24 layers of 25 kernels."""

HOST_FLOPS = 1e12
"""Flop/s of a host that encodes text where the card has no room for it; assumption: some 16 cores."""

SPEECH_BATCH = 256
"""Most samples of speech in flight; vLLM's default, which MLPerf's reference for Whisper sets
(mlcommons/inference, speech2text/reference_SUT.py: max_num_seqs)."""

WRITTEN_SCORES = 4.0
"""Times a score is written or read by attention that is not fused: by the first product, twice by the
softmax, by the second."""

WIDE = ("fp32", "tf32", "float32")


@dataclass(frozen=True)
class Ready:
    """A task and what a batch of its items needs of one accelerator of the group.

    `main` is all passes of backbone and text encoder, `decoder` the way to pixels. `exchanges` counts
    all-to-alls and ring steps and `exchanged` the bytes that one sends in all, `gathered` those of weights;
    `moved_in` bytes come from host memory, `host_text_s` is text encoded there, `written` are bytes of scores
    that attention writes and reads. `steps` of a speech decoder
    read `step_bytes` each.
    """

    task: Task
    batch: float
    main: Work
    decoder: Work
    exchanges: float = 0.0
    exchanged: float = 0.0
    gathered: float = 0.0
    moved_in: float = 0.0
    host_text_s: float = 0.0
    written: float = 0.0
    steps: float = 0.0
    step_bytes: float = 0.0
    samples: float = 0.0
    assumed: tuple[str, ...] = ()


def ready(task: Task) -> Ready:
    """The task with its operators counted; Unpredictable where it cannot run or a fact is missing."""
    chip_row(task.chip, task.precision)
    return _speech(task) if task.model.kind == "speech" else _diffusion(task)


def _diffusion(task: Task) -> Ready:
    model, split, batch = task.model, task.split, max(1, task.batch)
    together = model.kind == "image" and model.forwards_per_step > 1 and split.cfg == 1
    forwards = model.forwards_per_step / min(split.cfg, model.forwards_per_step)
    passes, width = (model.steps, batch * forwards) if together else (model.steps * forwards, float(batch))
    backbone = backbone_of(model, width, split.sequence)
    text = text_encoder(model, batch * (2.0 if model.forwards_per_step > 1 else 1.0))
    room = Room.of(task)
    exchanges, sent = exchanged(task, width)
    layers = (model.layers or len(backbone.products)) * passes
    return Ready(
        task=task,
        batch=float(batch),
        main=backbone.times(passes) + (Work() if room.host_text else text),
        decoder=decoders.decode(model, batch).times(1 / split.ranks if task.parallel_decoder else 1.0),
        exchanges=exchanges * layers,
        exchanged=sent * layers,
        gathered=room.backbone * passes * (split.ranks - 1) / split.ranks if task.sharded else 0.0,
        moved_in=room.moved_in + room.streamed * passes,
        host_text_s=text.flops() / HOST_FLOPS if room.host_text else 0.0,
        written=2.0 * WRITTEN_SCORES * backbone.scores() * passes if task.plain_attention else 0.0,
        assumed=("weights from host memory",) if room.moved_in else (),
    )


def exchanged(task: Task, width: float) -> tuple[float, float]:
    """Exchanges of a layer, and the bytes that a rank sends in them, for `width` sequences at once.

    Ulysses sends (u - 1) / u of q, k, v and the output in four all-to-alls (arXiv:2309.14509), a ring k and v
    to its neighbour r - 1 times (arXiv:2310.01889).

    >>> from gigawright.workloads.generation.examples import flux
    >>> from gigawright.workloads.generation.task import Split
    >>> exchanged(flux(Split(ulysses=4)), 1.0)  # 4 x 3/4 of 1,152 tokens of 3,072 values of 2 bytes
    (4.0, 21233664.0)
    """
    model, split = task.model, task.split
    local = 2.0 * width * (model.tokens + model.text_tokens) / split.sequence * (model.width_values or 1280)
    count = (4.0 if split.ulysses > 1 else 0.0) + (2.0 * split.ring if split.ring > 1 else 0.0)
    sent = 4.0 * local * (split.ulysses - 1) / split.ulysses + 2.0 * local * (split.ring - 1)
    return count, sent


def backbone_of(model: GenerationModel, batch: float = 1.0, ranks: float = 1.0) -> Work:
    """One forward pass of the backbone."""
    if model.backbone == "unet":
        shape = unet.unet_of(model.id)
        return unet.forward(shape, model.width, model.height, model.text_tokens or 77, batch).times(1 / ranks)
    return transformer.forward(model, batch, ranks)


def text_encoder(model: GenerationModel, prompts: float) -> Work:
    """Text encoders over `prompts` prompts: 2 flops a weight and token."""
    tokens = prompts * (model.text_tokens or 77)
    times = model.text_encoder_b * 1e9 / TEXT_WIDTH**2
    return Work((Product(tokens, TEXT_WIDTH, TEXT_WIDTH, times, low=False),), kernels=TEXT_KERNELS)


@dataclass(frozen=True)
class Room:
    """What fits: bytes of the backbone's active weights, those that come from host memory once an item, and
    those that must come at each pass; whether text is encoded on the host; and the bytes that activations
    lack, which then have to be worked on in pieces.
    """

    backbone: float
    moved_in: float = 0.0
    streamed: float = 0.0
    host_text: bool = False
    short: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether everything stays in the accelerators' memory."""
        return not (self.moved_in or self.streamed or self.short)

    @classmethod
    def of(cls, task: Task) -> Room:
        """What of a task fits the memory of its accelerators."""
        model, row = task.model, chip_row(task.chip, task.precision)
        backbone = model.params_b * 1e9 / model.experts * row["bytes"]
        text = model.text_encoder_b * 1e9 * 2.0
        shared = task.split.ranks if task.sharded else 1
        tokens = task.batch * (model.tokens + model.text_tokens) / task.split.sequence
        live = 2.0 * LIVE * (model.hidden or 1280) * tokens
        usable = USABLE * row["memory"]
        free, total = max(0.0, usable - live), backbone * model.experts + text
        if total / shared <= free:
            return cls(backbone)
        return cls(
            backbone=backbone,
            moved_in=total / shared,
            streamed=max(0.0, backbone / shared - free),
            host_text=text > 0.4 * row["memory"],
            short=max(0.0, live - usable),
        )


def _speech(task: Task) -> Ready:
    """Windows of audio side by side: as many as are asked for or usual, and the memory holds."""
    model = task.model
    width = 4.0 if task.precision in WIDE else 2.0
    free = USABLE * chip_row(task.chip, task.precision)["memory"] - model.params_b * 1e9 * width
    held = int(free / speech.cache_bytes(model, width))
    if held < 1:
        raise Unpredictable(f"not feasible: {model.name} does not fit {task.chip.name}")
    windows = max(1.0, math.ceil(task.seconds / speech.WINDOW_S))
    batch = min(task.batch * windows or SPEECH_BATCH, held)
    words = task.words / windows
    step = speech.step(model, words, width)
    return Ready(
        task=task,
        batch=batch / windows,
        main=speech.encode(model, batch) + Work(kernels=step.kernels * words),
        decoder=Work(),
        steps=words,
        step_bytes=step.weights + batch * step.cache,
        samples=float(batch),
    )


@dataclass(frozen=True)
class Loads:
    """Ready tasks as arrays, one element a row."""

    chips: Chips
    main: Works
    decoder: Works
    batch: Floats
    ranks: Floats
    eager: Floats
    engine: Floats
    newer: Floats
    wide: Floats
    decoder_low: Floats
    decoder_wide: Floats
    exchanges: Floats
    exchanged: Floats
    gathered: Floats
    moved_in: Floats
    host_text_s: Floats
    written: Floats
    steps: Floats
    step_bytes: Floats
    samples: Floats
    latency_s: Floats
    servers: Floats

    def take(self, rows: Ints) -> Loads:
        """These rows alone."""
        own = ("chips", "main", "decoder")
        plain = {
            field.name: getattr(self, field.name)[rows] for field in fields(self) if field.name not in own
        }
        return Loads(self.chips.take(rows), self.main.take(rows), self.decoder.take(rows), **plain)


def loads(rows: Sequence[Ready]) -> Loads:
    """Ready tasks as arrays."""
    tasks = [row.task for row in rows]

    def of(values: Sequence[float | bool]) -> Floats:
        return np.array(values, dtype=float)

    return Loads(
        chips=chips([(task.chip, task.precision) for task in tasks]),
        main=works([row.main for row in rows]),
        decoder=works([row.decoder for row in rows]),
        batch=of([row.batch for row in rows]),
        ranks=of([task.split.ranks for task in tasks]),
        eager=of([task.mode == "eager" for task in tasks]),
        engine=of([task.mode == "engine" for task in tasks]),
        newer=of([task.newer_attention for task in tasks]),
        wide=of([task.precision in WIDE for task in tasks]),
        decoder_low=of([task.decoder_precision in ("int8", "fp8") for task in tasks]),
        decoder_wide=of([task.decoder_precision in WIDE for task in tasks]),
        exchanges=of([row.exchanges for row in rows]),
        exchanged=of([row.exchanged for row in rows]),
        gathered=of([row.gathered for row in rows]),
        moved_in=of([row.moved_in for row in rows]),
        host_text_s=of([row.host_text_s for row in rows]),
        written=of([row.written for row in rows]),
        steps=of([row.steps for row in rows]),
        step_bytes=of([row.step_bytes for row in rows]),
        samples=of([row.samples for row in rows]),
        latency_s=of([task.latency_s for task in tasks]),
        servers=of([task.accelerators / task.split.ranks for task in tasks]),
    )
