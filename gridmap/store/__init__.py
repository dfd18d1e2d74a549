"""The store: a city with its results in PostGIS or SQLite."""
