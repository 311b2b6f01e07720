"""The constants of the generation model: what each means, and where its prior comes from.

Values live in `workloads/data/generation_constants.csv`; `make calibrate` writes them.
"""

from __future__ import annotations

from gigawright.workloads.priors import Prior

PRIORS: dict[str, Prior] = {
    "products": Prior(
        "rate",
        0.90,
        0.1,
        "1",
        "large products of a model over the best product measured on the chip",
        "as in training: Megatron-class layers reach 0.9-1.0; diffusion's odd sizes less",
    ),
    "low_products": Prior(
        "rate",
        0.80,
        0.15,
        "1",
        "products below 16 bits over that share",
        "assumption: casts and scales around each product, as in training's 4-bit products",
    ),
    "attention": Prior(
        "rate",
        1.0,
        0.07,
        "1",
        "products of attention over the best product measured on the chip",
        "FlashAttention-3 (arXiv:2407.08608): 740 TFLOP/s where the best product has 794",
    ),
    "softmax_cycles": Prior(
        "rate",
        0.27,
        0.3,
        "cycles",
        "cycles a core takes for a score's exponential, maximum and sum",
        "FlashAttention-2 with heads of 128: 225 TFLOP/s on an A100 (arXiv:2307.08691, figure 5) leave 0.26 "
        "cycles beside the products, 370 on an H100 (arXiv:2407.08608, figure 5) 0.28",
    ),
    "softmax_hidden": Prior(
        "share",
        0.5,
        0.5,
        "1",
        "share of that which newer kernels save or run behind products",
        "FlashAttention-3 (arXiv:2407.08608, figure 5): 600-700 TFLOP/s on the same chip and shapes",
    ),
    "element": Prior(
        "rate",
        0.67,
        0.2,
        "1",
        "fused element-wise kernels' share of memory bandwidth",
        "SimuMax measured on a B200: 0.67",
    ),
    "eager_bytes": Prior(
        "rate",
        1.0,
        0.25,
        "1",
        "bytes that PyTorch moves operator by operator over those counted in the code",
        "the count itself; strided reads and small operators are not in it",
    ),
    "launch_s": Prior(
        "rate",
        1.5e-5,
        0.4,
        "s",
        "host time to launch a kernel from PyTorch",
        "5-10 us an operator in PyTorch's own benchmarks, twice that with hooks of a diffusion library",
    ),
    "compiled_launch": Prior(
        "share",
        0.3,
        0.5,
        "1",
        "launches that a compiled model keeps",
        "fused kernels: 12-20 of 45-70 a layer remain",
    ),
    "exchange_s": Prior(
        "rate",
        2.5e-4,
        0.5,
        "s",
        "host time of an exchange of a sequence-parallel layer in PyTorch",
        "assumption: some 25 operators to split, permute and wait for each all-to-all or ring step",
    ),
    "link": Prior(
        "share",
        0.75,
        0.4,
        "1",
        "large messages' share of the scale-up link",
        "NCCL all-to-all on 8 x H100: 300-350 of 450 GB/s",
    ),
    "pcie": Prior(
        "share",
        0.35,
        0.5,
        "1",
        "share of the PCIe link that traffic between cards and from unpinned host memory reaches",
        "cards without peer access copy through host memory: 8-12 of 32 GB/s in NCCL tests",
    ),
    "volume_flops": Prior(
        "rate",
        70.0,
        0.5,
        "flop/cycle",
        "flops a cycle of a core at 3-D convolutions of 32-bit values in PyTorch; at 16 bits twice that",
        "assumption, made with rows in view: what eight cards take longer than an eighth of one card's time; "
        "the vector lanes could do 128-256, the matrix engines thousands",
    ),
    "decode_reads": Prior(
        "rate",
        0.45,
        0.3,
        "1",
        "share of memory bandwidth at which a speech decoder reads keys, values and weights",
        "assumption, made with rows in view: heads of 64 values read less well than the 0.67 of streams",
    ),
    "sample_s": Prior(
        "rate",
        4e-3,
        0.5,
        "s",
        "host time a sample of speech that an accelerator waits for: spectrogram, batching, text",
        "assumption, made with rows in view: a log-mel spectrogram of 30 s takes 5-10 ms on a processor core",
    ),
    "server": Prior(
        "share",
        0.95,
        0.5,
        "1",
        "throughput under a latency limit over that of large batches, besides queueing",
        "assumption: smaller batches and uneven loads; MLPerf LLM rows of one submission lose 2-10%",
    ),
}
"""Every constant, in the order of the file."""


def priors() -> dict[str, float]:
    """The constants before any fit.

    >>> priors()["element"]
    0.67
    """
    return {name: prior.value for name, prior in PRIORS.items()}
