"""The layout of workers that read prompts under a limit on the time to the first token."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gigawright.workloads.calibrated import Calibrated
from gigawright.workloads.performance import Unpredictable
from gigawright.workloads.serving.cost import most_sequences
from gigawright.workloads.serving.layouts import candidates
from gigawright.workloads.serving.levels import levels
from gigawright.workloads.serving.load import Deployment, prompt_alone, prompt_seconds
from gigawright.workloads.serving.service import Layout, Service
from gigawright.workloads.serving.sizes import sizes
from gigawright.workloads.serving.spread import INPUT_SPREAD, long_over_mean

ALONE = 0.7
"""Share of the limit that a long prompt may take on an idle worker; the rest is left for waiting. Of 0.3,
0.5, 0.7 and 1, this left the most pace within 2 s on the systems of the flagship study.
"""


def prompts_laid_out(one: Service, known: Calibrated, limit_s: float) -> Service:
    """Prompts in the layout with the best pace of those that read a long prompt alone in time.

    Long is the 99th percentile of lengths. Where no layout is quick enough, the quickest is taken: response
    surfaces tell whether its limit holds at any load. Raises Unpredictable where the weights fit nowhere.
    """
    domain = max(1, int(one.chip.scaleup_domain or 1))
    tried = candidates(one.model, one.gpus, max(domain, min(one.gpus, 8)))
    workers = np.array([max(1, one.gpus // each.accelerators) for each in tried], dtype=float)
    constants = known.constants
    s = sizes([replace(one, layout=Layout())]).laid_out(tried, workers)
    pace = prompt_seconds(Deployment(s, s, np.zeros(len(tried), bool)), constants).sum(axis=0)
    fits = most_sequences(s, constants) >= 1
    if not fits.any():
        raise Unpredictable(
            f"not feasible: {one.model.name} with one request of {one.input_tokens:,.0f} tokens does not fit "
            f"{one.gpus} x {one.chip.name}"
        )
    more = np.exp(known.hierarchy.multipliers([levels(one, "ttft")])[0])
    whole = replace(one, layout=Layout(), input_tokens=one.input_tokens * long_over_mean(INPUT_SPREAD))
    alone = (prompt_alone(sizes([whole]).laid_out(tried, workers), constants) * more[:, None]).sum(axis=0)
    quick = fits & (alone <= ALONE * limit_s)
    cost = np.where(quick, pace, np.inf) if quick.any() else np.where(fits, alone, np.inf)
    best = int(np.argmin(cost))
    told = tuple(dict.fromkeys((*one.assumed, "layout")))
    return replace(one, layout=tried[best], workers=int(workers[best]), assumed=told)
