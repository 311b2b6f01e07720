"""Collectives against formulas by hand, and what must hold of any of them."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawright.workloads.training.collectives import exchange, gather, send
from gigawright.workloads.training.constants import Constants, priors
from gigawright.workloads.training.examples import llama_run
from gigawright.workloads.training.machine import Machines, machines

GROUPS = st.sampled_from((1, 2, 4, 8, 16, 64, 512))
BYTES = st.floats(1.0, 1e12)
MANY = settings(max_examples=100, deadline=None)


@pytest.fixture(scope="module")
def h100() -> Machines:
    """Eight a domain, 450 GB/s inside and 50 GB/s a card (NVIDIA H100 data sheet)."""
    return machines([llama_run()])


H100 = machines([llama_run()])
IDEAL = replace(priors(), link=1.0, nic=1.0, link_bytes=0.0, nic_bytes=0.0, hop_s=0.0, node_hop_s=0.0)


def one(value: float) -> np.ndarray:
    return np.array([float(value)])


def gathered(c: Constants, group: float, stride: float, message: float, machine: Machines = H100) -> float:
    return float(gather(machine, c, one(group), stride, one(message))[0])


def exchanged(c: Constants, group: float, picked: float, sent: float, machine: Machines = H100) -> float:
    return float(exchange(machine, c, one(group), one(picked), one(sent))[0])


def sent(c: Constants, stride: float, message: float) -> float:
    return float(send(H100, c, one(stride), one(message))[0])


def test_gathering_in_a_domain() -> None:
    assert gathered(IDEAL, 8, 1, 450e9) == pytest.approx(7 / 8)
    assert gathered(IDEAL, 2, 4, 450e9) == pytest.approx(1 / 2)


def test_gathering_over_nodes_uses_the_cards_of_all_members_in_one() -> None:
    assert gathered(IDEAL, 64, 1, 400e9) == pytest.approx(63 / 64)
    assert gathered(IDEAL, 64, 8, 400e9) == pytest.approx(8 * 63 / 64), "one member a node"
    assert gathered(IDEAL, 64, 2, 400e9) == pytest.approx(2 * 63 / 64), "four members a node"


def test_hops_add_to_what_is_sent() -> None:
    plain = replace(IDEAL, hop_s=1e-5, node_hop_s=4e-5)
    assert gathered(plain, 8, 1, 0.0) == pytest.approx(1e-5)
    assert gathered(plain, 64, 1, 0.0) == pytest.approx(1e-5 + 3 * 4e-5)
    assert sent(plain, 8, 0.0) == pytest.approx(1e-5)


def test_half_of_the_rate_at_the_half_size() -> None:
    c = replace(IDEAL, link_bytes=4e6, nic_bytes=16e6)
    assert gathered(c, 8, 1, 4e6) == pytest.approx(2 * gathered(IDEAL, 8, 1, 4e6))
    assert gathered(c, 8, 8, 16e6) == pytest.approx(2 * gathered(IDEAL, 8, 8, 16e6))


@MANY
@given(group=GROUPS, stride=GROUPS, message=BYTES)
def test_a_gather_is_no_faster_than_its_wires(group: int, stride: int, message: float) -> None:
    seconds = gathered(priors(), group, stride, message)
    if group == 1:
        assert seconds == 0
    else:
        assert seconds >= message * (group - 1) / group / 450e9


@MANY
@given(group=GROUPS, stride=GROUPS, message=BYTES, more=st.floats(1.0, 100.0))
def test_more_bytes_take_longer(group: int, stride: int, message: float, more: float) -> None:
    assert gathered(priors(), group, stride, message) <= gathered(priors(), group, stride, message * more)
    assert exchanged(priors(), group, 4, message) <= exchanged(priors(), group, 4, message * more)
    assert sent(priors(), stride, message) <= sent(priors(), stride, message * more)


@MANY
@given(message=BYTES, stride=GROUPS)
def test_larger_groups_take_longer(message: float, stride: int) -> None:
    """At a given stride and message, as each rank sends (p - 1) / p of it."""
    seconds = [gathered(IDEAL, group, stride, message) for group in (1, 2, 4, 8) if group * stride <= 8]
    assert seconds == sorted(seconds)
    wide = [gathered(priors(), group, stride, message) for group in (64, 128, 1024)]
    assert wide == sorted(wide)


@MANY
@given(group=GROUPS, message=BYTES)
def test_a_neighbour_further_away_is_no_faster_to_reach(group: int, message: float) -> None:
    assert sent(IDEAL, 1, message) <= sent(IDEAL, group, message)


def ranks_met(group: int, picked: int) -> float:
    """Ranks of a group that hold one of the experts picked, each pick anywhere: counted over how many miss
    one rank.
    """
    none = sum((-1) ** k * comb(picked, k) / group**k for k in range(picked + 1))
    return group * (1 - none)


@pytest.mark.parametrize("picked", [1, 2, 8])
def test_tokens_in_a_domain_go_once_to_each_rank(picked: int) -> None:
    expected = ranks_met(8, picked) * 7 / 8
    assert exchanged(IDEAL, 8, picked, 450e9) == pytest.approx(expected)


@pytest.mark.parametrize("picked", [1, 2, 8])
def test_tokens_cross_the_network_once_for_each_other_node(picked: int) -> None:
    expected = ranks_met(8, picked) * 7 / 8
    assert exchanged(IDEAL, 64, picked, 50e9) == pytest.approx(
        max(expected, ranks_met(64, picked) * 7 / 8 / 9)
    )


@MANY
@given(group=GROUPS, picked=st.sampled_from((1, 2, 8)), tokens=BYTES)
def test_an_exchange_meets_no_more_ranks_than_there_are(group: int, picked: int, tokens: float) -> None:
    seconds = exchanged(IDEAL, group, picked, tokens)
    assert 0 <= seconds <= min(picked, group) * tokens / 50e9 * (1 + 1e-9)
    assert (seconds == 0) == (group == 1)


@MANY
@given(group=GROUPS, stride=GROUPS, message=BYTES)
def test_a_larger_domain_is_no_slower(group: int, stride: int, message: float) -> None:
    """With links that are as many times faster as they reach further."""
    large = replace(H100, domain=one(64))
    assert gathered(IDEAL, group, stride, message, large) <= gathered(IDEAL, group, stride, message) * (
        1 + 1e-9
    )


def test_without_a_domain_only_the_network_counts() -> None:
    alone = replace(H100, domain=one(1), scale_up=H100.nic)
    c = replace(IDEAL, link_bytes=50e6)
    assert gathered(c, 8, 1, 1e6, alone) == pytest.approx(gathered(IDEAL, 8, 1, 1e6, alone))
