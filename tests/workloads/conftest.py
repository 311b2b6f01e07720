"""Systems by hand, so that these tests rest on data sheets written down here and on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from gigawright.catalogue.types import Accelerator, System

H100 = Accelerator(
    id="nv_h100_sxm",
    name="H100 SXM5 80GB",
    vendor="NVIDIA",
    made_for="abroad",
    peak_tflops={"bf16": 989.0, "fp16": 989.0, "fp8": 1979.0, "int8": 1979.0},
    memory_gb=80.0,
    memory_gbs=3350.0,
    scaleup_gbs=450.0,
    scaleup_domain=8,
    nic_gbps=400.0,
    tdp_w=700.0,
    die_mm2=814.0,
    tpp=15832.0,
)


def system_of(accelerator: Accelerator, kw: float = 1.275) -> System:
    """An 8-accelerator server around a chip; prices do not matter here."""
    return System(
        id=f"server_{accelerator.id}",
        name=accelerator.name,
        accelerator=accelerator,
        accelerators=8,
        kw_per_accelerator=kw,
        cooling="air",
        chip_kusd=25.0,
        server_kusd=8.0,
        network_kusd=4.0,
        storage_kusd=1.0,
        lead_quarters=2,
        life_years=5.0,
        prepay_share=0.3,
        lease_usd_per_hour=None,
    )


@pytest.fixture(scope="session")
def h100() -> System:
    """Eight H100, 10.2 kW (NVIDIA DGX H100 data sheet)."""
    return system_of(H100)


@pytest.fixture(scope="session")
def variant() -> Callable[..., System]:
    """The H100 server with fields of its chip replaced."""
    return lambda **changes: system_of(replace(H100, **changes))
