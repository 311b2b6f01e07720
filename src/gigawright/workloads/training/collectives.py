"""Seconds of collectives by tier: the scale-up domain, and the network beyond it.

    t = hops + (p - 1) / p x (B + B_half) / bandwidth

B are the bytes of the message over p ranks, B_half the size at which half of the bandwidth is reached. A
group that leaves its domain uses the cards of all its ranks in the domain.
"""

from __future__ import annotations

import numpy as np

from gigawright.arrays import Floats
from gigawright.workloads.training.constants import Constants
from gigawright.workloads.training.machine import Machines

Value = Floats | float


def gather(machine: Machines, c: Constants, group: Floats, stride: Value, message: Floats) -> Floats:
    """Seconds to gather (or reduce and scatter) `message` bytes over a group, as a ring moves them [N].

    Members are `stride` ranks apart; each rank sends (p - 1) / p of the message.
    """
    local = np.minimum(group, np.maximum(1.0, machine.domain / stride))
    near = (message + c.link_bytes) / (c.link * machine.scale_up)
    far = (message + c.nic_bytes) / (c.nic * machine.nic * local)
    inside = np.where(local > 1, near, 0.0)
    wire = np.where(group > local, np.maximum(inside, far), near) * (group - 1) / group
    latency = c.hop_s + c.node_hop_s * np.log2(np.maximum(1.0, group / local))
    return np.asarray(np.where(group > 1, latency + wire, 0.0))


def exchange(machine: Machines, c: Constants, group: Floats, picked: Floats, sent: Floats) -> Floats:
    """Seconds to send each of a rank's tokens (`sent` bytes in all) to the experts they picked [N].

    A token goes once to each rank that holds one of its k experts, g (1 - (1 - 1/g)^k) of g, as dispatchers
    do (DeepEP, HybridEP): over the network once for each other of n domains, (n - 1)(1 - (1 - 1/n)^k), and
    from there inside the domain.
    """
    local = np.minimum(group, machine.domain)
    nodes = np.maximum(1.0, group / local)
    met = group * (1 - (1 - 1 / group) ** picked)
    inside = met * (local - 1) / local
    across = (nodes - 1) * (1 - (1 - 1 / nodes) ** picked)
    near = (inside * sent + c.link_bytes) / (c.link * machine.scale_up)
    far = np.where(across > 0, (across * sent + c.nic_bytes) / (c.nic * machine.nic), 0.0)
    latency = c.hop_s + c.node_hop_s * np.log2(nodes)
    return np.asarray(np.where(group > 1, latency + np.maximum(near, far), 0.0))


def send(machine: Machines, c: Constants, stride: Value, message: Floats) -> Floats:
    """Seconds to send `message` bytes to the neighbour `stride` ranks away [N]."""
    crosses = stride >= machine.domain
    wire = np.where(crosses, c.nic * machine.nic, c.link * machine.scale_up)
    half = np.where(crosses, c.nic_bytes, c.link_bytes)
    return np.asarray(c.hop_s + (message + half) / wire)
