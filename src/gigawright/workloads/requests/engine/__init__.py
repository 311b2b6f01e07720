"""The compiled engine: replicas as arrays, and the functions that move them on."""
