"""The planning model: what to buy, build, lease, contract and hire, where and when."""
