"""Recommenders: retrieval and ranking as exact sizes, served and trained, calibrated to measured runs."""
