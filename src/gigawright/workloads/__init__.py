"""What a workload needs of an accelerator: work a second, watts, and what limits it."""
