"""Readers of the model tables that ship with the catalogue, and look-up by id or alias."""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

from gigawright.errors import CatalogueError
from gigawright.workloads.generation.model import GenerationModel
from gigawright.workloads.language import LanguageModel
from gigawright.workloads.recommender.model import RecommenderModel

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Model = LanguageModel | GenerationModel | RecommenderModel
M = TypeVar("M", bound=Model)
Shape = TypeVar("Shape", bound="DataclassInstance")

TABLES: Mapping[str, type[Model]] = {
    "models_language.csv": LanguageModel,
    "models_generation.csv": GenerationModel,
    "models_recommender.csv": RecommenderModel,
}


@lru_cache(maxsize=1)
def load_models() -> dict[str, Model]:
    """Every model of the package by id: language, image and video generators, recommenders.

    >>> load_models()["deepseek-v3"].name
    'DeepSeek-V3'
    """
    models: dict[str, Model] = {}
    for table, kind in TABLES.items():
        text = (files("gigawright.catalogue") / "data" / table).read_text(encoding="utf-8")
        for row in csv.DictReader(text.splitlines()):
            models[row["id"]] = read_model(kind, row)
    return models


FORMATS = (
    *("fp8", "fp4", "nvfp4", "mxfp4", "bf16", "fp16", "int4", "int8", "4bit", "8bit", "gguf", "mlx"),
    *("awq", "gptq", "autoround", "quantized", "dynamic", "static", "block", "kv", "pertensor", "g128"),
    *("w4a16", "w8a8", "w8a16", "w4a8", "w4a4", "w4afp8"),
)
"""Words at the end of a checkpoint's name that tell how its values are stored, not its shape."""

TUNINGS = ("instruct", "chat", "it", "hf", "base", "thinking", "preview")
"""Words at the end of a checkpoint's name that tell what it was tuned for, not its shape."""


@lru_cache(maxsize=1)
def _aliases() -> dict[str, str]:
    names: dict[str, str] = {}
    for model in load_models().values():
        for alias in (model.id, model.name, *model.aliases):
            names.setdefault(alias.lower(), model.id)
    return names


@lru_cache(maxsize=1)
def _bare_names() -> dict[str, str]:
    """Names without owner, punctuation, format and tuning, to the one model that has them."""
    found: dict[str, dict[str, str]] = {}
    for alias, item in _aliases().items():
        for form in _shorter(alias, _STORED_OR_TUNED):
            found.setdefault(_squash(form), {}).setdefault(item.split("@")[0], item)
    return {form: next(iter(items.values())) for form, items in found.items() if len(items) == 1}


def _shorter(name: str, ending: re.Pattern[str]) -> list[str]:
    """A name in small letters without its owner, and what is left as endings fall one after the other."""
    forms = [_MAKER.sub("", name.lower().rsplit("/", 1)[-1])]
    while (short := ending.sub("", forms[-1])) != forms[-1] and re.search(r"\d", short):
        forms.append(short)
    return forms


def _squash(name: str) -> str:
    return re.sub(r"[\W_]+", "", name)


_MAKER = re.compile(r"^(?:meta|nvidia|mistralai|deepseek-ai|openai|google)-(?=\w)")
_STORED_OR_TUNED = re.compile(rf"[-_. ](?:{'|'.join((*FORMATS, *TUNINGS))})$")
_ANY_ENDING = re.compile(rf"[-_. ](?:{'|'.join((*FORMATS, *TUNINGS))}|v\d+(?:\.\d+)*|\d{{4}})$")
"""Format, tuning, version (`v0.1`) or date (`2507`) at the end of a name."""


def find_model(name: str) -> Model:
    """The model with this id, name or alias, whatever its case; CatalogueError with a suggestion otherwise.

    A name that is none of these is tried without its owner (`RedHatAI/`), without punctuation, and without
    the words at its end for format, tuning, version and date (`-Instruct-2507-FP8`), one after the other,
    which do not change a shape; what is left must be the name of one model.

    >>> find_model("deepseek-ai/DeepSeek-R1").id
    'deepseek-r1'
    >>> find_model("RedHatAI/Qwen3-32B-FP8-dynamic").id
    'qwen3-32b'
    """
    names = _aliases()
    if (found := names.get(name.lower())) is not None:
        return load_models()[found]
    for form in _shorter(name, _ANY_ENDING):
        if (found := _bare_names().get(_squash(form))) is not None:
            return load_models()[found]
    near = difflib.get_close_matches(name.lower(), names, n=1)
    hint = f"; did you mean {names[near[0]]!r}?" if near else ""
    raise CatalogueError(f"no model {name!r} in the catalogue{hint}")


def language_model(name: str) -> LanguageModel:
    """The language model of this name; CatalogueError where it is another kind of model."""
    return _of_kind(name, LanguageModel, "a language model")


def generation_model(name: str) -> GenerationModel:
    """The image or video generator of this name; CatalogueError where it is another kind of model."""
    return _of_kind(name, GenerationModel, "an image or video generator")


def recommender_model(name: str) -> RecommenderModel:
    """The recommender of this name; CatalogueError where it is another kind of model."""
    return _of_kind(name, RecommenderModel, "a recommender")


def _of_kind(name: str, kind: type[M], wanted: str) -> M:
    model = find_model(name)
    if not isinstance(model, kind):
        raise CatalogueError(f"model {name!r} is not {wanted}")
    return model


def read_model(kind: type[Shape], row: Mapping[str, str | float]) -> Shape:
    """A model or encoder from a row of text or numbers: a table's line, a study's facts of `kind: model`.

    Unknown columns are ignored. Raises CatalogueError for a missing or malformed cell.
    """
    values: dict[str, Any] = {}
    for spec in fields(kind):
        cell = row.get(spec.name, "")
        if cell == "" and spec.default is not MISSING:
            continue
        try:
            values[spec.name] = _PARSE[str(spec.type)](cell)
        except ValueError as error:
            raise CatalogueError(f"model {row.get('id', '?')}: {_wrong(spec, cell)}") from error
    return kind(**values)


def _wrong(spec: Field[Any], cell: str | float) -> str:
    return f"missing {spec.name}" if cell == "" else f"`{spec.name}` is {cell!r}, not of type {spec.type}"


def _integer(cell: str | float) -> int:
    number = float(cell)
    if number != int(number):
        raise ValueError(cell)
    return int(number)


_PARSE: Mapping[str, Callable[[str | float], object]] = {
    "int": _integer,
    "float": float,
    "str": str,
    "bool": lambda cell: str(cell) == "yes",
    "tuple[str, ...]": lambda cell: tuple(part for part in str(cell).split("|") if part),
}
