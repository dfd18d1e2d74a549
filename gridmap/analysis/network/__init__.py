"""Along roads: networks, density, black spots, levels."""
