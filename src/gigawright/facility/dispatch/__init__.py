"""The one energy block: least-cost sizing and dispatch, for `energy`, the plan and the simulation."""
