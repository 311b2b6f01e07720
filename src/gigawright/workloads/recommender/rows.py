"""Rows of measured recommenders from a CSV file: every row becomes an `Ask` or says why it cannot.

Only the columns of `COLUMNS` are read; what was measured is never looked at. Rows of other families are left
out. MLPerf's DLRM rows are read by its rules: samples of 270 user-item pairs, a limit of 60 ms at the 99th
percentile in the Server scenario, and products of the interaction at 16 bits for the target of 99.9%.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gigawright.catalogue.records import accelerator
from gigawright.catalogue.types import Accelerator
from gigawright.errors import CatalogueError, UserError
from gigawright.facts import FactBook
from gigawright.workloads.architecture import recommender_model
from gigawright.workloads.cells import Cells, read_table
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender.model import RecommenderModel
from gigawright.workloads.recommender.service import Ask, precision_named
from gigawright.workloads.recommender.sizes import sizes
from gigawright.workloads.recommender.units import Unit, unit_named
from gigawright.workloads.training.maturity import shipped_year
from gigawright.workloads.training.rows_chip import accelerator_named, slice_chips, without_slice
from gigawright.workloads.training.run import MATURE_YEARS

FAMILIES = ("recommender-inference", "recommender-ranking")
"""Families of rows that are answered."""

NEEDED = ("row", "family", "model", "accelerator", "scenario_or_setting", "unit")
"""Columns a file must have."""

COLUMNS = (*NEEDED, "precision", "n_accel", "submitter", "date")
"""All columns that are read."""

MLPERF_PAIRS = 270.0
"""User-item pairs in a sample of MLPerf's DLRM: 100 to 700, drawn from a fixed distribution
(mlcommons/inference, recommendation/dlrm_v2: the first hundred of its reference trace have 268 on average;
89,137,319 pairs in 330,067 samples [the latter cited, unverified])."""

OFFLINE_PAIRS = 600_000.0
SERVER_PAIRS = 51_200.0
"""Pairs in a batch of MLPerf's DLRM in the Offline and the Server scenario: `gpu_batch_size` of NVIDIA's
submissions for servers of eight (mlcommons/inference_results v4.1-v5.1, closed/NVIDIA/configs/dlrm-v2)."""

LIMITS_S = {"dlrm-v1": 0.030, "dlrm-dcnv2": 0.060}
"""Limits of the 99th percentile in the Server scenario (MLPerf inference rules, section 3: latency
constraints)."""

OTHER_LIMIT_S = 0.060
"""The same for other models; assumption: as DLRM-DCNv2's."""

CANDIDATES = 500.0
"""Items that a request scores where a row does not say; assumption: as in a ranking stage that fills a
feed."""

HIGH_TARGET_PARTS = frozenset({"cross"})
"""Parts of DLRM that stay at 16 bits to reach 99.9% of the reference's AUC: the interaction, whose products
multiply the input with itself layer after layer, so that rounding adds up (`interaction_op_precision = fp16`
in the same submissions)."""

OUT_OF_SCOPE = re.compile(r"minutes to quality target|x(?![a-z])|%", re.IGNORECASE)
"""How units begin that are no throughput or latency."""

MOST_ACCELERATORS = 1_000_000
MOST_ITEMS = 1e9
"""No row may have more accelerators, nor a setting more candidates or a larger batch; beyond it a number is a
slip."""

DEFAULT_PRECISION = "bf16"


@dataclass(frozen=True)
class Row:
    """A row of a file: what it asks, and its unit; or in `refused` all reasons why there is none."""

    key: str
    line: int
    ask: Ask | None
    unit: Unit | None
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
    found = []
    for line, cells in table.rows(COLUMNS):
        if cells.whole and cells.text["family"] not in FAMILIES:
            continue
        found.append(_row(line, cells, lines, book))
    return found


def _row(line: int, cells: Cells, lines: dict[str, int], book: FactBook) -> Row:
    key = cells.text["row"]
    if not key:
        cells.problems.append("row is blank")
    elif (earlier := lines.setdefault(key, line)) != line:
        cells.problems.append(f"row {key!r} is on line {earlier} already, must be unique")
    if not cells.whole:
        return Row(key, line, None, None, "; ".join(cells.problems))
    unit = _unit(cells)
    ask = _ask(cells, book) if unit is not None else None
    problems = "; ".join(cells.problems)
    return Row(key, line, None if problems else ask, unit, problems)


def _unit(cells: Cells) -> Unit | None:
    text = cells.text["unit"]
    if OUT_OF_SCOPE.match(text):
        cells.problems.append(f"out of scope: unit {text!r} is no throughput or latency")
        return None
    try:
        return unit_named(text)
    except ValueError as error:
        cells.problems.append(f"unit is {error}")
        return None


def _ask(cells: Cells, book: FactBook) -> Ask | None:
    """What a row asks; None where problems were noted."""
    chip, model = _chip(cells, book), _model(cells)
    count = cells.count("n_accel", most=MOST_ACCELERATORS) or slice_chips(cells.text["accelerator"])
    precision = _precision(cells)
    if chip is None or model is None:
        return None
    try:
        found = sizes(model)
    except Unpredictable as reason:
        cells.problems.append(str(reason))
        return None
    if count is None:
        count = 1
        cells.assumed.append("n_accel")
    setting = cells.text["scenario_or_setting"].lower()
    candidates, requests, live = _batch(cells, model, setting)
    return Ask(
        sizes=found,
        chip=chip,
        accelerators=count,
        precision=precision,
        kept_16=_kept(cells.text["model"], setting, precision),
        candidates=candidates,
        requests=requests,
        live=live,
        limit_s=LIMITS_S.get(model.id, OTHER_LIMIT_S) if live else 0.0,
        site=_site(cells.text["submitter"]),
        age_years=_age(cells.text["date"], chip, book),
        assumed=tuple(dict.fromkeys((*found.assumed, *cells.assumed))),
    )


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


def _model(cells: Cells) -> RecommenderModel | None:
    text = cells.text["model"]
    if not text:
        cells.problems.append("model is blank")
        return None
    try:
        return recommender_model(text)
    except CatalogueError as error:
        cells.problems.append(str(error))
        return None


def _precision(cells: Cells) -> str:
    text = cells.text["precision"]
    if not text:
        cells.assumed.append("precision")
        return DEFAULT_PRECISION
    try:
        return precision_named(text)
    except Unpredictable:
        cells.problems.append(f"precision is {text!r}, must be int8, fp8, fp4, bf16, fp16, tf32 or fp32")
        return DEFAULT_PRECISION


def _batch(cells: Cells, model: RecommenderModel, setting: str) -> tuple[float, float, bool]:
    """Candidates a request, requests a batch, and whether they come one by one.

    What the setting says holds (`batch 512`, `100 candidates`); MLPerf's models have its samples and the
    batches of its submissions.
    """
    live = "server" in setting or "online" in setting or "interactive" in setting
    if not live and "offline" not in setting:
        cells.assumed.append("scenario")
    mlperf = model.id in LIMITS_S
    told = _number(cells, r"(\d[\d,]*)\s*candidates", setting)
    batch = _number(cells, r"batch\D{0,8}(\d[\d,]*)", setting)
    candidates = told or (MLPERF_PAIRS if mlperf else CANDIDATES)
    if not told and not mlperf:
        cells.assumed.append("candidates")
    if batch:
        return candidates, max(1.0, batch / candidates), live
    if not mlperf:
        cells.assumed.append("batch")
        return candidates, max(1.0, SERVER_PAIRS / candidates) if "offline" in setting else 1.0, live
    return candidates, max(1.0, (SERVER_PAIRS if live else OFFLINE_PAIRS) / candidates), live


def _number(cells: Cells, pattern: str, text: str) -> float | None:
    """The number that a pattern finds, from 1; None where it finds none or one that is wrong (noted)."""
    found = re.search(pattern, text, re.ASCII)
    if found is None:
        return None
    number = float(found[1].replace(",", ""))
    if not 1 <= number <= MOST_ITEMS:
        cells.problems.append(f"scenario_or_setting has {found[1]!r}, must be from 1 to {MOST_ITEMS:g}")
        return None
    return number


def _kept(model: str, setting: str, precision: str) -> frozenset[str]:
    """Parts at 16 bits: those of `HIGH_TARGET_PARTS` where the row names the target of 99.9%."""
    high = re.search(r"99[.,]9|high.?accuracy", f"{model} {setting}".lower())
    return HIGH_TARGET_PARTS if high and precision in ("int8", "fp8", "fp4") else frozenset()


SITES: Mapping[str, str] = {"qct": "quantacloudtechnology", "quanta": "quantacloudtechnology"}
"""Submitters by other names."""


def _site(text: str) -> str:
    """Who measured, in letters alone."""
    name = re.sub(r"[\W_]+", "", text.lower())
    return SITES.get(name, name)


def _age(date: str, chip: Accelerator, book: FactBook) -> float:
    """Years that software has known the chip's generation at the row's date (`MLPerf v5.1 2025-09`)."""
    found, first = re.search(r"\b(20\d\d)(?:-(\d\d))?\b", date), _first_shipped(chip, book)
    if found is None or first is None:
        return MATURE_YEARS
    month = int(found[2]) if found[2] else 6
    return max(0.0, int(found[1]) + (month - 0.5) / 12 - first)


def _first_shipped(chip: Accelerator, book: FactBook) -> float | None:
    """When the first chip of a generation shipped, in decimal years: kernels are written for generations."""
    if not chip.generation:
        return shipped_year(chip, book)
    years = []
    for item in book.items("accelerator"):
        told = {name: book.history("accelerator", item, name) for name in ("vendor", "generation")}
        if all(rows for rows in told.values()) and (
            (told["vendor"][-1].value, told["generation"][-1].value) == (chip.vendor, chip.generation)
        ):
            years.append(shipped_year(accelerator(book, item), book))
    known = [year for year in years if year is not None]
    return min(known, default=None)
