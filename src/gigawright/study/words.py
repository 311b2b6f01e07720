"""What a schema found wrong, in plain words and at its place in the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from gigawright.errors import Problem
from gigawright.study.source import Path, Source, child_of, written
from gigawright.units import closest, show

Details = dict[str, Any]
Schema = dict[str, Any]


def problems_of(error: ValidationError, source: Source, model: type[BaseModel]) -> list[Problem]:
    """One problem for each place of the file where the schema objects.

    Where a value may be one of several types, the objections of all of them are one problem.
    """
    known = Known(model)
    told: dict[tuple[Path, tuple[int, int]], tuple[list[str], str]] = {}
    for details in cast(list[Details], error.errors(include_url=False)):
        if _counts_only_sound_items(details):
            continue
        path, at_key = _path_in_file(details, source)
        message, suggestion = _tell(details, path, known)
        place = source.locate(path, key=at_key)
        messages, first_suggestion = told.setdefault((path, place), ([], suggestion))
        if message not in messages:
            messages.append(message)
        told[path, place] = (messages, first_suggestion or suggestion)
    problems = []
    for (path, place), (messages, suggestion) in told.items():
        message = "; or ".join(messages) + ("." if suggestion else "")
        problems.append(Problem(written(path), message, source.file, *place, suggestion))
    return problems


class Known:
    """What a model allows at a path of the file, read from its JSON schema when first asked."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model

    @cached_property
    def _schema(self) -> Schema:
        return self._model.model_json_schema()

    def keys(self, path: Path, tag: str = "") -> tuple[str, ...]:
        """Allowed keys of the mapping at a path; `tag` chooses among the kinds of a tagged union."""
        found: dict[str, None] = {}
        for schema in self._at(path, tag):
            found.update(dict.fromkeys(schema.get("properties", {})))
        return tuple(found)

    def description(self, path: Path) -> str:
        """What the field at a path is for; "" where nobody says."""
        parents = self._at(path[:-1], "") if path else iter(())
        for schema in parents:
            text = schema.get("properties", {}).get(path[-1], {}).get("description")
            if text:
                return str(text)
        return ""

    def _at(self, path: Path, tag: str) -> Iterator[Schema]:
        schemas = list(self._open(self._schema, tag if not path else ""))
        for depth, step in enumerate(path):
            chosen = tag if depth == len(path) - 1 else ""
            below = [child for schema in schemas for child in _children(schema, step)]
            schemas = [opened for child in below for opened in self._open(child, chosen)]
        yield from schemas

    def _open(self, schema: Schema, tag: str) -> Iterator[Schema]:
        """The schema behind references and alternatives; those of one tag where there is a choice by tag."""
        if "$ref" in schema:
            yield from self._open(self._schema["$defs"][schema["$ref"].rsplit("/", 1)[-1]], tag)
            return
        mapping = schema.get("discriminator", {}).get("mapping", {})
        if tag in mapping:
            yield from self._open({"$ref": mapping[tag]}, "")
            return
        yield schema
        for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
            yield from self._open(choice, tag)


def _children(schema: Schema, step: str | int) -> Iterator[Schema]:
    if isinstance(step, int):
        candidates: Iterable[Any] = (schema.get("items"), *schema.get("prefixItems", ())[step : step + 1])
    elif step in schema.get("properties", {}):
        candidates = (schema["properties"][step],)
    else:
        candidates = (schema.get("additionalProperties"), *schema.get("patternProperties", {}).values())
    yield from (child for child in candidates if isinstance(child, dict))


def _path_in_file(details: Details, source: Source) -> tuple[Path, bool]:
    """The part of the file an error speaks of, and whether it speaks of the key there.

    Pydantic's location also names branches of unions and the `value` behind a scalar; the file holds neither.
    """
    node = source.root
    path: list[str | int] = []
    at_key = False
    for step in details["loc"]:
        child = child_of(node, step)
        if child is not None:
            node = child
            path.append(step)
        elif step == "[key]":
            at_key = True
    if details["type"] == "missing":
        path.append(str(details["loc"][-1]))
    if details["type"] == "union_tag_invalid":
        path.append(details["ctx"]["discriminator"].strip("'"))
    return tuple(path), at_key or details["type"] == "extra_forbidden"


def _counts_only_sound_items(details: Details) -> bool:
    """Whether a list is called too short only because its unsound items, told on their own, do not count."""
    return bool(details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"])


def _tell(details: Details, path: Path, known: Known) -> tuple[str, str]:
    """The message and the suggestion for one error."""
    kind, context = details["type"], details.get("ctx", {})
    if kind == "extra_forbidden":
        tag = next((step for step in reversed(details["loc"][:-1]) if isinstance(step, str)), "")
        allowed = known.keys(path[:-1], tag)
        return f"unknown key; allowed: {', '.join(allowed)}", closest(str(path[-1]), allowed)
    if kind == "missing":
        description = known.description(path)
        return "is missing" + (f": {description}" if description else ""), ""
    if kind in ("literal_error", "enum", "union_tag_invalid"):
        return _choice(details, context)
    if kind == "union_tag_not_found":
        discriminator = context["discriminator"].strip("'")
        return f"the key `{discriminator}` is missing; it says what this is", ""
    if kind in ("value_error", "assertion_error", "gigawright"):
        return str(context.get("error") or context.get("reason") or details["msg"]), ""
    seen = show(details["input"])
    if kind in _WANTED:
        return f"saw {seen}; {_WANTED[kind]} is meant here", ""
    if kind in _LIMITS:
        return f"saw {seen}; {_LIMITS[kind](context)}", ""
    if kind == "string_pattern_mismatch":
        description = known.description(path) or f"text that fits {context['pattern']}"
        return f"saw {seen}; {description} is meant here", ""
    return f"saw {seen}; {details['msg'].replace('Input should be', 'it must be')}", ""


def _choice(details: Details, context: Details) -> tuple[str, str]:
    """One of several words is meant; the nearest one is suggested."""
    expected = str(context.get("expected") or context.get("expected_tags"))
    allowed = tuple(re.findall(r"'([^']*)'", expected))
    seen = context.get("tag", details["input"])
    suggestion = closest(seen, allowed) if isinstance(seen, str) else ""
    return f"saw {show(seen)}; allowed: {', '.join(allowed)}", suggestion


_LIST = "a list (lines that start with `- `, or [a, b])"
_MAPPING = "a mapping (`key: value` lines)"
_WANTED = {
    "string_type": "text (in quotes where it looks like a number)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "finite_number": "a finite number",
    "none_required": "nothing",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "dataclass_type": _MAPPING,
}
_LIMITS: dict[str, Callable[[Details], str]] = {
    "greater_than": lambda context: f"it must be more than {context['gt']}",
    "greater_than_equal": lambda context: f"it must be {context['ge']} or more",
    "less_than": lambda context: f"it must be less than {context['lt']}",
    "less_than_equal": lambda context: f"it must be {context['le']} or less",
    "too_short": lambda context: f"it must hold {context['min_length']} or more",
    "too_long": lambda context: f"it must hold {context['max_length']} at most",
    "string_too_short": lambda context: f"it must have {context['min_length']} or more characters",
    "string_too_long": lambda context: f"it must have {context['max_length']} characters at most",
}
