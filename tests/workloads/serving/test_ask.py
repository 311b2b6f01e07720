"""What a person asks of a search, read as services, limits, reach and a price."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gigawright.catalogue import records
from gigawright.catalogue.load import load_facts
from gigawright.errors import CatalogueError, UserError
from gigawright.facts import FactBook
from gigawright.workloads.serving.ask import Asked, ask
from gigawright.workloads.serving.prices import price_of

from .known import calibration

BOOK = FactBook(load_facts())
USUAL: dict[str, Any] = {"model": "deepseek-r1", "system": "dgx_h100", "isl": "4k", "osl": "1000"}


def asked(**changes: Any) -> Asked:
    return ask(BOOK, calibration(), **(USUAL | changes))


def test_a_question_is_read() -> None:
    found = asked(ttft_ms=2000, tpot_ms=30, engine="vllm")
    assert (found.first.input_tokens, found.first.output_tokens) == (4000, 1000)
    assert (found.ttft_s, found.tpot_s) == (2.0, 0.03)
    assert [one.drafted for one in found.services] == [0, 1, 2, 3]  # DeepSeek-R1 has a layer for it
    assert {one.precision for one in found.services} == {"fp8"}  # as it is published
    assert (found.reach.node, found.reach.worker) == (8, 144)


def test_without_an_engine_all_that_are_known_on_the_chip_are_tried() -> None:
    assert asked().engines == ("sglang", "vllm")
    assert asked(
        system="gaudi3_8" if BOOK.has("system", "gaudi3_8", "accelerator") else "in_gaudi3"
    ).engines == ("gaudi",)
    unknown = asked(system="mi300x_8")
    assert unknown.engines == ("",)
    assert any("no engine was measured" in note for note in unknown.notes)


def test_an_engine_that_was_not_measured_there_is_told() -> None:
    assert any("gaudi was not measured" in note for note in asked(engine="gaudi").notes)
    assert asked(engine="vLLM").engines == ("vllm",)


@pytest.mark.parametrize(
    ("name", "wanted", "formats"),
    [
        ("llama-3.1-70b", "auto", {"bf16"}),
        ("deepseek-r1", "auto", {"fp8"}),
        ("gpt-oss-120b", "auto", {"fp4"}),
        ("llama-3.1-70b", "all", {"bf16", "fp8", "int8"}),
    ],
)
def test_formats(name: str, wanted: str, formats: set[str]) -> None:
    found = asked(model=name, precision=wanted, engine="vllm")
    assert {one.expert_precision for one in found.services} == formats


def test_gpt_oss_keeps_its_attention_at_16_bits() -> None:
    assert asked(model="gpt-oss-120b").first.precision == "bf16"


def test_a_format_that_the_chip_lacks_is_told() -> None:
    assert any("has no fp4 rate: computed at fp8" in note for note in asked(precision="fp4").notes)


def test_drafts() -> None:
    plain = asked(model="llama-3.1-70b", engine="vllm")
    assert [one.drafted for one in plain.services] == [0]
    told = asked(model="llama-3.1-70b", engine="vllm", drafts=2, accept=0.5)
    assert [one.accepted for one in told.services] == [0.0, 0.5, 0.75]
    assert any("a trained draft head is assumed" in note for note in told.notes)
    assert asked(engine="vllm", drafts=1).services[1].assumed == ("accepted",)


def test_accelerators_told_limit_workers() -> None:
    found = asked(gpus="32")
    assert (found.reach.node, found.reach.worker, found.reach.deployed) == (8, 32, 32)
    assert asked(gpus="4").reach.node == 4
    assert asked(model="llama-3.1-70b").reach.worker == 16


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "deepsek-r1"}, "did you mean"),
        ({"system": "dgx_h10"}, "did you mean dgx_h100"),
        ({"isl": "none"}, "isl: none does not start with a number"),
        ({"isl": "0"}, "isl is '0', must be a whole number from 1"),
        ({"osl": "20M"}, "must be at most 10,000,000 tokens"),
        ({"ttft_ms": 0}, "ttft-ms is 0, must be from above 0"),
        ({"tpot_ms": math.nan}, "tpot-ms is nan"),
        ({"cached": 1.0}, "cached is 1, must be a share"),
        ({"accept": 1.5}, "accept is 1.5, must lie between 0 and 1"),
        ({"rate": -1}, "rate is -1, must be a number of requests a second above 0"),
        ({"usd_per_hour": 0}, "usd-per-hour is 0, must be a number of USD above 0"),
        ({"drafts": 9}, "drafts is 9, must be from 0 to 3"),
        ({"gpus": "0"}, "gpus is '0', must be a whole number from 1"),
        ({"precision": "fp88"}, "did you mean fp8?"),
        ({"engine": "vlm"}, "did you mean vllm?"),
    ],
)
def test_what_is_wrong_is_told(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(
        (UserError, CatalogueError), match="(?i)" + words.replace("?", r"\?").replace("(", r"\(")
    ):
        asked(**changes)


def test_prices_are_leased_owned_or_told() -> None:
    system = records.system(BOOK, "dgx_h100")
    leased = price_of(system, BOOK)
    assert (leased.way, leased.hour_usd) == ("leased", system.lease_usd_per_hour)
    owned = price_of(system, BOOK, usd_per_kwh=0.1)
    assert system.price_kusd is not None
    assert owned.hour_usd == pytest.approx(system.price_kusd * 1e3 / system.life_years / 8760)
    assert owned.usd_per_hour(np.array([1000.0]))[0] == pytest.approx(owned.hour_usd + 0.1)
    assert price_of(system, BOOK, usd_per_hour=2.0).usd_per_hour(np.array([9e3])).tolist() == [2.0]


def test_what_is_missing_for_a_price_is_named() -> None:
    system = replace(records.system(BOOK, "dgx_h100"), chip_kusd=None, lease_usd_per_hour=None)
    found = price_of(system, BOOK)
    assert "nv_h100_sxm.chip_usd" in found.missing
    assert math.isnan(found.hour_usd)
    assert price_of(None, BOOK).missing
