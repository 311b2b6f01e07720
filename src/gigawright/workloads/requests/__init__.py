"""Requests one by one: traces, the engine that serves them iteration by iteration, and what users felt."""
