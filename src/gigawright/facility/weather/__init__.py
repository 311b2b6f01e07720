"""A year of weather at a place: read, fetched, or made from monthly normals."""
