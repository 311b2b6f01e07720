"""The cost of a ready task once more, slowly and in scalars, after docs/generation.md, not after the code."""

from __future__ import annotations

import math

from gigawright.workloads.generation.chips import chip_row
from gigawright.workloads.generation.load import Ready
from gigawright.workloads.generation.operators import Work

TILE, TILE_S, WAVES, START_S, HOP_S = 128.0, 0.6e-6, 0.2, 6e-6, 10e-6


def seconds(ready: Ready, c: dict[str, float]) -> list[float]:
    """Seconds an item by part: products, attention, memory, network, host, decoding."""
    task, chip = ready.task, chip_row(ready.task.chip, ready.task.precision)
    wide = task.precision in ("fp32", "tf32", "float32")
    element = c["element"] * chip["bandwidth"]
    products = dense(ready.main, chip, c, chip["bytes"] < 2, wide)
    attention = scores(ready.main, chip, c, task.newer_attention)
    size = 1.5 if task.mode == "engine" and chip["bytes"] < 2 else 2.0
    eager = task.mode == "eager"
    moved = c["eager_bytes"] * ready.main.loose if eager else size * ready.main.moved
    memory = (moved + ready.written) / element
    memory += ready.steps * ready.step_bytes / (c["decode_reads"] * chip["bandwidth"])
    device = products + attention + memory
    network = wire(ready, chip, c, device)
    host = waiting(ready, chip, c, device + network)
    parts = [products, attention, memory, network, host, pixels(ready, chip, c)]
    share = 1.0
    if task.latency_s:
        item_s = sum(parts) / ready.batch
        batch = min(float(ready.batch), max(1.0, 0.25 * task.latency_s / item_s))
        wait = max(task.latency_s - 2 * batch * item_s, 1e-9)
        servers = max(1.0, task.accelerators / task.split.ranks)
        spare = math.log(100) * item_s / (2 * servers * wait)
        share = c["server"] * max(0.3, 1 - spare)
    return [part / ready.batch / share for part in parts]


def dense(work: Work, chip: dict[str, float], c: dict[str, float], low: bool, wide: bool) -> float:
    total = 0.0
    for one in work.products:
        lower = low and one.low
        size = chip["bytes"] if lower else 4.0 if wide else 2.0
        rate = chip["low"] * c["low_products"] if lower else chip["sixteen"] * (0.5 if wide else 1.0)
        rate *= c["products"]
        waves = math.ceil(one.m / TILE) * math.ceil(one.n / TILE) / chip["cores"]
        tail = math.ceil(waves) / waves
        fill = TILE_S * rate / chip["cores"] / (2 * TILE * TILE)
        lost = (1 + WAVES * min(tail - 1, 3.0)) * (1 + fill / one.k)
        compute = 2 * one.m * one.n * one.k * lost / rate
        operands = size * (one.m * one.k / one.taps + one.k * one.n + one.m * one.n)
        total += one.times * (max(compute, operands / chip["bandwidth"]) + START_S)
    return total


def scores(work: Work, chip: dict[str, float], c: dict[str, float], newer: bool) -> float:
    total = 0.0
    for one in work.attention:
        count = one.queries * one.keys * one.heads * one.times
        softmax = c["softmax_cycles"] / chip["cores"] / chip["clock"]
        multiply = 4 * one.dim / (c["attention"] * chip["sixteen"])
        if newer:
            softmax *= 1 - c["softmax_hidden"]
        else:
            multiply /= chip["legacy"]
        total += count * (multiply**3 + softmax**3) ** (1 / 3)
    return total


def wire(ready: Ready, chip: dict[str, float], c: dict[str, float], device: float) -> float:
    near = chip["link"] > 0 and ready.task.split.ranks <= chip["domain"]
    link = c["link"] * chip["link"] if near else c["pcie"] * chip["pcie"]
    sent = ready.exchanged / link + ready.exchanges * HOP_S
    return sent + beside(ready.gathered / link, device + sent)


def waiting(ready: Ready, chip: dict[str, float], c: dict[str, float], device: float) -> float:
    launches = 0.0
    if ready.task.mode != "engine":
        launches = ready.main.kernels * c["launch_s"] + ready.exchanges * c["exchange_s"]
        launches *= c["compiled_launch"] if ready.task.mode == "compiled" else 1.0
    inward = ready.moved_in / (c["pcie"] * chip["pcie"])
    return beside(launches, device) + inward + ready.host_text_s + ready.samples * c["sample_s"]


def beside(own: float, other: float) -> float:
    return float((own**4 + other**4) ** 0.25 - other)


def pixels(ready: Ready, chip: dict[str, float], c: dict[str, float]) -> float:
    wide = ready.task.decoder_precision in ("fp32", "tf32", "float32")
    low = ready.task.decoder_precision in ("int8", "fp8")
    work = ready.decoder
    core = c["volume_flops"] * chip["cores"] * chip["clock"] * (1 if wide else 2)
    matrix = c["products"] * chip["sixteen"] * (0.5 if wide else 1)
    values = c["eager_bytes"] * work.loose / 2 if ready.task.mode == "eager" else work.moved
    moved = values * (4 if wide else 2) / (c["element"] * chip["bandwidth"])
    total = work.volume * (1 / core + 1 / matrix) + moved
    total += scores(work, chip, c, ready.task.newer_attention)
    return total + dense(work, chip, c, low, wide)
