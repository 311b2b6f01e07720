"""LLM training: how long a step takes, what memory it needs, in which layout, on any accelerator."""
