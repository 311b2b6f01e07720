"""Turns what a person asks of a search of serving configurations into services, limits and a price."""

from __future__ import annotations

import csv
import difflib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

from gigawright.catalogue.types import Accelerator, System
from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.architecture import language_model
from gigawright.workloads.calibrated import Calibrated
from gigawright.workloads.hierarchy import NONE, UNSEEN
from gigawright.workloads.language import LanguageModel, shape_note
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.serving.levels import KINDS
from gigawright.workloads.serving.prices import Price, price_of
from gigawright.workloads.serving.rows_words import checkpoint_format, kv_bytes_of
from gigawright.workloads.serving.service import PRECISIONS, Service
from gigawright.workloads.serving.sizes import computed_precision
from gigawright.workloads.serving.space import MOST_DEPLOYED, MOST_RANKS, NODES_OF_TENSOR, Reach
from gigawright.workloads.training.ask import system_named, whole_number
from gigawright.workloads.training.machine import DEFAULT_NIC_GBPS

ALL, AUTO = "all", "auto"
"""Every format the chip has a rate for; the format in which the model is published."""

MOST_DRAFTS = 3
"""Tokens that a step may draft: what models with multi-token prediction are run with."""

MOST_TOKENS = 10**7
"""No request is longer; beyond it a number is a slip."""

MOST_MS = 1e7
"""No limit on times is longer [ms]; beyond it a number is a slip."""


LEAST_ROWS = 20
"""Measurements on a generation of chips from which on an engine counts as known there; assumption: fewer are
one table of one deployment."""


@dataclass(frozen=True)
class Asked:
    """What is searched: services without layout or load, one for each format, engine and number of drafts.

    Limits are inf where there is none. `gpus` is the number of accelerators told (0: none), `rate` the
    requests a second that are to be served (0: none). `system` is None where the catalogue has none with the
    accelerator.
    """

    services: tuple[Service, ...]
    system: System | None
    reach: Reach
    ttft_s: float
    tpot_s: float
    gpus: int
    rate: float
    price: Price
    notes: tuple[str, ...] = ()

    @property
    def first(self) -> Service:
        """A service of the question: all share model, chip and lengths."""
        return self.services[0]

    @property
    def engines(self) -> tuple[str, ...]:
        """Engines that are compared."""
        return tuple(dict.fromkeys(one.engine for one in self.services))


def ask(
    book: FactBook,
    known: Calibrated,
    *,
    model: str,
    system: str,
    isl: str,
    osl: str,
    ttft_ms: float | None = None,
    tpot_ms: float | None = None,
    precision: str = AUTO,
    drafts: int | None = None,
    accept: float | None = None,
    cached: float = 0.0,
    engine: str = "",
    gpus: str | None = None,
    rate: float | None = None,
    usd_per_hour: float | None = None,
    usd_per_kwh: float | None = None,
) -> Asked:
    """The services that are asked for; counts are text such as `4k`. Raises UserError, CatalogueError."""
    _check_numbers(accept, cached, rate, usd_per_hour, usd_per_kwh)
    language = language_model(model)
    chip, whole, notes = system_named(system, book)
    formats = _formats(precision, model, language, chip)
    count = 0 if gpus is None else whole_number(gpus, "gpus")
    engines, engine_notes = _engines(engine, chip, known)
    most, draft_notes = _drafts(drafts, language)
    base = Service(
        model=language,
        chip=chip,
        layout=None,
        input_tokens=float(_tokens(isl, "isl")),
        output_tokens=float(_tokens(osl, "osl")),
        concurrency=math.inf,
        cached=cached,
    )
    services = tuple(
        _drafted(_stored(replace(base, engine=one), text), number, accept)
        for one in engines
        for text in formats
        for number in range(most + 1)
    )
    told = (*notes, *engine_notes, *draft_notes, *_chip_notes(chip, formats), shape_note(language))
    return Asked(
        services=services,
        system=whole,
        reach=_reach(language, chip, whole, count),
        ttft_s=_limit(ttft_ms, "ttft-ms"),
        tpot_s=_limit(tpot_ms, "tpot-ms"),
        gpus=count,
        rate=rate or 0.0,
        price=price_of(whole, book, usd_per_hour, usd_per_kwh),
        notes=tuple(note for note in told if note),
    )


def _check_numbers(
    accept: float | None,
    cached: float,
    rate: float | None,
    usd_per_hour: float | None,
    usd_per_kwh: float | None,
) -> None:
    if not 0 <= cached < 1:
        raise UserError(f"cached is {cached:g}, must be a share from 0 up to 1, such as 0.5")
    if accept is not None and not 0 < accept < 1:
        raise UserError(f"accept is {accept:g}, must lie between 0 and 1, such as 0.8")
    told = {"rate": (rate, "requests a second")}
    told |= {"usd-per-hour": (usd_per_hour, "USD"), "usd-per-kwh": (usd_per_kwh, "USD")}
    for name, (value, unit) in told.items():
        if value is not None and not 0 < value < math.inf:
            raise UserError(f"{name} is {value:g}, must be a number of {unit} above 0")


def _tokens(text: str, what: str) -> int:
    number = whole_number(text, what)
    if number > MOST_TOKENS:
        raise UserError(f"{what} is {text!r}, must be at most {MOST_TOKENS:,} tokens of a request")
    return number


def _limit(milliseconds: float | None, what: str) -> float:
    """A limit in seconds; inf where none is told."""
    if milliseconds is None:
        return math.inf
    if not 0 < milliseconds <= MOST_MS:
        raise UserError(f"{what} is {milliseconds:g}, must be from above 0 to {MOST_MS:,.0f} ms")
    return milliseconds / 1e3


def _formats(text: str, name: str, model: LanguageModel, chip: Accelerator) -> tuple[str, ...]:
    """The formats of weights that are tried. Raises UserError for an unknown one."""
    wanted = text.lower()
    if wanted == ALL:
        own = [each for each in PRECISIONS if chip.peak_tflops.get(each)]
        sixteen = ["bf16"] if "bf16" not in own and chip.peak_tflops.get("fp16") else []
        if not own and not sixteen:
            raise UserError(f"not predictable: no rate of {chip.name} is known")
        return (*sixteen, *own)
    if wanted != AUTO and wanted not in PRECISIONS:
        near = difflib.get_close_matches(wanted, (*PRECISIONS, ALL, AUTO), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UserError(f"precision is {text!r}, must be one of {', '.join(PRECISIONS)}, {ALL}, {AUTO}{hint}")
    found = _published(name, model) if wanted == AUTO else wanted
    try:
        computed_precision(chip, found)
    except Unpredictable as reason:
        raise UserError(str(reason)) from reason
    return (found,)


def _published(name: str, model: LanguageModel) -> str:
    """The format of the checkpoint that a name means."""
    told = checkpoint_format(name)
    if told != "bf16" or "bf16" in name.lower():
        return told
    native = _table().get(model.id, {}).get("native_precision", "").lower().partition(" (")[0]
    return next((each for each in reversed(PRECISIONS) if each in native), told)


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, str]]:
    """The catalogue's language models by id, as they stand there."""
    with (files("gigawright.catalogue") / "data" / "models_language.csv").open(encoding="utf-8") as stream:
        return {row["id"]: row for row in csv.DictReader(stream)}


def _engines(text: str, chip: Accelerator, known: Calibrated) -> tuple[tuple[str, ...], list[str]]:
    """The engine told, or those measured on chips of this generation; an unknown one where there is none."""
    measured = {row[KINDS.index("engine")] for row in known.hierarchy.known.levels} - {NONE, UNSEEN}
    ending = f" {chip.vendor} {chip.generation or chip.name}"
    places = Counter(row[KINDS.index("engine on generation")] for row in known.hierarchy.known.levels)
    here = sorted(engine for engine in measured if places[engine + ending] >= LEAST_ROWS)
    if not text:
        if here:
            return tuple(here), []
        return ("",), [f"no engine was measured on {chip.name} or its kin: intervals are those of any engine"]
    engine = text.lower().replace("-", "").replace("tensorrtllm", "trtllm")
    if engine not in measured:
        near = difflib.get_close_matches(engine, measured, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UserError(f"engine {text!r} is not among those measured: {', '.join(sorted(measured))}{hint}")
    if engine not in here:
        also = f"; measured there: {', '.join(here)}" if here else ""
        return (engine,), [f"{engine} was not measured on chips of {ending.strip()}{also}"]
    return (engine,), []


def _drafts(told: int | None, model: LanguageModel) -> tuple[int, list[str]]:
    """The most tokens that a step drafts: what is told; else as many as models with such layers can."""
    own = _table().get(model.id, {}).get("mtp_layers", "") not in ("", "0")
    if told is None:
        return (MOST_DRAFTS if own else 0), []
    if not 0 <= told <= MOST_DRAFTS:
        raise UserError(f"drafts is {told}, must be from 0 to {MOST_DRAFTS} tokens a step")
    if told and not own:
        return told, [
            f"{model.name} has no layers that predict several tokens: a trained draft head is assumed"
        ]
    return told, []


def _stored(one: Service, precision: str) -> Service:
    """The service with weights in a format and the cache as its engine keeps it; gpt-oss has its experts
    alone in 4 bits (arXiv:2508.10925, section 2.1).
    """
    dense = "bf16" if precision == "fp4" and one.model.id.startswith("gpt-oss") else precision
    cache = kv_bytes_of(one.engine, one.model, one.chip, precision)
    return replace(one, precision=dense, expert_precision=precision, kv_bytes=cache)


def _drafted(one: Service, number: int, accept: float | None) -> Service:
    """The service with drafts; without a chance of acceptance told, the calibrated one holds."""
    if not number or accept is None:
        return replace(one, drafted=number, assumed=("accepted",) if number else ())
    kept = sum(accept**place for place in range(1, number + 1))
    return replace(one, drafted=number, accepted=kept)


def _chip_notes(chip: Accelerator, formats: Sequence[str]) -> list[str]:
    """What stands in for what the data sheet lacks."""
    notes = []
    for wanted in formats:
        used = computed_precision(chip, wanted)
        if used != wanted and wanted != "int4":
            notes.append(f"{chip.name} has no {wanted} rate: computed at {used}, read as {wanted}")
    if not chip.nic_gbps:
        notes.append(
            f"{chip.id}.nic_gbps is unknown: {DEFAULT_NIC_GBPS:.0f} Gbit/s are assumed between nodes; "
            "give it with --catalogue"
        )
    if not chip.scaleup_gbs:
        notes.append(f"{chip.id}.scaleup_gbs is unknown: all traffic is taken to cross the network")
    return notes


def _reach(model: LanguageModel, chip: Accelerator, system: System | None, gpus: int) -> Reach:
    """How far workers may spread: over nodes with experts, over two without."""
    node = max(1, int(chip.scaleup_domain or 1), system.accelerators if system else 1)
    node = min(node, gpus) if gpus else node
    wide = max(node, MOST_RANKS if model.is_moe else NODES_OF_TENSOR * node)
    return Reach(node, min(wide, gpus) if gpus else wide, gpus or max(MOST_DEPLOYED, 2 * wide))
