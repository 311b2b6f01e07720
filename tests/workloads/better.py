"""Servers better than an H100's in any of what counts, for tests that nothing better is slower."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from gigawright.catalogue.types import System

from .conftest import H100, system_of

BETTER = st.fixed_dictionaries(
    {
        "memory_gb": st.floats(1.0, 3.0),
        "memory_gbs": st.floats(1.0, 3.0),
        "scaleup_gbs": st.floats(1.0, 3.0),
        "nic_gbps": st.floats(1.0, 3.0),
        "compute": st.floats(1.0, 3.0),
    }
)


def better_than_h100(factors: dict[str, float]) -> System:
    peaks = {name: peak * factors["compute"] for name, peak in H100.peak_tflops.items()}
    grown = {name: getattr(H100, name) * factor for name, factor in factors.items() if name != "compute"}
    return system_of(replace(H100, peak_tflops=peaks, **grown))
