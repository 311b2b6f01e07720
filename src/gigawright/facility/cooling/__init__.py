"""Heat out of a hall and losses on the way in: cooling, power chain, PUE and WUE by hour."""
