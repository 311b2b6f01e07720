"""Files of serving rows for tests."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

SILICON = {
    "id": "r1",
    "silicon_data_source": "source_file=2026-03-25.csv; measured=2026-03-25T00:00:00Z",
    "backend": "sglang",
    "backend_version": "0.5.9",
    "model_path": "deepseek-ai/DeepSeek-R1",
    "system": "h200_sxm",
    "precision": "fp8",
    "mode": "agg",
    "isl": "1024",
    "osl": "1024",
    "concurrency": "64",
    "gemm_quant_mode": "fp8",
    "moe_quant_mode": "fp8_block",
    "batch_size": "64",
    "tp_size": "8",
    "pp_size": "1",
    "attention_dp_size": "1",
    "moe_tp_size": "8",
    "moe_ep_size": "1",
}

PHASES = {
    f"{phase}_{name}": ""
    for phase in ("prefill", "decode")
    for name in (
        *("batch_size", "num_workers", "tp_size", "pp_size"),
        *("attention_dp_size", "moe_tp_size", "moe_ep_size"),
    )
}

APART = {
    **SILICON,
    **dict.fromkeys(
        ("batch_size", "tp_size", "pp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size"), ""
    ),
    **PHASES,
    "mode": "disagg",
    "prefill_tp_size": "8",
    "prefill_pp_size": "1",
    "prefill_attention_dp_size": "1",
    "prefill_moe_tp_size": "1",
    "prefill_moe_ep_size": "8",
    "decode_tp_size": "8",
    "decode_pp_size": "1",
    "decode_attention_dp_size": "1",
    "decode_moe_tp_size": "1",
    "decode_moe_ep_size": "8",
}

PUBLISHED = {
    "row": "9",
    "model": "llama2-70b-99",
    "precision": "fp8",
    "accelerator": "NVIDIA H200-SXM-141GB",
    "gpus": "8",
    "nodes_x_gpus_or_parallelism": "1x8",
    "engine": "TensorRT 10.11, CUDA 12.9",
    "isl": "~294 (OpenOrca)",
    "osl": "~301 (OpenOrca; result file TOKENS_PER_SAMPLE)",
    "scenario": "Server",
    "concurrency_or_batch": "max under SLA",
    "tpot_ms_or_sla": "TTFT<=2s TPOT<=200ms p99 (memory)",
    "submitter": "ASUSTeK",
    "dataset_date": "MLPerf Inference v5.1 2025-09",
    "source": "mlcommons/inference_results_v5.1",
}

LATENCY = {
    "exp_id": "3.0",
    "model": "meta-llama/Llama-3.1-8B-Instruct",
    "workload": "general",
    "hardware": "H100",
    "precision": "FP16",
    "tp": "1.0",
    "dp": "",
    "max_num_batched_tokens": "2048.0",
    "isl": "500",
    "osl": "250",
    "concurrency": "8",
}


def written(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """The rows as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
