"""The share of a long run's time that trains: checkpoints, work lost to interruptions, and restarts.

    g = tau / (M e^(R/M) (e^((tau + w)/M) - 1)),    M = 1 / (rate x accelerators)

A run saves every `tau` seconds, which stops it for `w`; interruptions come at random, `M` seconds apart in
the mean, throw it back to its last checkpoint and cost `R` to start again. To first order
g = 1 - w/tau - (tau/2 + R)/M, and the best tau is sqrt(2 w M) (J. W. Young, Communications of the ACM 17(9),
1974, 530-531). As used here: J. T. Daly, A higher order estimate of the optimum checkpoint interval for
restart dumps, Future Generation Computer Systems 22(3), 2006, 303-312, equation 20 for g and 37 for tau.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gigawright.facts import FactBook

CHECKPOINT_BYTES = 14.0
"""Bytes of a weight in a checkpoint: bf16 value, fp32 copy and Adam's two fp32 moments (Megatron-Core)."""

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class Reliability:
    """How often a run is interrupted and what that costs.

    `interruptions` are of a run, for each of its accelerators and hours [1/h]; `restart_s` lasts from an
    interruption until the run computes again; `storage_bytes_s` is what storage takes, for each accelerator.
    """

    interruptions: float
    restart_s: float
    storage_bytes_s: float


@dataclass(frozen=True)
class Goodput:
    """Shares of a run's time, which sum to 1, and the seconds they follow from.

    `between_s` is the mean time between interruptions, `interval_s` that of computing between two
    checkpoints, `save_s` that of saving one.
    """

    share: float
    saving: float
    lost: float
    restarting: float
    interval_s: float
    save_s: float
    between_s: float


def reliability(book: FactBook) -> Reliability:
    """What the catalogue knows: `training_interruptions`, `training_restart` and `checkpoint_bandwidth`.

    >>> from gigawright.catalogue.load import load_facts
    >>> reliability(FactBook(load_facts())).restart_s
    600.0
    """

    def number(item: str) -> float:
        return book.number("economics", item, "value")

    return Reliability(
        interruptions=number("training_interruptions"),
        restart_s=60.0 * number("training_restart"),
        storage_bytes_s=1e9 * number("checkpoint_bandwidth"),
    )


def goodput(parameters: float, accelerators: int, known: Reliability) -> Goodput:
    """The goodput of a run that saves as often as is best; `parameters` are the model's weights.

    Storage grows with the cluster, so a checkpoint takes CHECKPOINT_BYTES x parameters / accelerators /
    storage_bytes_s. Llama 3 405B kept more than 90% on 16,384 H100 (arXiv:2407.21783, section 3.3.4), and was
    interrupted every 2.8 hours:

    >>> llama = Reliability(466 / (54 * 24 * 16384), restart_s=600, storage_bytes_s=2e12 / 16384)
    >>> found = goodput(405e9, 16384, llama)
    >>> round(found.between_s / 3600, 1), found.share > 0.9
    (2.8, True)
    """
    between_s = SECONDS_PER_HOUR / (known.interruptions * accelerators)
    save_s = CHECKPOINT_BYTES * parameters / accelerators / known.storage_bytes_s
    interval_s = best_interval(save_s, between_s)
    share = efficiency(interval_s, save_s, between_s, known.restart_s)
    saving = share * save_s / interval_s
    restarting = -math.expm1(-known.restart_s / between_s)
    lost = max(0.0, 1.0 - share - saving - restarting)
    return Goodput(share, saving, lost, restarting, interval_s, save_s, between_s)


def best_interval(save_s: float, between_s: float) -> float:
    """Seconds of computing between two checkpoints that waste least (Daly 2006, equation 37).

    >>> round(best_interval(save_s=5.0, between_s=24 * 3600.0))
    926
    """
    if save_s >= 2.0 * between_s:
        return between_s
    x = save_s / (2.0 * between_s)
    return math.sqrt(2.0 * save_s * between_s) * (1.0 + math.sqrt(x) / 3.0 + x / 9.0) - save_s


def efficiency(interval_s: float, save_s: float, between_s: float, restart_s: float) -> float:
    """Computing that lasts over all time, where interruptions are a Poisson process (Daly 2006, equation 20).

    Saving and starting again may be interrupted too.

    >>> efficiency(interval_s=600.0, save_s=6.0, between_s=1e12, restart_s=60.0)
    0.990...
    """
    cycle = (interval_s + save_s) / between_s
    # e^-R e^-c / (1 - e^-c) is 1 / (e^R (e^c - 1)) without its overflow.
    return interval_s / between_s * math.exp(-restart_s / between_s - cycle) / -math.expm1(-cycle)
