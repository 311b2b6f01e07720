"""First-light accuracy: the roofline against published measurements, as median and p90 relative error.

Run `python benchmarks/roofline_truth.py`; it reads the tables of measurements in
`$GIGAWRIGHT_SHARED/truth` (default: the folder `shared` beside the repository). Nothing is fitted here:
every constant stands in gigawright.workloads with its source. A row is left out, and counted, where its
model, accelerator or setting is not in the catalogue or its layout is not one the model knows.

Training is judged elsewhere, by runs left out of its calibration. The layout is the model's own choice in
offline serving (the measured one may be worse); token times are compared at the measured group and batch.
Serving rows are aggregated engines, whose token times include the prefill of other requests: those of the
table are predicted without it.
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from gigawright.catalogue.load import load_facts
from gigawright.catalogue.records import accelerator
from gigawright.catalogue.types import System
from gigawright.errors import CatalogueError
from gigawright.facts import FactBook
from gigawright.workloads import parallel, serving
from gigawright.workloads.architecture import generation_model, language_model, recommender_model
from gigawright.workloads.generation import generate_image, generate_video
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender import rank
from gigawright.workloads.roofline import machine

SHARED = Path(os.environ.get("GIGAWRIGHT_SHARED") or Path(__file__).resolve().parents[2] / "shared")
Row = dict[str, str]
Pair = tuple[str, float, float]  # group, predicted, measured

CHIPS = (
    ("GB300", "nv_gb300_nvl72"),
    ("GB200", "nv_gb200_nvl72"),
    ("B300", "nv_b300_sxm"),
    ("B200", "nv_b200_sxm"),
    ("H200", "nv_h200_sxm"),
    ("H20", "nv_h20_96"),
    ("H100", "nv_h100_sxm"),
    ("H800", "nv_h800"),
    ("A100-40GB", "nv_a100_40"),
    ("A100", "nv_a100_80"),
    ("A800", "nv_a800"),
    ("MI355X", "amd_mi355x"),
    ("MI325X", "amd_mi325x"),
    ("MI300X", "amd_mi300x"),
    ("TPU v6e", "g_v6e"),
    ("TPU v5p", "g_v5p"),
    ("910B", "hw_910b2"),
    ("910C", "hw_910c"),
    ("Gaudi 3", "in_gaudi3"),
)
"""What the tables call a chip, and its id in the catalogue; the first name that occurs holds."""

NOT_THE_PART = ("500W", "NVL-141", "RTX", "Arc", "Virtualized", " (x")
"""Variants of a chip that the catalogue does not have, and mixtures."""

MIXED_KW = 1.5
"""Wall power of the systems made up here [kW]; no number compared depends on it."""


class Left(Exception):
    """Why a row is not compared."""


@lru_cache(maxsize=1)
def book() -> FactBook:
    return FactBook(load_facts())


@lru_cache(maxsize=64)
def system(name: str) -> System:
    """A server of eight around the chip that a table names."""
    if any(part in name for part in NOT_THE_PART):
        raise Left(f"accelerator {name}")
    key = next((chip for part, chip in CHIPS if part.lower() in name.lower().replace("_sxm", "")), "")
    if not key:
        raise Left(f"accelerator {name}")
    chip = accelerator(book(), key)
    return System(key, key, chip, 8, MIXED_KW, "air", 1.0, 1.0, 1.0, 1.0, 1, 5.0, 0.0, None)


def table(name: str) -> Iterator[Row]:
    with (SHARED / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def precision(text: str) -> str:
    lower = text.lower()
    for key in ("fp4", "fp8", "fp16", "bf16", "int8"):
        if key in lower.replace("uint4", "fp4"):
            return {"fp16": "bf16"}.get(key, key)
    raise Left(f"precision {text!r}")


def number(text: str) -> float:
    found = re.match(r"~?([\d.]+)", text)
    if not found:
        raise Left(f"number {text!r}")
    return float(found.group(1))


def token_time(row: Row) -> Pair:
    """TPOT of an aggregated engine at its batch and group."""
    if row["mode"] != "agg" or not row["batch_size"] or row["attention_dp_size"] not in ("", "1"):
        raise Left("disaggregated or attention data parallel")
    if not row["precision"]:
        raise Left("precision ''")
    model = language_model(row["model_path"])
    rates = machine(system(row["system"]), precision(row["precision"]))
    groups = parallel.Groups(np.array([[float(row["tp_size"])]]), np.array([[1.0]]))
    context = float(row["isl"]) + float(row["osl"]) / 2
    step = serving.step_seconds(
        model,
        rates,
        groups,
        np.array([[float(row["batch_size"])]]),
        model.attention_flops(context, absorbed=model.is_mla),
        model.kv_read_bytes(context) * parallel.kv_copies(model, groups),
        once_a_node=False,
    )
    kind = "MoE" if model.is_moe else "dense"
    return f"TPOT, {kind}", float(step.total[0, 0]), float(row["silicon_tpot_ms"]) / 1e3


def offline(row: Row) -> Pair:
    """Output tokens a second an accelerator at the largest load: prefill and decode take turns."""
    if row["scenario"] not in ("Offline", "offline-throughput") or not row["output_tok_s_per_gpu"]:
        raise Left("scenario or pace")
    model = language_model(re.sub(r"^(llama2-70b|llama3.1-\d+b)(-99.*)?$", _mlperf, row["model"]))
    isl, osl = number(row["isl"]), number(row["osl"])
    machine_ = system(row["accelerator"])
    kind = precision(row["precision"])
    first = serving.serve_prefill(model, machine_, precision=kind, input_tokens=isl)
    then = serving.serve_decode(
        model, machine_, precision=kind, input_tokens=isl, output_tokens=osl, tpot_limit_s=1.0
    )
    if first.refused or then.refused:
        raise Left((first.refused or then.refused).split(":")[0])
    pace = osl / (isl / first.work_per_s + osl / then.work_per_s)
    return "offline serving", pace, float(row["output_tok_s_per_gpu"])


def _mlperf(found: re.Match[str]) -> str:
    return found.group(1).replace("llama2-", "llama-2-").replace("llama3.1-", "llama-3.1-")


def other(row: Row) -> Pair:
    """Images, videos and rankings."""
    names = row["accelerator"].split("/")[0]
    machine_, value = system(names), number(row["value"])
    if row["model"].startswith("HunyuanVideo"):
        setting = "960x960-129f" if row["scenario_or_setting"].startswith("960") else "720p-129f"
        return _clip(f"hunyuanvideo@{setting}", machine_, row, value)
    if row["model"] == "Wan2.2 T2V-A14B":
        return _clip(f"wan2.2-t2v-a14b@{row['scenario_or_setting'].lower()}-81f", machine_, row, value)
    if row["model"].startswith("FLUX.1-dev") and row["unit"] == "s/image":
        size = "2048" if row["scenario_or_setting"].startswith("2048") else "1024"
        model = generation_model(f"flux.1-dev@{size}")
        done = generate_image(model, machine_, group=int(row["n_accel"]))
        return "image, seconds", done.details["seconds_per_item"], value
    if row["model"] == "stable-diffusion-xl" and row["scenario_or_setting"] == "Offline":
        done = generate_image(generation_model("sdxl@1024"), machine_, precision="fp8")
        return "image, SDXL offline", done.work_per_s, value
    if row["model"].startswith("dlrm-v2") and row["scenario_or_setting"] == "Offline":
        done = rank(recommender_model("dlrm-dcnv2"), machine_, candidates=270, precision="int8")
        return "ranking, DLRM offline", done.work_per_s, value
    raise Left("workload or scenario")


def _clip(name: str, machine_: System, row: Row, value: float) -> Pair:
    done = generate_video(generation_model(name), machine_, group=int(row["n_accel"]))
    return "video, seconds", done.details["seconds_per_item"], value


def compare(name: str, predict: Callable[[Row], Pair]) -> tuple[dict[str, list[Pair]], Counter[str]]:
    """Pairs by group and reasons for rows left out."""
    pairs: dict[str, list[Pair]] = defaultdict(list)
    left: Counter[str] = Counter()
    for row in table(name):
        try:
            pair = predict(row)
            pairs[pair[0]].append(pair)
        except (Left, CatalogueError, Unpredictable) as reason:
            left[str(reason)[:60]] += 1
    return pairs, left


def main() -> None:
    if not (SHARED / "truth").is_dir():
        raise SystemExit(f"no measurements at {SHARED / 'truth'}; set GIGAWRIGHT_SHARED")
    print(f"{'group':28s}{'rows':>6s}{'median error':>14s}{'p90':>8s}{'median pred/meas':>18s}")
    notes: Counter[str] = Counter()
    for name, predict in (
        ("serving_silicon", token_time),
        ("serving_published", offline),
        ("other_workloads", other),
    ):
        pairs, left = compare(name, predict)
        notes.update({f"{name}: {reason}": count for reason, count in left.items()})
        for group, rows in sorted(pairs.items()):
            ratio = np.array([predicted / measured for _, predicted, measured in rows])
            error = np.abs(ratio - 1)
            print(
                f"{group:28s}{len(rows):6d}{np.median(error):14.1%}{np.quantile(error, 0.9):8.0%}"
                f"{np.median(ratio):18.2f}"
            )
    print("\nleft out:")
    for reason, count in notes.most_common(25):
        print(f"{count:6d}  {reason}")


if __name__ == "__main__":
    main()
