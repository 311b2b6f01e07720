"""One accelerator and its links, for the slow evaluation of a step."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

from gigawright.workloads.training.constants import Constants
from gigawright.workloads.training.machine import SMALL_CORES, sustained
from gigawright.workloads.training.run import Run


@dataclass(frozen=True)
class Chip:
    """Rates of one accelerator at a run's precision [flop/s, bytes/s]."""

    run: Run
    c: Constants

    def precision(self) -> str:
        """What products really run at: what was asked for, else the next best."""
        order = {
            "fp4": ["fp4", "fp8", "bf16"],
            "fp8": ["fp8", "bf16"],
            "int8": ["int8", "fp8", "bf16"],
            "bf16": ["bf16"],
        }[self.run.precision]
        peaks = self.run.chip.peak_tflops
        return next(name for name in order if peaks.get(name) or (name == "bf16" and peaks.get("fp16")))

    def peak(self) -> float:
        peaks = self.run.chip.peak_tflops
        return 1e12 * (peaks.get(self.precision()) or peaks["fp16"])

    def peak_16(self) -> float:
        peaks = self.run.chip.peak_tflops
        value_bytes = self.value_bytes()
        return 1e12 * (peaks.get("bf16") or peaks.get("fp16") or self.peak() / 1e12 * value_bytes / 2)

    def value_bytes(self) -> float:
        """Bytes of a value in a product; 4 bits carry a scale of 8 for every 16 values."""
        return {"bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5 + 1 / 16}[self.precision()]

    def power(self) -> float:
        """Rate that the part's watts allow, over that of the part that was measured."""
        chip, best = self.run.chip, sustained(self.run.chip.name)
        if not chip.tdp_w or not best.watts_per_tflops:
            return 1.0
        ratio: float = (chip.tdp_w / (self.peak_16() / 1e12) / best.watts_per_tflops) ** self.c.power
        return ratio

    def gemm(self) -> float:
        """Large dense products at the run's precision."""
        best = sustained(self.run.chip.name)
        four = self.c.gemm_four if self.precision() == "fp4" else 1.0
        share = best.share if self.precision() == "bf16" else best.share_8
        return self.peak() * share * self.c.gemm * four * self.power()

    def gemm_16(self) -> float:
        return self.peak_16() * sustained(self.run.chip.name).share * self.c.gemm * self.power()

    def hbm(self) -> float:
        return self.run.chip.memory_gbs * 1e9

    def cores(self) -> float:
        """Units that work on tiles; a chip of few large ones is taken as one of many small ones."""
        told = self.run.chip.cores or 0
        return told if told >= SMALL_CORES else 128.0

    def domain(self) -> int:
        return max(1, self.run.chip.scaleup_domain) if self.run.chip.scaleup_gbs else 1

    def link(self) -> float:
        return (self.run.chip.scaleup_gbs or self.nic() / 1e9) * 1e9

    def nic(self) -> float:
        return (self.run.chip.nic_gbps or 200.0) / 8 * 1e9

    def host(self) -> float:
        return (self.run.chip.host_gbs or 32.0) * 1e9

    def casts(self) -> float:
        """Passes over an operand to cast it: none at 16 bits, more where blocks have their scales."""
        if self.precision() == "bf16":
            return 0.0
        blocks = self.run.recipe == "block" or self.precision() == "fp4"
        return self.c.cast * (self.c.block_cast if blocks else 1.0)


@dataclass(frozen=True)
class Wires:
    """Collectives over a chip's links."""

    chip: Chip
    c: Constants

    def gather(self, group: float, stride: float, message: float) -> float:
        """A ring over `group` ranks that are `stride` apart."""
        if group <= 1:
            return 0.0
        inside = min(group, max(1.0, self.chip.domain() / stride))
        seconds = (message + self.c.link_bytes) / (self.c.link * self.chip.link())
        if group > inside:
            network = self.c.nic * self.chip.nic() * inside
            far = (message + self.c.nic_bytes) / network
            seconds = max(seconds, far) if inside > 1 else far
        hops = self.c.hop_s + self.c.node_hop_s * log2(max(1.0, group / inside))
        return hops + seconds * (group - 1) / group

    def exchange(self, group: float, picked: float, sent: float) -> float:
        """Each token once to every rank with one of its `picked` experts, and to every other node once."""
        if group <= 1:
            return 0.0
        inside = min(group, self.chip.domain())
        nodes = max(1.0, group / inside)
        local = group * (1 - (1 - 1 / group) ** picked) * (1 - 1 / inside)
        remote = (nodes - 1) * (1 - (1 - 1 / nodes) ** picked)
        near = (local * sent + self.c.link_bytes) / (self.c.link * self.chip.link())
        far = (remote * sent + self.c.nic_bytes) / (self.c.nic * self.chip.nic()) if nodes > 1 else 0.0
        return self.c.hop_s + self.c.node_hop_s * log2(nodes) + max(near, far)

    def send(self, stride: float, message: float) -> float:
        """To a neighbour."""
        if stride < self.chip.domain():
            return self.c.hop_s + (message + self.c.link_bytes) / (self.c.link * self.chip.link())
        return self.c.hop_s + (message + self.c.nic_bytes) / (self.c.nic * self.chip.nic())
