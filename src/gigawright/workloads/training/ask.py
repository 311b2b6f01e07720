"""Turns what a person asks on a command line into a run: a system by name, tokens as whole sequences."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gigawright.catalogue import records
from gigawright.catalogue.types import Accelerator, System
from gigawright.errors import CatalogueError, UnitError, UserError
from gigawright.facts import FactBook
from gigawright.units import parse
from gigawright.workloads.architecture import language_model
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.training.calibration import Calibration
from gigawright.workloads.training.effects import KINDS, UNSEEN
from gigawright.workloads.training.gemm_table import read as read_products
from gigawright.workloads.training.machine import DEFAULT_CORES, DEFAULT_NIC_GBPS
from gigawright.workloads.training.maturity import age_years
from gigawright.workloads.training.predictor import as_run
from gigawright.workloads.training.rows_chip import accelerator_named, squash
from gigawright.workloads.training.rows_model import Named, model_named
from gigawright.workloads.training.run import Precision, Run

ROUNDING = 0.05
"""How far a batch may be moved so that it splits evenly; M and Mi, which papers mix up, are 4.9% apart."""

LARGEST = 10**9
"""No run has more accelerators, or sequences in a step; beyond it a number is a slip."""


@dataclass(frozen=True)
class Asked:
    """A run without a layout, the system it runs on, and what had to be read into the question.

    `system` is None where the catalogue has no system with the accelerator: there is no power and no price.
    """

    run: Run
    system: System | None
    notes: tuple[str, ...] = ()


def ask(
    book: FactBook,
    known: Calibration,
    *,
    model: str,
    system: str,
    accelerators: str,
    seq: str,
    batch_tokens: str,
    precision: Precision = "bf16",
    site: str = "",
    release: str = "",
    gemm: Path | None = None,
) -> Asked:
    """The run that is asked for; quantities are text such as `16M`. Raises UserError, CatalogueError."""
    named = _model(model)
    chip, whole, notes = system_named(system, book)
    count, seq_len = whole_number(accelerators, "accelerators"), whole_number(seq, "seq")
    batch, batch_note = sequences(batch_tokens, seq_len, count)
    run = Run(
        model=named.model,
        chip=chip,
        accelerators=count,
        seq_len=seq_len,
        batch=batch,
        precision=precision,
        mtp=named.mtp,
        dropped=named.dropped,
        parallel_block=named.parallel_block,
        site=site,
        release=release,
        age_years=age_years(site, release, chip, book),
        assumed=named.assumed,
        gemm=None if gemm is None else read_products(gemm),
    )
    if run.gemm is not None:
        run.gemm.check_against(chip)
    told = [*notes, batch_note, _partial(run, whole), *chip_notes(run), *_unmeasured(run, known)]
    run = _at_known_rates(run)
    return Asked(run, whole, tuple(note for note in told if note))


def _at_known_rates(run: Run) -> Run:
    """The run at a precision its chip has; as it is where the chip has none, which the search then tells."""
    try:
        return as_run(run)
    except Unpredictable:
        return run


def chip_notes(run: Run) -> list[str]:
    """What stands in for facts of the chip that the catalogue lacks, where it moves the answer.

    >>> from gigawright.workloads.training.examples import llama_run
    >>> chip_notes(llama_run())
    []
    """
    chip, assumed = run.chip, set(_at_known_rates(run).assumed)
    told = {
        "nic_gbps": f"{DEFAULT_NIC_GBPS:.0f} Gbit/s of network are assumed",
        "scaleup_gbs": "all traffic is taken to cross the network, as without scale-up links",
    }
    notes = [
        f"{chip.id}.{name} is unknown: {words}; give it with --catalogue"
        for name, words in told.items()
        if name in assumed
    ]
    if not chip.cores:
        notes.append(f"{chip.id}.cores is unknown: {DEFAULT_CORES:.0f} are assumed")
    used = next((name.split()[1] for name in assumed if name.startswith("precision ")), "")
    if used and used != run.precision:
        notes.insert(0, f"no {run.precision} rate of {chip.id} is known: products run at {used}")
    return notes


def _model(name: str) -> Named:
    """A language model by any spelling; raises CatalogueError with a near name."""
    try:
        return model_named(name, {})
    except CatalogueError:
        language_model(name)  # Says better what is wrong with a name that stands alone.
        raise


def system_named(text: str, book: FactBook) -> tuple[Accelerator, System | None, tuple[str, ...]]:
    """A system by id or name, else an accelerator by any spelling with a system that holds it; and notes.

    Raises CatalogueError with near names where neither is known.

    >>> from gigawright.catalogue.load import load_facts
    >>> chip, system, notes = system_named("H100 SXM", FactBook(load_facts()))
    >>> system.id, notes
    ('dgx_h100', ("'H100 SXM' is an accelerator, nv_h100_sxm; power and prices are those of dgx_h100",))
    """
    names = {squash(name): item for item in book.items("system") for name in (item, _name(book, item))}
    if item := names.get(squash(text)):
        found = records.system(book, item)
        return found.accelerator, found, ()
    try:
        chip = accelerator_named(text, book)
    except CatalogueError as error:
        if "can be any of" in str(error):
            raise
        near = difflib.get_close_matches(squash(text), names, n=3, cutoff=0.5)
        shown = list(dict.fromkeys(names[name] for name in near))
        hint = f"; did you mean {' or '.join(shown)}?" if shown else ""
        raise CatalogueError(
            f"no system or accelerator {text!r} in the catalogue{hint} "
            "(`gigawright catalogue list system` shows all)"
        ) from None
    return _holding(text, chip, book)


def _name(book: FactBook, item: str) -> str:
    rows = book.history("system", item, "name")
    return str(rows[-1].value) if rows else item


def _holding(
    text: str, chip: Accelerator, book: FactBook
) -> tuple[Accelerator, System | None, tuple[str, ...]]:
    """The smallest system with this chip whose power is known."""
    holding = [
        item
        for item in book.items("system")
        if (rows := book.history("system", item, "accelerator")) and rows[-1].value == chip.id
    ]
    powered = [item for item in holding if book.has("system", item, "power_kw")] or holding
    what = f"{text!r} is an accelerator, {chip.id}"
    if not powered:
        return chip, None, (f"{what}; the catalogue has no system with it, so no power and no price",)
    systems = [records.system(book, item) for item in powered]
    chosen = min(systems, key=lambda system: (system.accelerators, system.id))
    others = ", ".join(item for item in holding if item != chosen.id)
    also = f" (also in {others})" if others else ""
    return chosen.accelerator, chosen, (f"{what}; power and prices are those of {chosen.id}{also}",)


def count_of(text: str, what: str) -> float:
    """A count of tokens or the like, `15.6T`; raises UserError that names what it is the count of.

    >>> count_of("15.6T", "tokens")
    15600000000000.0
    """
    try:
        return parse(text, "count")
    except UnitError as error:
        raise UserError(f"{what}: {error}") from error


def whole_number(text: str, what: str) -> int:
    """A count such as `16,384`, `16Ki` or `100k`; raises UserError where it is not whole and positive.

    >>> whole_number("8Ki", "seq"), whole_number("100k", "accelerators")
    (8192, 100000)
    """
    number = count_of(text, what)
    if number != int(number) or not 1 <= number <= LARGEST:
        raise UserError(f"{what} is {text!r}, must be a whole number from 1 to {LARGEST:,}")
    return int(number)


def sequences(batch_tokens: str, seq_len: int, accelerators: int) -> tuple[int, str]:
    """Sequences in a step of about this many tokens, and a note where they are not just as many.

    Of the numbers within ROUNDING, the one that shares the largest divisor with the accelerators is taken,
    the nearest first: so `16M` is 2,048 sequences of 8,192, as the papers that round it mean. Tokens that are
    whole sequences already stay. Raises UserError for less than one sequence.

    >>> sequences("16M", 8192, 16384)[0], sequences("15,990,784", 8192, 16384)
    (2048, (1952, ''))
    """
    tokens = count_of(batch_tokens, "batch-tokens")
    wanted = tokens / seq_len
    if not 1 <= wanted <= LARGEST:
        limits = f"from one sequence of {seq_len:,} to {LARGEST:,} sequences"
        raise UserError(f"batch-tokens is {batch_tokens!r}, must be {limits}")
    if wanted == int(wanted):
        return int(wanted), ""
    reach = min(ROUNDING * wanted, 1e6)
    near = np.arange(max(1, np.ceil(wanted - reach)), np.floor(wanted + reach) + 1, dtype=np.int64)
    near = near if len(near) else np.array([round(wanted)])
    order = np.lexsort((np.abs(near - wanted), -np.gcd(near, accelerators)))
    found = int(near[order[0]])
    shown = f"{found:,} sequence{'s' if found > 1 else ''} of {seq_len:,} tokens"
    return found, f"a batch of {batch_tokens} tokens is taken as {shown}: {found * seq_len:,} tokens"


def _partial(run: Run, system: System | None) -> str:
    """A note where the accelerators do not fill whole systems."""
    if (
        system is None
        or run.accelerators % system.accelerators == 0
        or run.accelerators < system.accelerators
    ):
        return ""
    return f"{run.accelerators:,} accelerators leave one {system.id} of {system.accelerators:,} partly used"


def _unmeasured(run: Run, known: Calibration) -> Sequence[str]:
    """Notes on a site or release that no measured run belongs to."""
    notes = []
    place, levels = KINDS.index("site"), known.effects.known.levels
    sites = {row[place] for row in levels} - {"", UNSEEN}
    if run.site and run.site not in sites:
        near = difflib.get_close_matches(run.site, sites, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        notes.append(
            f"no run of site {run.site!r} was measured: its interval is that of an unknown site{hint}"
        )
    elif run.site and run.release:
        column = KINDS.index("release")
        if not any(row[column].startswith(f"{run.site} {run.release} ") for row in levels):
            notes.append(f"no run of {run.site!r} with release {run.release!r} was measured")
    elif run.release:
        notes.append("a release counts only with its site: give --site too")
    return notes
