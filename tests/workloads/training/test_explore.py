"""A search shows layouts that differ, the best first; and where nothing fits, what would help."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from gigawright.catalogue.load import load_facts
from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.training.ask import ask
from gigawright.workloads.training.calibration import calibration
from gigawright.workloads.training.candidates import SIZES, Space
from gigawright.workloads.training.explore import (
    CHOICES,
    HELD_WORDS,
    PART_WORDS,
    TIE,
    Explored,
    explore,
    held_bytes,
    why_slower,
)
from gigawright.workloads.training.step import PARTS

BOOK = FactBook(load_facts())


@lru_cache
def explored(
    model: str = "llama-3.1-70b", accelerators: str = "256", batch: str = "4Mi", space: Space | None = None
) -> Explored:
    asked = ask(
        BOOK,
        calibration(),
        model=model,
        system="dgx_h100",
        accelerators=accelerators,
        seq="8192",
        batch_tokens=batch,
    )
    more: dict[str, Any] = {} if space is None else {"space": space}
    return explore(asked, calibration(), count=40, **more)


def test_the_best_is_the_fastest_that_fits() -> None:
    found = explored()
    fitting = found.tried.seconds[found.tried.fits]
    assert found.best[0].step_s == pytest.approx(fitting.min(), rel=1e-9)
    assert found.configurations == len(found.tried.seconds)
    assert 0 < found.fitting < found.configurations


def test_layouts_are_in_order_fit_and_differ() -> None:
    best = explored().best
    seconds = [one.step_s for one in best]
    assert len(best) == 40
    assert seconds == sorted(seconds)
    assert all(one.fits and one.memory_bytes <= explored().usable_bytes * (1 + 1e-6) for one in best)
    alike: dict[tuple[int, ...], list[float]] = {}
    for one in best:
        sizes = tuple(getattr(one.layout, name) for name in SIZES)
        assert all(one.step_s > before * (1 + TIE) for before in alike.get(sizes, ())), one.layout
        alike.setdefault(sizes, []).append(one.step_s)


def test_prediction_and_search_agree() -> None:
    found = explored()
    for place, one in zip(found.tried.best(1), found.best, strict=False):
        assert one.step_s == pytest.approx(found.tried.seconds[place], rel=1e-9)
        assert one.memory_bytes == pytest.approx(found.tried.memory[place], rel=1e-9)


def test_hiding_less_traffic_fills_no_rows() -> None:
    for one in explored(space=Space()).best:
        assert one.layout is not None
        assert one.layout.overlap_data or one.layout.data * one.layout.context == 1


def test_every_part_has_words() -> None:
    best = explored().best[0]
    assert set(PART_WORDS) == {*PARTS, "waiting"} == set(best.seconds)
    assert set(HELD_WORDS) == set(held_bytes(best))
    assert sum(held_bytes(best).values()) == pytest.approx(best.memory_bytes)
    assert sum(best.seconds.values()) == pytest.approx(best.step_s)


def test_why_a_layout_loses_names_its_worst_part() -> None:
    best, *others = explored().best
    for other in others:
        told = why_slower(best, other)
        assert other.step_s <= best.step_s * (1 + TIE) or " +" in told
    assert why_slower(best, best) == ""


def test_where_nothing_fits_the_nearest_are_told_with_what_helps() -> None:
    found = explored("llama-3.1-405b", "32", "1Mi")
    assert found.best == ()
    assert found.fitting == 0
    needs = [one.memory_bytes for one in found.misses]
    assert needs == sorted(needs)
    assert needs[0] == pytest.approx(found.tried.memory.min())
    assert needs[0] > found.usable_bytes
    (help_,) = (line for line in found.helps if line.startswith("--accelerators"))
    enough = help_.split()[1]
    assert explored("llama-3.1-405b", enough, "1Mi").fitting > 0
    assert explored("llama-3.1-405b", str(int(enough) // 2), "1Mi").fitting == 0


def test_a_batch_too_small_tells_the_least() -> None:
    with pytest.raises(UserError, match="must be at least") as told:
        explored("llama-3.1-405b", "16384", "64Ki")
    least = str(told.value).split("at least ")[1].split(" ")[0].replace(",", "")
    assert explored("llama-3.1-405b", "16384", least).configurations > 0
    with pytest.raises(UserError, match="cannot occupy 16,384 accelerators"):
        explored("llama-3.1-405b", "16384", str(int(least) // 2))


def test_progress_reaches_the_end() -> None:
    seen: list[tuple[int, int]] = []
    asked = explored().asked
    found = explore(asked, calibration(), space=Space(), progress=lambda *at: seen.append(at))
    assert seen[-1][0] == seen[-1][1] >= found.configurations
    assert seen == sorted(seen)


def test_more_choices_are_never_slower() -> None:
    plain = replace(CHOICES, offload=(False,), zero_bubble=(False,), sequence_parallel=(True,))
    for wide, narrow in ((explored(), explored(space=plain)), (explored(space=Space()), explored())):
        assert wide.best[0].step_s <= narrow.best[0].step_s * (1 + 1e-9)


def test_candidates_can_be_taken_without_working_out_all() -> None:
    tried = explored().tried
    places = np.array([len(tried.seconds) - 1, 0, 77])
    some, every = tried.take(places), tried.grid.layouts()
    for name in SIZES:
        assert getattr(some, name).tolist() == getattr(every, name)[places].tolist()
    assert "layouts" not in vars(tried)


def test_the_smallest_are_those_of_a_full_sort() -> None:
    found = explored("llama-3.1-405b", "32", "1Mi")
    every, seen = found.tried.grid.layouts(), {}
    for place in np.lexsort((found.tried.seconds, found.tried.memory)).tolist():
        seen.setdefault(tuple(float(getattr(every, name)[place]) for name in SIZES[:5]), place)
    expected = [found.tried.layout(place) for place in list(seen.values())[: len(found.misses)]]
    assert [one.layout for one in found.misses] == expected
