"""Readers of the model tables that ship with the catalogue, and look-up by id or alias."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeVar

from gigawright.errors import CatalogueError
from gigawright.workloads.diffusion import GenerationModel
from gigawright.workloads.language import LanguageModel
from gigawright.workloads.ranking import RecommenderModel

Model = LanguageModel | GenerationModel | RecommenderModel
M = TypeVar("M", bound=Model)

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


@lru_cache(maxsize=1)
def _aliases() -> dict[str, str]:
    names: dict[str, str] = {}
    for model in load_models().values():
        for alias in (model.id, model.name, *model.aliases):
            names.setdefault(alias.lower(), model.id)
    return names


def find_model(name: str) -> Model:
    """The model with this id, name or alias, whatever its case; CatalogueError with a suggestion otherwise.

    >>> find_model("deepseek-ai/DeepSeek-R1").id
    'deepseek-r1'
    """
    names = _aliases()
    if (found := names.get(name.lower())) is not None:
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


def read_model(kind: type[M], row: Mapping[str, str | float]) -> M:
    """A model from a row of text or numbers, such as a table's line or a study's facts of `kind: model`.

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
