"""Seconds of a batch by part: products, attention, memory, network, host, and decoding to pixels.

Arrays are [N], one element a row; see docs/generation.md for the equations.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gigawright.arrays import Bools, Floats
from gigawright.workloads.generation.load import Loads
from gigawright.workloads.generation.operators import Works
from gigawright.workloads.training.constants import priors as training_priors
from gigawright.workloads.training.operators import product

PARTS = ("products", "attention", "memory", "network", "host", "decoding")
"""Parts of a time, in the order of the first axis of every array of parts."""

TRAINED = training_priors()
"""Constants of single products (waves of tiles, pipelines to fill, starts), from joint fits to measured
products of five chips; see `training.constants`."""

HOP_S = TRAINED.hop_s
"""Latency of an exchange in a scale-up domain [s]."""

OVERLAP = 4.0
"""Power of the sum that hides the shorter of two things under way at once; assumption: 19% over the longer
where both are equal."""

SHARED = 3.0
"""Power of the sum of products and softmax in a fused attention; assumption, with which the published rates
of FlashAttention-2 on an A100 (225 of 312 TFLOP/s), an RTX 4090 (165 of 165, arXiv:2410.02367) and an H100
(370 of 989) agree on the cycles of a score."""

MIXED_BYTES = 1.5
"""Bytes of a value that element-wise kernels of an engine move where products run at 8 bits: they read 16
bits and write 8, since the next product's cast is fused into them (TensorRT, explicit quantisation)."""

WIDE_RATE = 0.5
"""Rate of products of 32-bit values (TF32) over 16-bit ones, on every chip that has both (data sheets)."""

TAIL = float(np.log(100.0))
"""Logarithm of one over the share of answers that may be late (1%)."""

BATCH_SHARE = 0.25
"""Share of a latency limit that a batch may take; assumption: it waits for another, and for its turn."""

LEAST_LOAD = 0.3
"""Least share of its throughput at which a server is run, however tight the limit; assumption."""

Constants = Mapping[str, float]


def parts(load: Loads, c: Constants) -> Floats:
    """Seconds by part for an item on a group of accelerators, at a pace that keeps the latency [parts, N]."""
    products = _products(load, load.main, c, load.chips.bytes < 2, load.wide > 0)
    attention = _attention(load, load.main, c, load.newer)
    element = c["element"] * load.chips.bandwidth
    reads = load.steps * load.step_bytes / (c["decode_reads"] * load.chips.bandwidth)
    size = np.where((load.engine > 0) & (load.chips.bytes < 2), MIXED_BYTES, 2.0)
    memory = (_moved(load, load.main, c, size) + load.written) / element + reads
    device = products + attention + memory
    network = _network(load, c, device)
    host = _host(load, c, device + network)
    decoding = _decoding(load, c)
    found = np.stack([products, attention, memory, network, host, decoding]) / load.batch
    return np.asarray(found / _served(load, c, found.sum(axis=0)))


def _products(load: Loads, work: Works, c: Constants, low: Bools, wide: Bools) -> Floats:
    """Dense products by `training.operators.product`; a convolution reads its input once for all taps."""
    row, chip = work.product_row, load.chips
    lower = (work.low > 0) & low[row]
    size = np.where(lower, chip.bytes[row], np.where(wide[row], 4.0, 2.0))
    sixteen = chip.sixteen[row] * np.where(wide[row], WIDE_RATE, 1.0)
    rate = c["products"] * np.where(lower, chip.low[row] * c["low_products"], sixteen)
    forever = np.full_like(rate, np.inf)
    work_s = product(work.m, work.n, work.k, rate, forever, chip.cores[row], size, TRAINED)
    operands = size * (work.m * work.k / work.taps + work.k * work.n + work.m * work.n)
    moved_s = operands / chip.bandwidth[row] + TRAINED.gemm_start_s
    return work.by_row(row, work.times * np.maximum(work_s, moved_s))


def _attention(load: Loads, work: Works, c: Constants, newer: Floats) -> Floats:
    """Products of scores and sums, and beside them cycles of a core for each score's exponential and sums.

    t = scores ((4 d / rate)^p + (s / (cores x clock))^p)^(1/p), p = `SHARED`: a core's warps take turns.
    Older kernels reach the legacy share of the rate, newer ones hide a share of the softmax.
    """
    row, chip = work.attention_row, load.chips
    scores = work.queries * work.keys * work.heads * work.attentions
    own = np.where(newer[row] > 0, 1.0, chip.legacy[row])
    multiply = 4 * work.dim / (c["attention"] * chip.sixteen[row] * own)
    cycles = c["softmax_cycles"] * (1 - c["softmax_hidden"] * newer[row])
    softmax = cycles / (chip.cores[row] * chip.clock[row])
    return work.by_row(row, scores * (multiply**SHARED + softmax**SHARED) ** (1 / SHARED))


def _network(load: Loads, c: Constants, device: Floats) -> Floats:
    """Exchanges of sequence-parallel layers in full, and the part of gathered weights that nothing hides."""
    chip = load.chips
    near = (chip.link > 0) & (load.ranks <= chip.domain)
    link = np.where(near, c["link"] * chip.link, c["pcie"] * chip.pcie)
    exchanged = load.exchanged / link + load.exchanges * HOP_S
    return np.asarray(exchanged + _exposed(load.gathered / link, device + exchanged))


def _host(load: Loads, c: Constants, device: Floats) -> Floats:
    """Launches that the device waits for, what comes from host memory, text encoded there, and samples."""
    kept = np.where(load.eager > 0, 1.0, c["compiled_launch"])
    exchanges = load.exchanges * c["exchange_s"]
    launches = np.where(load.engine > 0, 0.0, (load.main.kernels * c["launch_s"] + exchanges) * kept)
    inward = load.moved_in / (c["pcie"] * load.chips.pcie)
    return np.asarray(_exposed(launches, device) + inward + load.host_text_s + load.samples * c["sample_s"])


def _exposed(hidden: Floats, behind: Floats) -> Floats:
    """What work beside another adds to it: (h^p + b^p)^(1/p) - b."""
    longer = np.maximum(np.maximum(hidden, behind), 1e-30)
    both = longer * ((hidden / longer) ** OVERLAP + (behind / longer) ** OVERLAP) ** (1 / OVERLAP)
    return np.asarray(both - behind)


def _moved(load: Loads, work: Works, c: Constants, size: Floats) -> Floats:
    """Bytes of element-wise kernels: values of `size` where they are fused, else as counted in the code."""
    return np.where(load.eager > 0, c["eager_bytes"] * work.loose * size / 2, work.moved * size)


def _decoding(load: Loads, c: Constants) -> Floats:
    """From latents to pixels: 3-D convolutions at their own rate a core, 2-D ones as products."""
    chip, work = load.chips, load.decoder
    wide = load.decoder_wide > 0
    core = c["volume_flops"] * chip.cores * chip.clock * np.where(wide, 1.0, 1 / WIDE_RATE)
    matrix = c["products"] * chip.sixteen * np.where(wide, WIDE_RATE, 1.0)
    volume = work.volume * (1 / core + 1 / matrix)
    products = _products(load, work, c, load.decoder_low > 0, wide)
    moved = _moved(load, work, c, np.where(wide, 4.0, 2.0)) / (c["element"] * chip.bandwidth)
    return np.asarray(volume + products + moved + _attention(load, work, c, load.newer))


def _served(load: Loads, c: Constants, item_s: Floats) -> Floats:
    """Share of the throughput at which 99% of answers keep a latency limit; 1 without one.

    Batches are as large as `BATCH_SHARE` of the limit allows, b = min(batch, share x limit / item) x item. At
    a load rho of n servers 1% of answers wait longer than w = limit - 2 b: 1 - rho = ln(100) item / (2 n w),
    the tail of M/D/n in heavy traffic (Kingman 1962; half of M/M/n's); times what is lost to smaller batches.
    """
    batch = np.clip(BATCH_SHARE * load.latency_s / item_s, 1.0, load.batch)
    wait = np.maximum(load.latency_s - 2 * batch * item_s, 1e-9)
    spare = TAIL * item_s / (2 * np.maximum(load.servers, 1.0) * wait)
    share = c["server"] * np.maximum(LEAST_LOAD, 1 - spare)
    return np.asarray(np.where(load.latency_s > 0, share, 1.0))
