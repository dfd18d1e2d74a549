"""Where points and areas lie: points in areas, areas in areas, counts by area."""
