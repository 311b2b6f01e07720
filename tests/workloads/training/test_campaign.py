"""Time, energy and cost of a run: they add up, and what is unknown is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawright.catalogue import records
from gigawright.catalogue.load import load_facts
from gigawright.errors import UserError
from gigawright.facts import FactBook
from gigawright.workloads.training.campaign import Campaign, campaign, idle_watts
from gigawright.workloads.training.examples import llama_run
from gigawright.workloads.training.predictor import Predicted

BOOK = FactBook(load_facts())
H100 = records.system(BOOK, "dgx_h100")
PARTS = {"products": 4.0, "attention": 0.5, "memory": 0.2, "network": 0.8, "host": 0.1, "waiting": 0.4}


def predicted(pace: float = 400.0, **changes: object) -> Predicted:
    """A prediction made by hand: the test does not rest on the model."""
    return Predicted(
        run=llama_run(**changes),
        step_s=6.0,
        tokens_per_s=pace,
        tokens_per_s_p10=0.9 * pace,
        tokens_per_s_p90=1.1 * pace,
        fits=True,
        seconds=PARTS,
    )


def planned(tokens: float = 15.6e12, pace: float = 400.0, **changes: object) -> Campaign:
    return campaign(predicted(pace, **changes), tokens, H100, BOOK)


def test_hours_are_tokens_over_pace_and_goodput() -> None:
    done = planned()
    seconds = 15.6e12 / (400.0 * 16384 * done.goodput.share)
    assert done.hours == pytest.approx(seconds / 3600)
    assert done.hours_low < done.hours < done.hours_high
    assert done.accelerator_hours == pytest.approx(16384 * done.hours)
    assert done.interruptions == pytest.approx(seconds / done.goodput.between_s)


@given(st.floats(1e9, 1e14), st.floats(1.5, 10.0))
def test_twice_the_tokens_take_twice_of_everything(tokens: float, times: float) -> None:
    one, more = planned(tokens), planned(tokens * times)
    for name in ("hours", "hours_low", "hours_high", "interruptions", "mwh"):
        assert getattr(more, name) == pytest.approx(times * getattr(one, name))
    for low, high in zip(one.costs, more.costs, strict=True):
        assert low.usd is not None
        assert high.usd == pytest.approx(times * low.usd)


def test_more_accelerators_at_the_same_pace_need_fewer_hours_but_more_of_them() -> None:
    small, large = planned(accelerators=8192), planned(accelerators=65536)
    assert large.hours < small.hours
    assert large.accelerator_hours > small.accelerator_hours
    assert large.interruptions > small.interruptions


def test_power_lies_between_idle_and_the_nameplate() -> None:
    done = planned()
    assert done.watts is not None
    assert done.mwh is not None
    nameplate = 1e3 * H100.kw_per_accelerator
    assert idle_watts(H100) < done.watts < nameplate
    mean = done.mwh * 1e6 / done.accelerator_hours
    assert idle_watts(H100) < mean < done.watts


def test_costs_name_their_facts() -> None:
    leased, owned = planned().costs
    assert (leased.way, owned.way) == ("leased", "hardware only")
    assert leased.usd == pytest.approx(planned().accelerator_hours * (H100.lease_usd_per_hour or 0.0))
    assert leased.facts[0].startswith("dgx_h100.lease_usd_h = ")
    assert "nv_h100_sxm.chip_usd" in owned.facts[0]
    assert leased.caveat == ""
    assert "no energy, building, interest" in owned.caveat
    price = 1e3 * (H100.price_kusd or 0.0)
    assert owned.usd == pytest.approx(planned().accelerator_hours * price / (H100.life_years * 8760))


def test_what_is_unknown_is_said() -> None:
    bare = records.system(BOOK, "trn3_ultra")
    done = campaign(predicted(), 1e12, bare, BOOK)
    assert (done.watts, done.mwh, done.no_energy) == (None, None, "trn3_ultra.power_kw is unknown")
    leased, owned = done.costs
    assert leased.missing == "trn3_ultra.lease_usd_h is unknown"
    assert "aws_trn3.chip_usd" in owned.missing
    assert (leased.usd, owned.usd) == (None, None)


def test_without_a_system_there_is_time_alone() -> None:
    done = campaign(predicted(), 1e12, None, BOOK)
    assert done.hours > 0
    assert done.mwh is None
    assert {cost.missing for cost in done.costs} == {done.no_energy}


def test_no_tokens_and_no_time_to_train_are_refused() -> None:
    with pytest.raises(UserError, match="tokens is 0"):
        planned(0.0)
    with pytest.raises(UserError, match="too often to train"):
        planned(accelerators=50_000_000)


def test_a_pipeline_that_only_waits_draws_less() -> None:
    busy = predicted()
    waits = replace(busy, seconds={**dict.fromkeys(PARTS, 0.0), "waiting": 6.0})
    drawn = [campaign(one, 1e12, H100, BOOK).watts or 0.0 for one in (waits, busy)]
    assert drawn[0] < drawn[1]
