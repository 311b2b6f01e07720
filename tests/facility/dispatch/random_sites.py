"""Small random sites for tests: several sources, tiers that give way, a store, prices of either sign."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gigawright.facility.dispatch.case import EnergyCase, Giving, SiteCase, Source, Store, Timeline


def timeline(rng: np.random.Generator, periods: int, steps: int, cycles: int, step_h: float) -> Timeline:
    edges = np.sort(rng.choice(np.arange(1, steps), cycles - 1, replace=False))
    return Timeline(
        periods=tuple(f"p{p}" for p in range(periods)),
        weight_h=rng.choice([0.5, 1.0, 3.0, 30.0], (periods, steps)),
        step_h=step_h,
        cycle=np.searchsorted(edges, np.arange(steps), side="right").astype(np.int64),
        discount=0.97 ** np.arange(periods),
        year=np.arange(periods) // 2,
    )


def source(
    name: str, time: Timeline, rng: np.random.Generator, usd: np.ndarray, tonnes: float, **changes: object
) -> Source:
    each = np.ones(time.shape[0])
    shape = np.broadcast_to(usd, time.shape).astype(float)
    made = Source(
        name=name,
        kind=name,
        available=np.ones(time.shape),
        energy_usd_mwh=shape,
        emission_t_mwh=np.full(time.shape, tonnes),
        capacity_usd_mw=each * float(rng.uniform(50.0, 400.0)),
        least_mw=0.0 * each,
        most_mw=20.0 * each,
    )
    return replace(made, **changes)


def store(time: Timeline, rng: np.random.Generator, **changes: object) -> Store:
    each = np.ones(time.shape[0])
    made = Store(
        name="battery",
        kind="battery",
        charge_efficiency=float(rng.uniform(0.7, 1.0)),
        discharge_efficiency=float(rng.uniform(0.7, 1.0)),
        charge_usd_mw=10.0 * each,
        discharge_usd_mw=20.0 * each,
        energy_usd_mwh=15.0 * each,
        most_mw=30.0 * each,
        most_mwh=90.0 * each,
        least_mw=0.0 * each,
        one_power=False,
        loss_h=float(rng.choice([0.0, 0.03])),
        wear_usd_mwh=float(rng.choice([0.0, 4.0])),
    )
    return replace(made, **changes)


def site(
    seed: int,
    periods: int = 1,
    steps: int = 9,
    cycles: int = 1,
    negative: bool = False,
    with_store: bool = True,
    name: str = "here",
    **changes: object,
) -> SiteCase:
    """A site whose last tier can shed all load, so that any capacities can be dispatched."""
    rng = np.random.default_rng(seed)
    time = timeline(rng, periods, steps, cycles, float(rng.choice([1.0, 3.0])))
    shape = time.shape
    load = rng.uniform(2.0, 10.0, shape)
    price = np.round(rng.uniform(-60.0 if negative else 5.0, 120.0, shape), int(rng.integers(-1, 3)))
    return SiteCase(
        site=name,
        time=time,
        sources=(
            source("sun", time, rng, np.zeros(1), 0.0, available=rng.uniform(0, 1, shape), clean=True),
            source("gas", time, rng, np.full(1, 60.0), 0.4),
            source("grid", time, rng, price, 0.5),
        ),
        stores=(store(time, rng, **changes),) if with_store else (),
        giving=(
            Giving("pause", 0.2 * load, 90.0),
            Giving("shed", load, 3000.0),
        ),
        load_mw=load,
    )


def alone(case: SiteCase, **changes: object) -> EnergyCase:
    return replace(EnergyCase("alone", (case,)), **changes)
