"""Energy inside the master: each site's block on typical days, joined to its load and its grid connection."""

from __future__ import annotations

import numpy as np

from gigawright.arrays import Ints
from gigawright.facility.dispatch.block import add_site
from gigawright.facility.dispatch.columns import SiteColumns
from gigawright.facility.dispatch.quarters import MUSD, site_case
from gigawright.linear import Model
from gigawright.plan.problem import DESIGNS, PROFILES, Problem


def sites_run_on_typical_days(model: Model, problem: Problem) -> dict[str, SiteColumns]:
    """Add every site's energy block; its load comes from the master's variables."""
    load, grid = model.columns["load"].at, model.columns["grid"].at
    blocks = {}
    for s, site in enumerate(problem.sets.sites):
        hours, prices = problem.days[site], problem.energy[site]
        block = add_site(model, site_case(site, hours, prices, problem.sets.year_of), 1.0 / MUSD)
        _join_load(model, problem, site, block, load[s])
        _stay_connected(model, problem, s, block, load[s], grid[s])
        blocks[site] = block
    return blocks


def _join_load(model: Model, problem: Problem, site: str, block: SiteColumns, load: Ints) -> None:
    """Load in the balance (PUE x shape) and in the green share; water on the load itself."""
    hours, prices = problem.days[site], problem.energy[site]
    grey = 1.0 - prices.green_share_min
    for d, design in enumerate(DESIGNS):
        for c, profile in enumerate(PROFILES):
            draw = hours.draw_mw(design, profile)
            model.add_terms(block.balance, load[d, c][:, None], -draw)
            if len(block.clean_share):
                energy = (hours.weight_h * draw).sum(axis=1)
                model.add_terms(block.clean_share[problem.sets.year_of], load[d, c], -grey * energy)


def water_cost(problem: Problem) -> np.ndarray:
    """M USD per MW of load: make-up water over the quarter. Shape [site, design, profile, quarter]."""
    sets = problem.sets
    cost = np.zeros((len(sets.sites), len(DESIGNS), len(PROFILES), len(sets.q)))
    for s, site in enumerate(sets.sites):
        hours, prices = problem.days[site], problem.energy[site]
        for d, design in enumerate(DESIGNS):
            for c, profile in enumerate(PROFILES):
                litres = (hours.weight_h * hours.wue_l_per_kwh[design] * hours.shape[profile]).sum(axis=1)
                cost[s, d, c] = litres * prices.water_usd_m3 * prices.discount * MUSD
    return cost


def _stay_connected(
    model: Model, problem: Problem, s: int, block: SiteColumns, load: Ints, grid: Ints
) -> None:
    """The connection holds the peak draw, and the load with the year's worst PUE even without sun or wind."""
    dims = {"quarter": problem.sets.q}
    site = problem.sets.sites[s]
    connected = model.add_rows(f"connected:{site}", dims, upper=0.0)
    model.add_terms(connected, block.capacity["grid"], 1.0)
    model.add_terms(connected, grid, -1.0)
    worst = model.add_rows(f"connected_worst:{site}", dims, upper=0.0)
    model.add_terms(worst[None, None], load, problem.build.peak_pue[s][:, None, None])
    model.add_terms(worst, grid, -1.0)
