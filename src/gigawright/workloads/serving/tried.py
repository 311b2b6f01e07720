"""Evaluates configurations of a service as arrays: times, pace, power and cost of each, one element a
configuration.

The numbers are those that `predictor.predict_services` gives of the same services one by one, without
intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from gigawright.arrays import Bools, Floats, Ints
from gigawright.workloads.power import IDLE_SHARE
from gigawright.workloads.serving.bench import Bench, as_apart, as_prompts, as_together, drawn
from gigawright.workloads.serving.cost import bound_by_compute
from gigawright.workloads.serving.front import fronts
from gigawright.workloads.serving.load import Deployment, Felt, prompt_seconds, times, token_seconds
from gigawright.workloads.serving.space import MARGINS, STEP, STEP_APART, balanced, loads

SLOWEST_KEPT = 20
"""Loads of workers that decode that are looked at where none keeps the limit, the fastest first."""

TOGETHER = -1
"""The place of a prompt worker where prompts have no workers of their own."""


@dataclass(frozen=True)
class Tried:
    """Configurations [N]: places of the service, the layout and the prompt workers' layout (`TOGETHER` where
    one worker does both), counts of workers of a unit, running requests of an attention replica and those
    that memory holds; seconds to a first and a further token; output tokens a second and accelerator; joules
    a token; `idle` is the share of prompt workers' time that decoding leaves open.
    """

    service: Ints
    layout: Ints
    prompt_layout: Ints
    workers: Floats
    prompt_workers: Floats
    running: Floats
    holds: Floats
    accelerators: Floats
    ttft_s: Floats
    tpot_s: Floats
    pace: Floats
    joules: Floats
    idle: Floats

    def __len__(self) -> int:
        return len(self.service)

    def take(self, rows: Ints | Bools) -> Tried:
        """These configurations alone."""
        return Tried(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})

    @property
    def apart(self) -> Bools:
        """Whether prompts have workers of their own."""
        return np.asarray(self.prompt_layout != TOGETHER)

    def keeps(self, ttft_s: float, tpot_s: float) -> Bools:
        """Whether mean times keep both limits."""
        return np.asarray((self.ttft_s <= ttft_s) & (self.tpot_s <= tpot_s))


def joined(found: Sequence[Tried]) -> Tried:
    """Several sets of configurations in one."""
    names = [each.name for each in fields(Tried)]
    return Tried(**{name: np.concatenate([getattr(one, name) for one in found]) for name in names})


def together(bench: Bench, step: float = STEP) -> Tried:
    """Workers that do both, at loads from one request to what memory holds in ratios of `step`, and at the
    largest load that keeps the limits.
    """
    asked, scales = bench.asked, bench.scales(as_together)
    places, running = loads(bench.holds, step)
    first = _workers(bench, scales, places, running)
    good = first.keeps(asked.ttft_s, asked.tpot_s)
    if good.all() or not good.any():
        return first
    low, high = _edges(places, running, good)
    least, most = low.copy(), high.copy()
    own = np.flatnonzero(np.isfinite(high))
    while len(own):
        middle = np.floor((least[own] + most[own]) / 2)
        fits = _workers(bench, scales, own, middle).keeps(asked.ttft_s, asked.tpot_s)
        least[own], most[own] = np.where(fits, middle, least[own]), np.where(fits, most[own], middle)
        own = own[most[own] - least[own] > 1]
    new = np.flatnonzero(np.isfinite(high) & (least > low))
    return joined([first, _workers(bench, scales, new, least[new])])


def _edges(places: Ints, running: Floats, good: Bools) -> tuple[Floats, Floats]:
    """The largest load that is good, and the next one, for each place [places]; inf where there is none, or
    nothing lies between the two.
    """
    count = int(places.max()) + 1
    low, high = np.zeros(count), np.full(count, np.inf)
    np.maximum.at(low, places[good], running[good])
    above = (running > low[places]) & (low[places] > 0)
    np.minimum.at(high, places[above], running[above])
    return low, np.where(high - low > 1, high, np.inf)


def _workers(
    bench: Bench, scales: Mapping[str, Floats], places: Ints, running: Floats, alone: bool = False
) -> Tried:
    """One worker in each of these places of the bench, with so many requests running in each of its attention
    replicas; `alone` tells that it decodes alone, its time to a first token then counts for nothing.
    """
    c, own = bench.known.constants, bench.service(places)
    s = bench.wide.take(places)
    s = replace(s, concurrency=running * s.data)
    d = Deployment(s, s, np.full(len(places), alone))
    first, further = times(d, c, running)
    found = Felt(first, further, running, bench.holds[places], np.zeros(len(places), dtype=bool))
    seconds = further * scales["tpot"][own].T
    pace = 1 / (token_seconds(d, found) * scales["pace"][own].T).sum(axis=0)
    zeros = np.zeros(len(places))
    return Tried(
        service=own,
        layout=bench.layout(places),
        prompt_layout=np.full(len(places), TOGETHER),
        workers=zeros + 1,
        prompt_workers=zeros,
        running=running,
        holds=bench.holds[places],
        accelerators=s.ranks,
        ttft_s=(first * scales["ttft"][own].T).sum(axis=0),
        tpot_s=seconds.sum(axis=0),
        pace=pace,
        joules=drawn(bench.watts, seconds, bound_by_compute(s, c, running)) / pace,
        idle=zeros,
    )


@dataclass(frozen=True)
class Prompts:
    """Workers that read prompts [N]: places in the bench, prompts a second of a worker, watts, and seconds of
    a prompt alone.
    """

    places: Ints
    rate: Floats
    watts: Floats
    alone: Floats


def apart(bench: Bench) -> Tried:
    """Units of prompt workers and workers that decode, in numbers by which no decode worker waits, and with
    more prompt workers.
    """
    scales = bench.scales(as_apart)
    decoders, readers = _decoders(bench, scales), _readers(bench, scales)
    workers, prompts = (np.repeat(one, len(MARGINS)) for one in _pairs(decoders, readers, bench))
    margins = np.tile(np.array(MARGINS), len(workers) // len(MARGINS))
    return _units(bench, scales, decoders.take(workers), readers, prompts, margins)


def _decoders(bench: Bench, scales: Mapping[str, Floats]) -> Tried:
    """Workers that decode alone at their loads: those that keep the limit and are beaten by none."""
    found = _workers(bench, scales, *loads(bench.holds, STEP_APART), alone=True)
    good = found.tpot_s <= bench.asked.tpot_s
    if not good.any():
        good[np.argsort(found.tpot_s)[:SLOWEST_KEPT]] = True
    found = found.take(good)
    data = np.array([one.data for one in bench.layouts])[found.layout]
    waiting = found.running * data / found.accelerators
    goals = (-found.pace, found.tpot_s, found.accelerators, waiting, np.nan_to_num(found.joules))
    return found.take(fronts(bench.formats[found.service], np.stack(goals, axis=1)))


def _readers(bench: Bench, scales: Mapping[str, Floats]) -> Prompts:
    """Workers that read prompts alone: those that hold one and are beaten by none."""
    places = np.flatnonzero((bench.holds >= 1) & _plain(bench))
    s, c, own = bench.wide.take(places), bench.known.constants, bench.service(places)
    d = Deployment(s, s, np.ones(len(places), dtype=bool))
    seconds = prompt_seconds(d, c) * bench.scales(as_prompts)["pace"][own].T
    rate = s.ranks / (seconds.sum(axis=0) * s.prompt)
    one = np.ones(len(places))
    alone = _workers(bench, scales, places, one, alone=True).ttft_s
    watts = drawn(bench.watts, seconds, one > 0)
    goals = (s.ranks / rate, alone, s.ranks, -s.data / s.ranks, np.nan_to_num(watts))
    best = fronts(bench.formats[own], np.stack(goals, axis=1))
    return Prompts(places[best], rate[best], watts[best], alone[best])


def _plain(bench: Bench) -> Bools:
    """The first service of each engine and format: drafts do not change how prompts are read."""
    _, first = np.unique(bench.formats, return_index=True)
    return np.asarray(np.isin(bench.service(np.arange(len(bench.holds))), first))


def _pairs(decoders: Tried, readers: Prompts, bench: Bench) -> tuple[Ints, Ints]:
    """Decode workers with every prompt worker of the same engine and format whose wait can be short."""
    kind = bench.formats
    same = kind[decoders.service][:, None] == kind[bench.service(readers.places)][None, :]
    soon = readers.alone <= bench.asked.ttft_s
    first, second = np.nonzero(same & (soon if soon.any() else ~soon)[None, :])
    return first, second


def _units(
    bench: Bench,
    scales: Mapping[str, Floats],
    workers: Tried,
    readers: Prompts,
    prompts: Ints,
    margins: Floats,
) -> Tried:
    """Units of these workers and prompt workers, in whole numbers within the accelerators there are."""
    asked = bench.asked
    served = workers.pace * workers.accelerators / asked.first.output_tokens
    size = np.broadcast_to(bench.wide.ranks, bench.holds.shape)[readers.places[prompts]]
    ratio = served / readers.rate[prompts] * margins
    count, decoding = balanced(ratio, size, workers.accelerators, asked.reach.deployed)
    good = np.flatnonzero(decoding > 0)
    workers, prompts = workers.take(good), prompts[good]
    count, decoding, served = count[good], decoding[good], served[good]
    reading, writing = count * size[good], decoding * workers.accelerators
    busy = decoding * served / (count * readers.rate[prompts])
    watts = busy * readers.watts[prompts] + (1 - busy) * IDLE_SHARE * bench.watts
    tokens = writing * workers.pace
    places = readers.places[prompts]
    return replace(
        workers,
        prompt_layout=bench.layout(places),
        workers=decoding,
        prompt_workers=count,
        accelerators=reading + writing,
        ttft_s=_first_tokens(bench, scales, workers, places, count, decoding),
        pace=tokens / (reading + writing),
        joules=workers.joules + reading * watts / tokens,
        idle=1 - busy,
    )


def _first_tokens(
    bench: Bench,
    scales: Mapping[str, Floats],
    workers: Tried,
    places: Ints,
    count: Floats,
    decoding: Floats,
) -> Floats:
    """Seconds to a first token of units: workers that decode, and `count` prompt workers at `places`."""
    counts = {"workers": decoding, "prefill_workers": count}
    s = bench.wide.take(workers.service * len(bench.layouts) + workers.layout)
    s = replace(s, concurrency=workers.running * s.data * decoding, **counts)
    readers = replace(bench.wide.take(places), **counts)
    d = Deployment(s, readers, np.ones(len(places), dtype=bool))
    first, _ = times(d, bench.known.constants, workers.running)
    return np.asarray((first * scales["ttft"][workers.service].T).sum(axis=0))
