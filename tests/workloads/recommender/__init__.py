"""Tests of recommenders: sizes, placement, queueing, cost, rows, calibration, training, the plan."""
