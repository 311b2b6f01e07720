"""Serving of language models: what users feel, on any chip; request by request in `workloads.requests`."""
