"""The constants of the training model: what each means, where its prior comes from, how it was fitted.

Values live in `workloads/data/training_constants.csv`; `make calibrate` writes them.
"""

from __future__ import annotations

from dataclasses import dataclass

from gigawright.workloads.priors import Prior


@dataclass(frozen=True)
class Constants:
    """Constants that hold for every chip, site and release; priors have sources in `PRIORS`."""

    gemm: float
    tile_s: float
    gemm_waves: float
    gemm_start_s: float
    gemm_four: float
    power: float
    attention: float
    attention_head: float
    attention_length: float
    grouped: float
    grouped_rows: float
    element: float
    cast: float
    block_cast: float
    permute: float
    launch_s: float
    expert_launch_s: float
    step_s: float
    optimiser: float
    link: float
    link_bytes: float
    nic: float
    nic_bytes: float
    hop_s: float
    node_hop_s: float
    hidden_tensor: float
    hidden_context: float
    hidden_expert: float
    hidden_pipeline: float
    hidden_data: float
    hidden_shard: float
    theft: float
    uneven: float
    selective: float
    scale: float
    immature: float
    maturing_years: float
    memory_used: float


PRIORS: dict[str, Prior] = {
    "gemm": Prior(
        "rate",
        0.95,
        0.1,
        "1",
        "large dense products over the best product measured on the chip",
        "Megatron-class layers reach 0.9-1.0 of the best shape",
    ),
    "tile_s": Prior(
        "rate",
        0.6e-6,
        0.5,
        "s",
        "time in which a core fills and empties its pipeline for a tile of a product",
        "joint fit to measured products of H100, B200, MI300X, MI355X (openxla/xla table) and A100 (SimuMax)",
    ),
    "gemm_waves": Prior(
        "share",
        0.2,
        0.5,
        "1",
        "share of the idle tail of the last wave of tiles that is lost",
        "the same fit",
    ),
    "gemm_start_s": Prior(
        "rate", 6e-6, 0.5, "s", "time that a product takes whatever its size", "the same fit"
    ),
    "gemm_four": Prior(
        "rate",
        0.8,
        0.2,
        "1",
        "4-bit products' share of peak over 8-bit ones'",
        "assumption: higher peaks are harder to feed",
    ),
    "power": Prior(
        "rate",
        0.33,
        0.3,
        "1",
        "exponent of rate against power at a given peak",
        "dynamic power grows with the cube of frequency: rate as its third root",
    ),
    "attention": Prior(
        "rate",
        0.60,
        0.25,
        "1",
        "fused attention's share of the 16-bit peak, forward and backward",
        "FlashAttention-2 and -3 papers: 0.5-0.75; SimuMax measured 0.71/0.69 on a B200",
    ),
    "attention_head": Prior(
        "rate",
        40.0,
        0.5,
        "values",
        "head size at which half of the rate is lost",
        "FlashAttention-2 (arXiv:2307.08691): heads of 64 reach about 0.8 of those of 128",
    ),
    "attention_length": Prior(
        "rate",
        400.0,
        0.5,
        "tokens",
        "sequence length at which half of the rate is lost",
        "FlashAttention-2, figures over sequence length",
    ),
    "grouped": Prior(
        "rate",
        0.70,
        0.25,
        "1",
        "grouped products over dense ones of the same depth",
        "SimuMax measured on a B200: 0.30 against 0.48 of peak",
    ),
    "grouped_rows": Prior(
        "rate",
        128.0,
        0.5,
        "tokens",
        "tokens an expert at which half of the rate is lost",
        "a tile of a product is 128 rows",
    ),
    "element": Prior(
        "rate",
        0.67,
        0.25,
        "1",
        "element-wise operators' share of memory bandwidth",
        "SimuMax measured on a B200: 0.67",
    ),
    "cast": Prior(
        "rate",
        3.0,
        0.5,
        "1",
        "passes over a product's input at 2 bytes to cast it by tensor",
        "maximum, read and two written transposes",
    ),
    "block_cast": Prior(
        "rate",
        1.5,
        0.3,
        "1",
        "casts by block over those by tensor",
        "assumption: both orientations scaled apart",
    ),
    "permute": Prior(
        "rate",
        0.50,
        0.3,
        "1",
        "permutation of tokens to experts, share of memory bandwidth",
        "SimuMax measured on a B200: 0.50",
    ),
    "launch_s": Prior(
        "rate",
        2.0e-4,
        0.5,
        "s",
        "host time a layer and micro-batch, forward and backward",
        "about 40 kernels of 5 us",
    ),
    "expert_launch_s": Prior(
        "rate",
        1.0e-4,
        0.7,
        "s",
        "host time a local expert, layer and micro-batch",
        "about 20 kernels of 5 us",
    ),
    "step_s": Prior(
        "rate",
        0.015,
        0.5,
        "s",
        "host time a step: clipping, logging, data",
        "assumption: tens of milliseconds",
    ),
    "optimiser": Prior(
        "rate", 0.7, 0.2, "1", "optimiser's share of memory bandwidth", "as element-wise operators"
    ),
    "link": Prior(
        "share",
        0.80,
        0.5,
        "1",
        "large messages' share of the scale-up link",
        "8 x H100 NCCL all-reduce 370 GB/s of 450; DeepEP 153-158 of 200",
    ),
    "link_bytes": Prior(
        "rate",
        4e6,
        0.7,
        "bytes",
        "message at which half of the scale-up link is lost",
        "NCCL curves: half rate at some megabytes",
    ),
    "nic": Prior(
        "share",
        0.85,
        0.5,
        "1",
        "large messages' share of the network card",
        "46-48 of 50 GB/s a card measured; DeepEP 43-51",
    ),
    "nic_bytes": Prior(
        "rate", 16e6, 0.7, "bytes", "message at which half of the network is lost", "NCCL curves"
    ),
    "hop_s": Prior(
        "rate", 10e-6, 0.3, "s", "latency of a collective in the scale-up domain", "small NCCL all-reduce"
    ),
    "node_hop_s": Prior(
        "rate",
        46e-6,
        0.3,
        "s",
        "latency of a collective over nodes, for each doubling",
        "46 us over two nodes of H100s",
    ),
    "hidden_tensor": Prior(
        "share",
        0.4,
        0.6,
        "1",
        "tensor-parallel traffic hidden behind products",
        "assumption: between none and the overlapped kernels",
    ),
    "hidden_context": Prior(
        "share",
        0.8,
        0.6,
        "1",
        "context-parallel traffic hidden behind attention",
        "ring attention overlaps all but the first step",
    ),
    "hidden_expert": Prior(
        "share",
        0.3,
        0.6,
        "1",
        "expert traffic hidden behind other work",
        "assumption: mostly exposed, unless the schedule overlaps it",
    ),
    "hidden_pipeline": Prior(
        "share",
        0.7,
        0.6,
        "1",
        "pipeline sends hidden behind other micro-batches",
        "interleaved schedules overlap sends",
    ),
    "hidden_data": Prior(
        "share", 0.8, 0.6, "1", "gradient and weight traffic hidden behind a micro-batch", "bucketed overlap"
    ),
    "hidden_shard": Prior(
        "share", 0.85, 0.6, "1", "traffic of sharded weights hidden behind products", "prefetch"
    ),
    "theft": Prior(
        "share",
        0.12,
        0.3,
        "1",
        "share of hidden traffic's time that its kernels take from products",
        "DeepSeek-V3 (arXiv:2412.19437): 20 of 132 multiprocessors",
    ),
    "uneven": Prior(
        "share",
        0.4,
        0.6,
        "1",
        "how much of an uneven last stage is felt",
        "assumption: embeddings are often counted as layers",
    ),
    "selective": Prior(
        "share",
        0.4,
        0.5,
        "1",
        "cost of recomputing what does not fit over that of whole layers",
        "assumption: cheap operators are recomputed first",
    ),
    "scale": Prior(
        "rate",
        0.005,
        0.5,
        "1",
        "step time added for each doubling beyond 8 accelerators",
        "H100 weak scaling loses 2.9-5.9% by 2,048",
    ),
    "immature": Prior(
        "rate",
        0.30,
        0.5,
        "1",
        "time that software adds on a chip that has just shipped",
        "MLPerf: software alone gained 20-40% on a given chip in its first year or two",
    ),
    "maturing_years": Prior(
        "rate", 1.0, 0.4, "years", "years in which that falls to 1/e", "the same rounds, a year apart"
    ),
    "memory_used": Prior(
        "share",
        0.96,
        0.0,
        "1",
        "share of device memory that a run may fill",
        "assumption: the rest is the driver's, the libraries' and fragmentation",
    ),
}
"""Every constant of `Constants`, in its order."""


def priors() -> Constants:
    """The constants before any fit.

    >>> priors().element
    0.67
    """
    return Constants(**{name: prior.value for name, prior in PRIORS.items()})
