"""Where power comes from: sun, wind, storage, plants, the grid and its tariffs."""
