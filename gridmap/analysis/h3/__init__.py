"""H3 cells: of points, counts, neighbours, parents."""
