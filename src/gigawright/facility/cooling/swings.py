"""Power swings of training jobs: what a grid sees, and what storage or a power floor must smooth.

All chips of a job compute together and then wait together for the exchange of gradients, so a hall's power
falls and rises with every step (Choukse et al. 2025, arXiv:2508.14318). Power is MW, time s, energy MWh.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawright.arrays import Floats
from gigawright.facts import FactBook

S_PER_H = 3600.0


@dataclass(frozen=True, slots=True)
class Swing:
    """A job's step: power while chips wait over the peak, share of time spent so, length and edges [s]."""

    low_share: float
    exchange_share: float
    period_s: float
    edge_s: float


@dataclass(frozen=True, slots=True)
class GridLimit:
    """What a connection allows: change of load [share of it a second], swing within seconds [share of it]."""

    ramp_share_s: float
    range_share: float
    band_low_hz: float
    band_high_hz: float


@dataclass(frozen=True, slots=True)
class Smoothing:
    """Storage that makes a trace fit: `kept` is the part of the swing the grid still sees.

    `cycles_day`: full charges and discharges a day; `through_mw`: mean power that passes the storage, which
    its losses apply to.
    """

    kept: float
    power_mw: float
    energy_mwh: float
    cycles_day: float
    through_mw: float


def swing_of(book: FactBook, item: str = "training") -> Swing:
    """A swing of the catalogue.

    >>> from gigawright.catalogue.load import load_facts
    >>> swing_of(FactBook(load_facts())).period_s
    5.0
    """

    def number(attribute: str) -> float:
        return book.number("power_swing", item, attribute)

    return Swing(number("low_share"), number("exchange_share"), number("period"), number("edge"))


def limit_of(book: FactBook, item: str = "grid") -> GridLimit:
    """A connection's limits of the catalogue."""

    def number(attribute: str) -> float:
        return book.number("power_swing", item, attribute)

    return GridLimit(number("ramp"), number("range"), number("band_low"), number("band_high"))


def trace(swing: Swing, peak_mw: float, step_s: float = 0.01) -> Floats:
    """A job's power over one step [MW], every `step_s` seconds: high, falling, low, rising.

    Raises ValueError for edges that do not fit into the step.

    >>> one = trace(Swing(0.4, 0.25, 4.0, 0.2), 100.0, 0.1)
    >>> len(one), float(one.max()), float(one.min())
    (40, 100.0, 40.0)
    """
    high_s = swing.period_s * (1.0 - swing.exchange_share) - swing.edge_s
    low_s = swing.period_s * swing.exchange_share - swing.edge_s
    if high_s < 0.0 or low_s < 0.0:
        raise ValueError(f"edges of {swing.edge_s} s do not fit into a step of {swing.period_s} s")
    at = np.arange(round(swing.period_s / step_s)) * step_s
    corners = np.cumsum([0.0, high_s, swing.edge_s, low_s, swing.edge_s])
    levels = [1.0, 1.0, swing.low_share, swing.low_share, 1.0]
    return np.asarray(peak_mw * np.interp(at, corners, levels))


def smoothing(trace_mw: Floats, step_s: float, ramp_mw_s: float, range_mw: float) -> Smoothing:
    """Storage that brings one period of a repeating trace within a ramp [MW/s] and a range [MW].

    The grid is left g = mean + k (p - mean), with the largest k in 0-1 for which range(g) and the steepest
    slope of g are allowed; storage gives p - g. Its energy is the range of the running sum of p - g, which
    is zero over a period. This keeps the wave's form; a controller that clips may do with less storage.

    >>> half = np.repeat([100.0, 50.0], 50)  # a second each way
    >>> found = smoothing(half, 0.01, np.inf, 0.0)
    >>> found.power_mw, round(found.energy_mwh * 3600.0, 2)  # 25 MW for half a second
    (25.0, 12.5)
    """
    mean = float(trace_mw.mean())
    swing = float(np.ptp(trace_mw))
    steepest = float(np.abs(np.diff(trace_mw, append=trace_mw[:1])).max()) / step_s
    kept = min(1.0, range_mw / swing if swing else 1.0, ramp_mw_s / steepest if steepest else 1.0)
    stored = (1.0 - kept) * (trace_mw - mean)
    level = np.concatenate([[0.0], np.cumsum(stored)]) * step_s / S_PER_H
    energy = float(np.ptp(level))
    through = float(np.abs(stored).mean()) / 2.0
    cycles = through * 24.0 / energy if energy else 0.0
    return Smoothing(kept, float(np.abs(stored).max()), energy, cycles, through)


def floor_share(trace_mw: Floats, range_mw: float) -> float:
    """Extra energy, over the job's own, that chips burn so that power never falls more than `range_mw`.

    >>> round(floor_share(np.array([100.0, 100.0, 100.0, 40.0]), 20.0), 3)
    0.118
    """
    held = np.maximum(trace_mw, trace_mw.max() - range_mw)
    return float(held.mean() / trace_mw.mean() - 1.0)


def ramp(change_mw: float, ramp_mw_s: float) -> Smoothing:
    """Storage for a job that starts or stops at once while the grid may change by `ramp_mw_s` only.

    Power is the whole change, energy change^2 / (2 ramp); it is charged or discharged once.

    >>> round(ramp(100.0, 1.0).energy_mwh, 3)  # 100 s at 50 MW on the mean
    1.389
    """
    energy = change_mw**2 / (2.0 * ramp_mw_s) / S_PER_H
    return Smoothing(0.0, abs(change_mw), energy, 0.0, 0.0)


def band_mw(trace_mw: Floats, step_s: float, low_hz: float, high_hz: float) -> float:
    """Root mean square of a repeating trace between two frequencies [MW]: what a grid's modes are driven by.

    >>> at = np.arange(0.0, 2.0, 0.01)
    >>> round(band_mw(50.0 + 10.0 * np.sin(2.0 * np.pi * at), 0.01, 0.1, 20.0), 3)  # 10 / sqrt 2
    7.071
    """
    count = len(trace_mw)
    power = np.abs(np.fft.rfft(trace_mw) / count) ** 2
    frequency = np.fft.rfftfreq(count, step_s)
    power[1:] *= 2.0
    if count % 2 == 0:
        power[-1] /= 2.0
    inside = (frequency >= low_hz) & (frequency <= high_hz)
    return float(np.sqrt(power[inside].sum()))
