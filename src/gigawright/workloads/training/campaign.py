"""What it takes to train a number of tokens: days with restarts, energy, and what that costs.

hours = tokens / (tokens/s an accelerator x accelerators x goodput) / 3600
"""

from __future__ import annotations

from dataclasses import dataclass

from gigawright.catalogue.types import System
from gigawright.clock import HOURS_PER_YEAR
from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.power import DRAW, IDLE_SHARE, watts
from gigawright.workloads.training.goodput import SECONDS_PER_HOUR, Goodput, goodput, reliability
from gigawright.workloads.training.predictor import Predicted, by_limit

LEAST_GOODPUT = 0.01
"""Below it a run is thrown back faster than it advances; a time to train would be no answer."""

HARDWARE = "hardware only"
LEFT_OUT = "no energy, building, interest or idle hours"
"""What the hardware's straight line leaves out, which owning costs and a lease has in it."""


@dataclass(frozen=True)
class Cost:
    """One way to pay [USD], the facts it rests on, what it leaves out, or what is missing for it."""

    way: str
    usd: float | None
    facts: tuple[str, ...]
    missing: str = ""
    caveat: str = ""


@dataclass(frozen=True)
class Campaign:
    """A run of many steps: wall-clock hours with the p10 and p90 of the predicted pace (low is fast), and
    what it takes.

    `watts` is drawn an accelerator while it computes, `mwh` over the whole run, both at the server's plug:
    the building's overhead is left out (PUE 1.0). Both are None, with the reason in `no_energy`, where a
    system's power is unknown.
    """

    tokens: float
    accelerators: int
    goodput: Goodput
    hours: float
    hours_low: float
    hours_high: float
    interruptions: float
    watts: float | None
    mwh: float | None
    costs: tuple[Cost, ...]
    no_energy: str = ""

    @property
    def accelerator_hours(self) -> float:
        """Accelerators x wall-clock hours."""
        return self.accelerators * self.hours


def campaign(done: Predicted, tokens: float, system: System | None, book: FactBook) -> Campaign:
    """Trains `tokens` tokens at a predicted pace, with the catalogue's interruptions and prices.

    Raises UserError for no tokens, or where interruptions leave no time to train.
    """
    if tokens <= 0:
        raise UserError("tokens is 0, must be more")
    run = done.run
    kept = goodput(run.model.params, run.accelerators, reliability(book))
    if kept.share < LEAST_GOODPUT:
        raise UserError(
            f"{run.accelerators:,} accelerators are interrupted every {kept.between_s:.0f} s, "
            "too often to train"
        )
    hours, low, high = (
        tokens / (pace * run.accelerators * kept.share) / SECONDS_PER_HOUR
        for pace in (done.tokens_per_s, done.tokens_per_s_p90, done.tokens_per_s_p10)
    )
    drawn, reason = _watts(done, system)
    busy = kept.share + kept.lost
    mean = None if drawn is None or system is None else busy * drawn + (1 - busy) * idle_watts(system)
    mwh = None if mean is None else mean * 1e-6 * run.accelerators * hours
    costs = _costs(system, book, run.accelerators * hours)
    failed = hours * SECONDS_PER_HOUR / kept.between_s
    return Campaign(
        tokens, run.accelerators, kept, hours, low, high, failed, drawn, mwh, costs, no_energy=reason
    )


def idle_watts(system: System) -> float:
    """Wall power of an idle accelerator [W], as while a run starts again."""
    return 1e3 * system.kw_per_accelerator * IDLE_SHARE


def _watts(done: Predicted, system: System | None) -> tuple[float | None, str]:
    """Watts of an accelerator while it computes, or None and why; what has no draw counts as idle."""
    if system is None:
        return None, "no system of the catalogue holds this accelerator"
    spent = {kind: seconds for kind, seconds in by_limit(done.seconds).items() if kind in DRAW}
    try:
        return watts(system, spent, done.step_s), ""
    except Unpredictable:
        return None, f"{system.id}.power_kw is unknown"


def _costs(system: System | None, book: FactBook, hours: float) -> tuple[Cost, ...]:
    """Leasing, and the price of the hardware over a system's life, for accelerator-hours."""
    if system is None:
        missing = "no system of the catalogue holds this accelerator"
        return (Cost("leased", None, (), missing), Cost(HARDWARE, None, (), missing))
    return (_leased(system, book, hours), _hardware(system, book, hours))


def _leased(system: System, book: FactBook, hours: float) -> Cost:
    if system.lease_usd_per_hour is None:
        return Cost("leased", None, (), f"{system.id}.lease_usd_h is unknown")
    fact = book.fact("system", system.id, "lease_usd_h")
    told = f"{fact.name} = {float(fact.value):g} USD/h"
    return Cost("leased", hours * system.lease_usd_per_hour, (told,))


def _hardware(system: System, book: FactBook, hours: float) -> Cost:
    """Price / life for the hours used; interest, idle hours, buildings and energy are not in it."""
    parts = ("server_usd", "network_usd", "storage_usd", "life")
    missing = [f"{system.id}.{part}" for part in parts if not book.has("system", system.id, part)]
    price = system.price_kusd
    if price is None:
        missing.append(f"{system.accelerator.id}.chip_usd")
    if missing or price is None:
        return Cost(HARDWARE, None, (), f"{', '.join(missing)} unknown")
    told = (
        f"{system.accelerator.id}.chip_usd and {system.id}.server_usd, .network_usd, .storage_usd = "
        f"{price * 1e3:,.0f} USD an accelerator",
        f"{system.id}.life = {system.life_years:g} years",
    )
    usd = hours * price * 1e3 / (system.life_years * HOURS_PER_YEAR)
    return Cost(HARDWARE, usd, told, caveat=f"straight-line over {system.life_years:g} years: {LEFT_OUT}")
