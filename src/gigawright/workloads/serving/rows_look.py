"""Models and accelerators as rows spell them, each looked up once a file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gigawright.catalogue.types import Accelerator
from gigawright.errors import CatalogueError
from gigawright.facts import FactBook
from gigawright.workloads.architecture import language_model
from gigawright.workloads.cells import Cells
from gigawright.workloads.language import LanguageModel
from gigawright.workloads.serving.rows_words import checkpoint_format, format_of
from gigawright.workloads.training.rows_chip import accelerator_named

MOST_TOKENS = 10**7
"""No request in a row may be longer; beyond it a number is a slip."""


@dataclass
class Looked:
    """What was looked up in the catalogue so far, or why it was not found."""

    book: FactBook
    chips: dict[str, Accelerator | str] = field(default_factory=dict)
    models: dict[str, LanguageModel | str] = field(default_factory=dict)

    def chip(self, cells: Cells, column: str, text: str) -> Accelerator | None:
        """The accelerator that `text` spells; None where the cell is blank or names none (noted)."""
        if text not in self.chips:
            try:
                self.chips[text] = accelerator_named(text, self.book)
            except CatalogueError as error:
                self.chips[text] = str(error)
        chip = self.chips[text]
        if isinstance(chip, Accelerator):
            return chip
        cells.problems.append(f"{column} is blank" if not text else f"{column} {chip}")
        return None

    def model(self, cells: Cells, column: str, text: str) -> LanguageModel | None:
        """The language model of this name; None where the cell is blank or names none (noted)."""
        if text not in self.models:
            try:
                self.models[text] = language_model(text)
            except CatalogueError as error:
                self.models[text] = str(error)
        model = self.models[text]
        if isinstance(model, LanguageModel):
            return model
        cells.problems.append(f"{column} is blank" if not text else f"{column}: {model}")
        return None


def format_in(cells: Cells, column: str) -> str:
    """The format of weights in a column; "" where the cell is blank or wrong (noted)."""
    if not cells.text.get(column):
        return ""
    try:
        return format_of(cells.text[column])
    except ValueError as error:
        cells.problems.append(f"{column} is {error}")
        return ""


def formats_in(cells: Cells, name: str) -> tuple[str, str, str]:
    """Formats of dense weights, of routed experts, and of the cache ("" where it is not told).

    What the columns say holds; where they are blank, what the checkpoint's name in the column `name` tells.
    But gpt-oss has only its experts quantised, to MXFP4 (arXiv:2508.10925, section 2.1), whatever the label.
    """
    columns = ("precision", "gemm_quant_mode", "moe_quant_mode", "kvcache_quant_mode")
    whole, dense, experts, cache = [format_in(cells, column) for column in columns]
    dense = dense or whole
    if not dense:
        dense = checkpoint_format(cells.text[name])
        cells.assumed.append("precision")
    if re.search(r"gpt-?oss", cells.text[name].lower()):
        return "bf16", "fp4", cache
    return dense, experts or dense, cache


def length_in(cells: Cells, column: str) -> float | None:
    """Tokens of a request in a column; None where the cell is blank or wrong (noted)."""
    if not cells.text[column]:
        cells.problems.append(f"{column} is blank, must be tokens of a request")
        return None
    return cells.number(column, 1, MOST_TOKENS)
