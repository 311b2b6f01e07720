"""Training runs from a CSV file: every row becomes a `Run` or says why it cannot.

Only the columns of `COLUMNS` are read, chosen by name from the header; what was measured of a run (step time,
throughput, utilisation) is never looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from gigawright.catalogue.types import Accelerator
from gigawright.errors import CatalogueError, UserError
from gigawright.facts import FactBook
from gigawright.workloads.cells import LARGEST, Cells, read_table
from gigawright.workloads.training.maturity import age_years
from gigawright.workloads.training.rows_chip import accelerator_named, slice_chips, without_slice
from gigawright.workloads.training.rows_model import COLUMN_FIELDS, Named, model_named
from gigawright.workloads.training.rows_words import (
    INTERLEAVED,
    NO_SITE,
    precision_of,
    recompute_of,
    sequence_parallel,
    zero_of,
)
from gigawright.workloads.training.run import Layout, Precision, Recipe, Recompute, Run

NEEDED = ("row_id", "model", "accelerator", "n_accel", "seq_len", "precision")
"""Columns a file must have."""

OPTIONAL = (
    *("document", "software_release", "params_total_B", *COLUMN_FIELDS),
    *("gbs_seqs", "gbs_tokens", "mbs", "tp", "pp", "dp", "cp", "ep", "vpp", "zero_or_fsdp", "recompute"),
)
"""Columns that count as blank where a file lacks them."""

MAY_BE_ZERO = frozenset({"ffn", "experts", "topk", "moe_ffn", "shared_ffn"})
"""Columns of a model where 0 says that it has none; blank leaves it to the catalogue."""

COLUMNS = (*NEEDED, *OPTIONAL)
"""All columns that are read."""

ASSUMED_BATCH_TOKENS = 4 * 2**20
"""Tokens in a step where a row is silent; assumption: 4 Mi, usual in large published runs."""

ASSUMED_ACCELERATORS = 1024
"""Accelerators where a row is silent; assumption: a middling cluster, whose size moves tokens/s little."""

ASSUMED_CHUNKS = 2
"""Chunks a stage where a row only says that there is more than one; assumption: the fewest."""

ASSUMED_ZERO = 1
"""Stage of ZeRO where a row is silent; assumption: the optimiser alone is shared, as in most rows."""

MOST_LAYERS = 10_000
"""No model in a row may have more layers; beyond it a number is a slip."""

VOCABULARY_STAGES = 2
"""Pieces of a pipeline that frameworks count beside the layers: embedding and output projection."""

BATCH_MISMATCH = 0.05
"""Share by which gbs_tokens may differ from gbs_seqs x seq_len, else the batch is doubtful; assumption."""


@dataclass(frozen=True)
class Row:
    """A row of a file: its run, or in `refused` all reasons why there is none; `line` is where it starts."""

    row_id: str
    line: int
    run: Run | None
    refused: str = ""


def read_rows(path: Path, book: FactBook) -> list[Row]:
    """Every row of a CSV file of training runs, in order.

    A row that is wrong or impossible is refused, with each problem by column, value and what is allowed; a
    `row_id` that an earlier row has already is one. Raises UserError for a file that cannot be read as a
    table with the columns `NEEDED`.
    """
    needs = f"give a CSV file with the columns {', '.join(NEEDED)} in its first line"
    table = read_table(path, needs)
    if missing := [name for name in NEEDED if name not in table.names]:
        word = "column" if len(missing) == 1 else "columns"
        raise UserError(f"{path}: missing {word} {', '.join(missing)}; {needs}")
    lines: dict[str, int] = {}
    chips: dict[str, Accelerator | str] = {}
    rows: list[Row] = []
    for line, cells in table.rows(COLUMNS):
        row_id = cells.text["row_id"]
        if not row_id:
            cells.problems.append("row_id is blank")
        elif (earlier := lines.setdefault(row_id, line)) != line:
            cells.problems.append(f"row_id {row_id!r} is on line {earlier} already, must be unique")
        run = _run(cells, book, chips) if cells.whole else None
        rows.append(Row(row_id, line, None if cells.problems else run, "; ".join(cells.problems)))
    return rows


def _run(cells: Cells, book: FactBook, chips: dict[str, Accelerator | str]) -> Run | None:
    """The run that a row describes; None where problems were noted."""
    chip, named = _chip(cells, book, chips), _model(cells)
    precision, recipe = _precision(cells, chip)
    seq_len = cells.count("seq_len")
    if not cells.text["seq_len"]:
        cells.problems.append("seq_len is blank, must be the tokens of a sequence")
    layout, accelerators = _layout(cells)
    batch = _batch(cells, layout, seq_len)
    if named is None or seq_len is None or batch is None:
        return None
    if layout is not None:
        layout = _fitted(cells, layout, named.model.is_moe, batch)
        _check_layout(cells, layout, named, seq_len, batch)
    if chip is None:
        return None
    windowed = named.parallel_block and not named.model.window
    if windowed:
        cells.assumed.append("window")
    return Run(
        model=named.model,
        chip=chip,
        accelerators=accelerators,
        seq_len=seq_len,
        batch=batch,
        precision=precision,
        recipe=recipe,
        layout=layout,
        mtp=named.mtp,
        dropped=named.dropped,
        parallel_block=named.parallel_block,
        # arXiv:2402.15627 does not print its window; assumption: half of the sequence.
        window=seq_len // 2 if windowed else 0,
        site="" if cells.text["document"] in NO_SITE else cells.text["document"],
        release=cells.text["software_release"],
        age_years=age_years(cells.text["document"], cells.text["software_release"], chip, book),
        assumed=tuple(dict.fromkeys((*named.assumed, *cells.assumed))),
    )


def _chip(cells: Cells, book: FactBook, chips: dict[str, Accelerator | str]) -> Accelerator | None:
    """The accelerator; `chips` keeps those looked up before, or why there is none."""
    text = without_slice(cells.text["accelerator"])
    if text not in chips:
        try:
            chips[text] = accelerator_named(text, book)
        except CatalogueError as error:
            chips[text] = str(error)
    chip = chips[text]
    if isinstance(chip, Accelerator):
        return chip
    cells.problems.append("accelerator is blank" if not text else f"accelerator {chip}")
    return None


def _model(cells: Cells) -> Named | None:
    """The model by name and columns; None where problems were noted."""
    before = len(cells.problems)
    least = {column: 0 if column in MAY_BE_ZERO else 1 for column in COLUMN_FIELDS}
    most = {"layers": MOST_LAYERS}
    counts = {
        column: cells.count(column, least[column], most.get(column, LARGEST)) for column in COLUMN_FIELDS
    }
    params = cells.number("params_total_B", 0)
    if not cells.text["model"]:
        cells.problems.append("model is blank")
    if len(cells.problems) > before:
        return None
    filled = {column: count for column, count in counts.items() if count is not None}
    try:
        return model_named(cells.text["model"], filled, params)
    except CatalogueError as error:
        cells.problems.append(str(error))
        return None


def _precision(cells: Cells, chip: Accelerator | None) -> tuple[Precision, Recipe]:
    """The precision and how its values are scaled; `?` behind it marks it as assumed."""
    try:
        precision, recipe, sure = precision_of(cells.text["precision"], chip)
    except ValueError as error:
        cells.problems.append(f"precision is {error}")
        return "bf16", ""
    if not sure:
        cells.assumed.append("precision")
    return precision, recipe


def _layout(cells: Cells) -> tuple[Layout | None, int]:
    """The layout, or None where the row leaves it open, and the number of accelerators.

    Open means that neither tp nor pp is given and that dp does not use up the accelerators alone.
    """
    before = len(cells.problems)
    columns = ("tp", "pp", "cp", "dp", "ep", "mbs", "n_accel")
    tensor, pipeline, context, data, expert, micro, number = [cells.count(column) for column in columns]
    number = number or slice_chips(cells.text["accelerator"])
    lanes = (tensor or 1) * (pipeline or 1) * (context or 1)
    if len(cells.problems) > before:
        return None, 1
    if number is None:
        number = lanes * (data or math.ceil(ASSUMED_ACCELERATORS / lanes))
        if data is None:
            cells.assumed.append("accelerators")
    if tensor is None and pipeline is None and (data is None or lanes * data != number):
        cells.assumed.append("layout")
        return None, number
    data = data or max(1, number // lanes)
    if lanes > number:
        cells.problems.append(f"tp x pp x cp is {lanes}, at most n_accel {number}")
    elif lanes * data != number:
        what = f"tp x pp x cp x dp is {lanes * data}" if cells.text["dp"] else f"tp x pp x cp is {lanes}"
        must = "be" if cells.text["dp"] else "divide"
        cells.problems.append(f"{what}, must {must} n_accel {number}")
    return _spread(cells, (tensor or 1, pipeline or 1, data, context or 1), expert or 1, micro), number


def _spread(cells: Cells, split: tuple[int, int, int, int], expert: int, micro: int | None) -> Layout:
    """A layout of `split` (tensor, pipeline, data, context), sharded and recomputed as the row says."""
    tensor, pipeline, data, context = split
    stage = zero_of(cells.text["zero_or_fsdp"])
    told = recompute_of(cells.text["recompute"])
    zero, shard = stage or (_assume(cells, "zero", ASSUMED_ZERO), 0)
    if told is None:
        cells.assumed.append("recompute")
    recompute: Recompute = told or "auto"
    return Layout(
        tensor=tensor,
        pipeline=pipeline,
        data=data,
        context=context,
        expert=expert,
        chunks=_chunks(cells),
        micro_batch=micro or _assume(cells, "micro_batch", 1),
        zero=zero,
        shard=shard,
        recompute=recompute,
        sequence_parallel=sequence_parallel(cells.text["document"], recompute),
    )


def _assume(cells: Cells, what: str, value: int) -> int:
    cells.assumed.append(what)
    return value


def _chunks(cells: Cells) -> int:
    if cells.text["vpp"].replace(" ", "") == ">1":
        return _assume(cells, "chunks", ASSUMED_CHUNKS)
    told = cells.count("vpp")
    unsaid = INTERLEAVED.get(cells.text["document"], 1)
    return told or (_assume(cells, "chunks", unsaid) if unsaid > 1 else 1)


def _batch(cells: Cells, layout: Layout | None, seq_len: int | None) -> int | None:
    """Sequences in a step: as given, from the tokens, or assumed; None where problems were noted."""
    before = len(cells.problems)
    sequences, tokens = cells.number("gbs_seqs", 1), cells.number("gbs_tokens", 1)
    if seq_len is None or len(cells.problems) > before:
        return None
    if sequences is not None:
        if tokens and abs(tokens / (sequences * seq_len) - 1) > BATCH_MISMATCH:
            cells.assumed.append("batch")
        return round(sequences)
    if tokens is not None:
        if tokens < seq_len:
            cells.problems.append(f"gbs_tokens is {tokens:.0f}, at least seq_len {seq_len}")
            return None
        return round(tokens / seq_len)
    cells.assumed.append("batch")
    group = layout.data * layout.micro_batch if layout else 1
    return max(1, round(ASSUMED_BATCH_TOKENS / seq_len / group)) * group


def _fitted(cells: Cells, layout: Layout, is_moe: bool, batch: int) -> Layout:
    """The layout without what has no effect, and with a micro-batch that a data-parallel rank can fill."""
    most = max(1, batch // layout.data)
    if layout.micro_batch > most:
        cells.assumed.append("micro_batch")
    return replace(
        layout,
        expert=layout.expert if is_moe else 1,
        chunks=layout.chunks if layout.pipeline > 1 else 1,
        micro_batch=min(layout.micro_batch, most),
    )


def _check_layout(cells: Cells, layout: Layout, named: Named, seq_len: int, batch: int) -> None:
    """Note what no run can do with this model, however well it is laid out."""
    model, ranks = named.model, layout.tensor * layout.data * layout.context
    stages, pieces = layout.pipeline * layout.chunks, model.layers + named.mtp + VOCABULARY_STAGES
    limits = (
        ("tp", layout.tensor, "heads", model.heads),
        ("pp", layout.pipeline, "layers", model.layers),
        ("pp x vpp", stages, "layers, embedding and output", pieces),
        ("cp", layout.context, "seq_len", seq_len),
        ("ep", layout.expert, "experts", max(1, model.experts)),
        ("ep", layout.expert, "tp x dp x cp", ranks),
        ("dp", layout.data, "sequences in a step", batch),
    )
    for name, value, limit, most in limits:
        if value > most:
            cells.problems.append(f"{name} is {value}, at most {most} ({limit})")
