"""Every chart of the report: plain functions from a result to a plotly figure."""

from __future__ import annotations

from gigawright.report.charts_fleet import build_out, colours_of, fleet_by_system, fleets_compared
from gigawright.report.charts_map import crowded_country, site_map
from gigawright.report.charts_money import budgets_and_spending, money_flow, sensitivity, unit_cost_bars
from gigawright.report.charts_work import (
    demand_and_delivery,
    dispatch_week,
    energy_by_source,
    training_programmes,
)

__all__ = [
    "budgets_and_spending",
    "build_out",
    "colours_of",
    "crowded_country",
    "demand_and_delivery",
    "dispatch_week",
    "energy_by_source",
    "fleet_by_system",
    "fleets_compared",
    "money_flow",
    "sensitivity",
    "site_map",
    "training_programmes",
    "unit_cost_bars",
]
