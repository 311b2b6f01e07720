"""Models by any usual spelling, at the size that a row asks for."""

from __future__ import annotations

import re
from dataclasses import replace

from gigawright.errors import CatalogueError
from gigawright.workloads.architecture import load_models
from gigawright.workloads.generation.model import GenerationModel
from gigawright.workloads.generation.rows_text import HEIGHTS, Setting
from gigawright.workloads.training.rows_chip import near, squash

ALIKE = 0.03
"""Sizes that differ by less in pixels are one setting: 1280 x 704 and 1280 x 720 are both called 720P."""

_SILENT = re.compile(r"\([^)]*\)|\b(?:fp8|bf16|fp16|nvfp4|fp4|int8|diffusers|t2i|inference)\b", re.IGNORECASE)


def variants_named(text: str, kinds: tuple[str, ...]) -> list[GenerationModel]:
    """All settings of the model that `text` spells; CatalogueError with near names where there is none.

    The same letters go first, then the longest name that the text holds, then one that holds the text.

    >>> [one.id for one in variants_named("flux.1-dev 12b (fp8)", ("image",))]
    ['flux.1-dev@1024', 'flux.1-dev@2048']
    """
    models = [one for one in _generators() if one.kind in kinds]
    spelled = {
        squash(name): one.name
        for one in reversed(models)
        for name in (one.id, one.id.split("@")[0], one.name, *one.aliases)
        if squash(name)
    }
    for form in dict.fromkeys((squash(text), squash(_SILENT.sub(" ", text)))):
        name = spelled.get(form) or _within(form, spelled)
        if name:
            exact = [one for one in models if squash(one.id) == form]
            return exact or [one for one in models if one.name == name]
    others = {one.name: one.kind for one in _generators() if one.kind not in kinds}
    other = next((kind for name, kind in others.items() if squash(text) in squash(name)), None)
    if other and squash(text):
        raise CatalogueError(f"model {text!r} is one of {other}, not of {' or '.join(kinds)}")
    raise CatalogueError(f"no model {text!r} in the catalogue{near(text, _shown(spelled))}")


def _generators() -> list[GenerationModel]:
    return [one for one in load_models().values() if isinstance(one, GenerationModel)]


def _within(form: str, spelled: dict[str, str]) -> str | None:
    """The longest name within a form; else the shortest that begins with it."""
    held = [name for name in spelled if len(name) >= 4 and name in form]
    if held:
        return spelled[max(held, key=len)]
    longer = [name for name in spelled if len(form) >= 4 and name.startswith(form)]
    return spelled[min(longer, key=len)] if longer else None


def _shown(spelled: dict[str, str]) -> dict[str, str]:
    return {form: name for form, name in spelled.items() if len(form) > 3}


def model_at(
    variants: list[GenerationModel], setting: Setting, label: int | None
) -> tuple[GenerationModel, tuple[str, ...]]:
    """The model at a setting's size, frames, steps and guidance; what had to be assumed.

    A size that the catalogue has, or nearly, is its own; others are counted from the shape.
    """
    model, assumed = _sized(variants, setting, label)
    if setting.steps:
        model = replace(model, steps=setting.steps)
    elif model.kind != "speech":
        assumed = (*assumed, "steps")
    if setting.forwards:
        model = replace(model, forwards_per_step=setting.forwards)
    return model, assumed


def _sized(
    variants: list[GenerationModel], setting: Setting, label: int | None
) -> tuple[GenerationModel, tuple[str, ...]]:
    first = variants[0]
    if first.kind == "speech":
        return first, ()
    size = setting.size or (HEIGHTS.get(label, (label * 16 // 9, label)) if label else None)
    frames = setting.frames or _frames(first, setting.clip_s)
    assumed: tuple[str, ...] = ()
    if size is None:
        size, assumed = (first.width, first.height), ("size",)
    pixels = size[0] * size[1]
    alike = [one for one in variants if abs(one.width * one.height / pixels - 1) < ALIKE]
    alike.sort(key=lambda one: (one.width, one.height) != size)
    if first.kind == "image":
        frames = 1
    elif frames is None:
        frames, assumed = (alike or variants)[0].frames, (*assumed, "frames")
    same = [one for one in alike if one.frames == frames]
    if same:
        return same[0], assumed
    if alike and setting.size is None:
        size = (alike[0].width, alike[0].height)
    return (alike or variants)[0].at_size(*size, frames), assumed


def _frames(model: GenerationModel, clip_s: float | None) -> int | None:
    """Frames of a clip of so many seconds."""
    if clip_s is None or not model.fps or model.kind != "video":
        return None
    return round(clip_s * model.fps) + 1
