"""Work: rates of every offer at every phase, demand, reach and worth, scaled to reference accelerators."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
from gigawright.plan.numbers.preparation import Preparation
from gigawright.plan.problem import PROFILES, REFERENCE_HOURS, Work
from gigawright.workloads.demand import Programme, Stream, software_gain

if TYPE_CHECKING:
    from gigawright.study.model import Workload

REFERENCE_SECONDS = REFERENCE_HOURS * 3600.0


def work(p: Preparation) -> Work:
    """Every array of the work."""
    stream_names = [stream.workload for stream in p.streams]
    programme_names = [programme.name for programme in p.programmes]
    of_stream = np.array(
        [stream_names.index(f.workload) if f.workload in stream_names else -1 for f in p.phases]
    )
    of_programme = np.array(
        [programme_names.index(f.name) if f.name in programme_names else -1 for f in p.phases]
    )
    rates, kw_work = _raw_rates(p)
    rates = _without_half_served(rates, of_stream)
    reference = _reference(p, rates, of_stream, of_programme)
    rate = np.zeros((len(p.offers), len(p.phases), len(p.quarters)))
    for w, phase in enumerate(p.phases):
        v, g = of_stream[w], of_programme[w]
        each = p.streams[v].per_unit[phase.name.rsplit(".", 1)[1]] if v >= 0 else 1.0
        scale = reference[v] if v >= 0 else reference[len(p.streams) + g]
        gain = software_gain(_workload(p, phase.workload), p.quarters)
        rate[:, w] = rates[:, w, None] * gain / (each * scale)
    return Work(
        zone_of_site=p.zone_of_site,
        stream_of_phase=of_stream,
        programme_of_phase=of_programme,
        profile_of_phase=np.array([PROFILES.index(phase.profile) for phase in p.phases]),
        rate=rate,
        kw_work=kw_work,
        reference=reference,
        demand=_demand(p, reference),
        mean_share=_by_region(p, lambda stream: stream.mean_share, 1.0),
        reach=_zone_reach(p),
        worth=np.array(
            [stream.worth_usd * reference[v] * 3600.0 * 1e-6 for v, stream in enumerate(p.streams)]
        ),
        group_of_stream=tuple(stream.group for stream in p.streams),
        group_of_programme=tuple(programme.group for programme in p.programmes),
        serve_at_least=np.array([p.study.rules.serve_at_least.get(s.group, 0.0) for s in p.streams]),
        programme_work=_programme_array(
            p, reference, lambda run, scale: run.tokens / (scale * REFERENCE_SECONDS)
        ),
        programme_open=np.array(
            [[run.start <= quarter <= run.due for quarter in p.quarters] for run in p.programmes], bool
        ).reshape(len(p.programmes), len(p.quarters)),
        loss_factor=loss_factor(p),
        programme_worth=_programme_array(
            p, reference, lambda run, scale: run.worth_usd * scale * REFERENCE_SECONDS * 1e-6
        ),
    )


def loss_factor(p: Preparation) -> float:
    """Price of work left undone over its worth: one for `value`, the catalogue's factor for `cost`."""
    if p.study.objective == "value":
        return 1.0
    return p.catalogue.book.number("economics", "unserved_factor", "value")


def _workload(p: Preparation, name: str) -> Workload:
    return next(workload for workload in p.study.workloads if workload.name == name)


def _raw_rates(p: Preparation) -> tuple[Floats, Floats]:
    """Work units a second of a kacc net of availability and headroom, and MW a kacc draws [offer, phase]."""
    shape = (len(p.offers), len(p.phases))
    rates, draw = np.zeros(shape), np.zeros(shape)
    for w, phase in enumerate(p.phases):
        for k, (system, leased) in enumerate(p.offers):
            found = p.performance.table[phase.name, system]
            rates[k, w] = found.work_per_s * 1e3 * p.performance.net_share[phase.name, system]
            draw[k, w] = 0.0 if leased else found.watts * 1e-3
    return rates, draw


def _reference(p: Preparation, rates: Floats, of_stream: Ints, of_programme: Ints) -> Floats:
    """The median offer's rate at the last phase of each stream and programme, to scale work by.

    Where nothing can do the work, the work itself is the scale.
    """
    streams = [(of_stream == v, float(stream.peak.max())) for v, stream in enumerate(p.streams)]
    runs = [(of_programme == g, run.tokens / REFERENCE_SECONDS) for g, run in enumerate(p.programmes)]
    found = []
    for phases, size in (*streams, *runs):
        last = np.flatnonzero(phases)[-1]
        able = rates[rates[:, last] > 0.0, last]
        found.append(float(np.median(able)) if len(able) else max(size, 1.0))
    return np.array(found)


def _without_half_served(rates: Floats, of_stream: Ints) -> Floats:
    """Rates with those streams at zero of which some phase can be done by nothing."""
    whole = rates.copy()
    for v in range(int(of_stream.max(initial=-1)) + 1):
        phases = of_stream == v
        if (rates[:, phases].max(axis=0) <= 0.0).any():
            whole[:, phases] = 0.0
    return whole


def _demand(p: Preparation, reference: Floats) -> Floats:
    demand = np.zeros((len(p.regions), len(p.streams), len(p.quarters)))
    for v, stream in enumerate(p.streams):
        rows = [p.regions.index(region) for region in stream.regions]
        demand[rows, v] = stream.peak / reference[v]
    return demand


def _by_region(p: Preparation, pick: Callable[[Stream], Floats], default: float) -> Floats:
    found = np.full((len(p.regions), len(p.streams)), default)
    for v, stream in enumerate(p.streams):
        rows = [p.regions.index(region) for region in stream.regions]
        found[rows, v] = pick(stream)
    return found


def _zone_reach(p: Preparation) -> Bools:
    first = [int(np.flatnonzero(p.zone_of_site == z)[0]) for z in range(len(p.zones))]
    return p.reach[first]


def _programme_array(p: Preparation, reference: Floats, value: Callable[[Programme, float], float]) -> Floats:
    scale = reference[len(p.streams) :]
    return np.array([value(run, float(scale[i])) for i, run in enumerate(p.programmes)])
