"""What is asked of a recommender: a model on an accelerator, its precision, its batch, how requests come."""

from __future__ import annotations

from dataclasses import dataclass

from gigawright.catalogue.types import Accelerator
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.recommender.sizes import Sizes
from gigawright.workloads.training.run import MATURE_YEARS

VALUE_BYTES = {"fp4": 1.0, "int8": 1.0, "fp8": 1.0, "bf16": 2.0, "tf32": 4.0}
"""Bytes of a value of an embedding row by precision; rows are not kept below 8 bits."""

SAME = {"fp16": "bf16", "float16": "bf16", "bfloat16": "bf16", "fp32": "tf32", "float32": "tf32"}
"""Precisions that run at the rate of another: fp32 products of recommenders run as TF32, at half the rate of
16 bits (NVIDIA A100 data sheet: 156 of 312 TFLOP/s)."""


@dataclass(frozen=True)
class Ask:
    """A recommender on `accelerators` of a chip; each scores batches of `requests` x `candidates` items.

    `kept_16` are parts of the model that stay at 16 bits where the rest runs below (an accuracy target). A
    `live` service gets requests one by one, Poisson, and answers 99% of them within `limit_s` (0: no limit);
    otherwise all are there at once. `site` is who measured, `age_years` how long the chip had shipped.
    `training` runs forward and backward with an optimiser. `assumed` names what a reader had to fill in.
    """

    sizes: Sizes
    chip: Accelerator
    accelerators: int = 1
    precision: str = "bf16"
    kept_16: frozenset[str] = frozenset()
    candidates: float = 500.0
    requests: float = 1.0
    live: bool = False
    limit_s: float = 0.0
    site: str = ""
    age_years: float = MATURE_YEARS
    assumed: tuple[str, ...] = ()

    @property
    def pairs(self) -> float:
        """Items scored in a batch on one accelerator."""
        return self.candidates * self.requests

    def value_bytes(self) -> float:
        """Bytes of a value of an embedding row."""
        return VALUE_BYTES[precision_named(self.precision)]


def precision_named(text: str) -> str:
    """A precision in the words used here; raises Unpredictable for others.

    >>> precision_named("FP16"), precision_named("int8")
    ('bf16', 'int8')
    """
    name = text.strip().lower()
    name = SAME.get(name, name)
    if name not in VALUE_BYTES:
        known = ", ".join([*VALUE_BYTES, *SAME])
        raise Unpredictable(f"not predictable: precision {text!r} is none of {known}")
    return name
