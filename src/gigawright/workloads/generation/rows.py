"""Rows of images, videos and transcripts from a CSV file: every row becomes a `Task` or says why not.

Only the columns of `COLUMNS` are read; what was measured is never looked at. Rows of other families are left
out. MLPerf's rows are read by its rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from gigawright.catalogue.types import Accelerator
from gigawright.errors import CatalogueError, UserError
from gigawright.facts import FactBook
from gigawright.workloads.cells import Cells, read_table
from gigawright.workloads.generation import speech
from gigawright.workloads.generation.decoders import decoder_of
from gigawright.workloads.generation.model import GenerationModel
from gigawright.workloads.generation.rows_model import model_at, variants_named
from gigawright.workloads.generation.rows_text import Setting, precisions, setting_of
from gigawright.workloads.generation.task import Split, Task
from gigawright.workloads.generation.units import Item, Unit, unit_named
from gigawright.workloads.training.rows_chip import accelerator_named, slice_chips, without_slice

FAMILIES = {"diffusion-image": ("image",), "diffusion-video": ("video", "image"), "speech": ("speech",)}
"""Families of rows that are answered, and the kinds of model they have."""

NEEDED = ("row", "family", "model", "accelerator", "scenario_or_setting", "unit")
"""Columns a file must have."""

COLUMNS = (*NEEDED, "precision", "n_accel", "software", "submitter", "date")
"""All columns that are read."""

OUT_OF_SCOPE = re.compile(r"minutes to quality target|x(?![a-z])|%", re.IGNORECASE)
"""How units begin that are no pace of generation."""

BATCH = 8
"""Pictures that an engine takes at once where throughput is told; NVIDIA's submissions for SDXL
(mlcommons/inference_results_v5.1, closed/NVIDIA: gpu_batch_size of 8 to 16)."""

SERVER_LIMIT_S = 20.0
"""Limit of the 99th percentile in MLPerf's Server scenario for Stable Diffusion XL (MLPerf inference rules,
latency constraints)."""

NEWER_SINCE = 2025.5
"""Year from which PyTorch's software is taken to run FlashAttention-3 or like kernels where it does not say;
published in July 2024 (arXiv:2407.08608); assumption: a year to spread."""

NEWER_SOFTWARE = re.compile(r"^\W*wan", re.IGNORECASE)
"""Software that has run them from its first release (Wan-Video/Wan2.1 wan/modules/attention.py)."""

NEWER_CHIPS = ("Hopper", "Blackwell")
"""Generations that such kernels exist for."""


ONE_ITEM = Item()
"""An item that holds nothing in particular."""


@dataclass(frozen=True)
class Row:
    """A row of a file: what it asks, its unit and what an item is; or in `refused` why there is none."""

    key: str
    line: int
    family: str
    task: Task | None = None
    unit: Unit | None = None
    item: Item = ONE_ITEM
    refused: str = ""


def read_rows(path: Path, book: FactBook) -> list[Row]:
    """Every row of the families answered, in order.

    A row that is wrong is refused, with each problem by column and value. Raises UserError for a file that
    cannot be read as a table with the columns `NEEDED`.
    """
    needs = f"give a CSV file with the columns {', '.join(NEEDED)} in its first line"
    table = read_table(path, needs)
    if missing := [name for name in NEEDED if name not in table.names]:
        word = "column" if len(missing) == 1 else "columns"
        raise UserError(f"{path}: missing {word} {', '.join(missing)}; {needs}")
    lines: dict[str, int] = {}
    return [
        _row(line, cells, lines, book)
        for line, cells in table.rows(COLUMNS)
        if not cells.whole or cells.text["family"] in FAMILIES
    ]


def _row(line: int, cells: Cells, lines: dict[str, int], book: FactBook) -> Row:
    key, family = cells.text["row"], cells.text["family"]
    if not key:
        cells.problems.append("row is blank")
    elif (earlier := lines.setdefault(key, line)) != line:
        cells.problems.append(f"row {key!r} is on line {earlier} already, must be unique")
    if not cells.whole:
        return Row(key, line, family, refused="; ".join(cells.problems))
    unit = _unit(cells)
    task = _task(cells, unit, book) if unit else None
    if cells.problems or task is None or unit is None:
        return Row(key, line, family, refused="; ".join(cells.problems))
    return Row(key, line, family, task, *_counted(unit, task, cells))


def _counted(unit: Unit, task: Task, cells: Cells) -> tuple[Unit, Item]:
    """The unit and what an item holds.

    LoadGen counts tokens where a benchmark's answers are text, so that MLPerf's `Samples/s` of Whisper are
    output tokens: as windows of 30 s, the 5,600 a second of a B200 would ask 12.7 PFLOP/s of the encoder,
    five times the chip's peak.
    """
    item = Item(
        tokens=task.words,
        audio_s=task.seconds or task.model.seconds,
        steps=task.model.steps,
        ranks=task.split.ranks,
        accelerators=max(task.accelerators, task.split.ranks),
    )
    if task.model.kind == "speech" and unit.of == "items" and not unit.inverse and _is_mlperf(cells):
        return replace(unit, of="tokens"), item
    return unit, item


def _is_mlperf(cells: Cells) -> bool:
    text = " ".join(cells.text[name] for name in ("scenario_or_setting", "date", "software")).lower()
    return "mlperf" in text or bool(re.search(r"\b(offline|server)\b", text))


def _unit(cells: Cells) -> Unit | None:
    text = cells.text["unit"]
    if OUT_OF_SCOPE.match(text):
        cells.problems.append(f"out of scope: unit {text!r} is no pace of images, videos or speech")
        return None
    try:
        return unit_named(text)
    except ValueError as error:
        cells.problems.append(f"unit is {error}")
        return None


def _task(cells: Cells, unit: Unit, book: FactBook) -> Task | None:
    """What a row asks; None where problems were noted."""
    chip = _chip(cells, book)
    text = cells.text
    count = cells.count("n_accel") or slice_chips(text["accelerator"])
    setting = setting_of(f"{text['scenario_or_setting']} {text['model']}")
    variants = _variants(cells)
    told = precisions(text["precision"])
    if text["precision"] and told is None:
        cells.problems.append(f"precision is {text['precision']!r}, must name such as bf16, fp8 or int8")
    if chip is None or not variants or cells.problems:
        return None
    if count is None:
        count = setting.split.ranks if setting.split else 1
        cells.assumed.append("n_accel")
    if told is None:
        cells.assumed.append("precision")
    model, assumed = model_at(variants, setting, setting.label)
    found = Task(
        model=model,
        chip=chip,
        accelerators=count,
        precision=told[0] if told else "bf16",
        software=text["software"],
        site=text["submitter"],
        assumed=tuple(cells.assumed) if _is_mlperf(cells) else (*cells.assumed, *assumed),
    )
    return _run(found, setting, cells, unit, told[1] if told else None)


def _run(task: Task, setting: Setting, cells: Cells, unit: Unit, decoder: str | None) -> Task:
    """The task with its software, split, batch and limit."""
    software = setting_of(cells.text["software"])
    mode = setting.mode or software.mode or ("engine" if _is_mlperf(cells) else "eager")
    together = (unit.inverse or setting.split is not None) and task.model.kind != "speech"
    split = _split(task, setting) if together else Split()
    guessed = split.ranks > 1 and setting.split is None and "ulysses" not in cells.text["software"].lower()
    many = mode == "engine" and not unit.inverse and task.model.kind == "image"
    usual = 0 if task.model.kind == "speech" else BATCH if many else 1
    limited = setting.server and task.model.kind == "image"
    return replace(
        task,
        split=split,
        batch=setting.batch or usual,
        decoder_precision=decoder or _decoder_precision(task.model, mode),
        mode=mode,
        newer_attention=task.chip.generation in NEWER_CHIPS and _newer(setting, software, mode, cells),
        plain_attention=setting.plain_attention or software.plain_attention,
        sharded=(setting.sharded or software.sharded) and split.ranks > 1,
        parallel_decoder=setting.parallel_decoder,
        latency_s=SERVER_LIMIT_S if limited else 0.0,
        seconds=_audio(task.model, setting),
        words=_words(task.model, setting),
        assumed=(*task.assumed, "split") if guessed else task.assumed,
    )


def _newer(setting: Setting, software: Setting, mode: str, cells: Cells) -> bool:
    """Whether attention overlaps its softmax: as told, in every engine, and by software and date."""
    for told in (setting.newer_attention, software.newer_attention):
        if told is not None:
            return told
    own = NEWER_SOFTWARE.match(cells.text["software"])
    return mode == "engine" or bool(own) or _year(cells.text["date"]) >= NEWER_SINCE


def _split(task: Task, setting: Setting) -> Split:
    """How the accelerators of a row share an item: as told, and by sequence over those not told."""
    if setting.split is None:
        return Split(ulysses=task.accelerators)
    rest = max(1, task.accelerators // setting.split.ranks)
    return replace(setting.split, ulysses=setting.split.ulysses * rest)


def _decoder_precision(model: GenerationModel, mode: str) -> str:
    wide = model.kind == "video" and decoder_of(model).wide and mode != "engine"
    return "fp32" if wide else "bf16"


def _audio(model: GenerationModel, setting: Setting) -> float:
    if model.kind != "speech":
        return 0.0
    return setting.clip_s or speech.MLPERF_SECONDS


def _words(model: GenerationModel, setting: Setting) -> float:
    """Output tokens of a sample of speech, in proportion to its length."""
    return _audio(model, setting) / speech.MLPERF_SECONDS * speech.MLPERF_TOKENS


def _year(text: str) -> float:
    """The row's date in decimal years; one without a month counts from its first day, none as new."""
    found = re.search(r"\b(20\d\d)(?:-(\d\d))?\b", text)
    if found is None:
        return NEWER_SINCE
    return int(found[1]) + (int(found[2]) - 0.5) / 12 if found[2] else float(found[1])


def _chip(cells: Cells, book: FactBook) -> Accelerator | None:
    text = cells.text["accelerator"]
    if not text:
        cells.problems.append("accelerator is blank")
        return None
    try:
        return accelerator_named(without_slice(text), book)
    except CatalogueError as error:
        cells.problems.append(f"accelerator {error}")
        return None


def _variants(cells: Cells) -> list[GenerationModel]:
    text = cells.text["model"]
    if not text:
        cells.problems.append("model is blank")
        return []
    try:
        return variants_named(text, FAMILIES[cells.text["family"]])
    except CatalogueError as error:
        cells.problems.append(str(error))
        return []
