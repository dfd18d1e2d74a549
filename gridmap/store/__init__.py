"""The store: a city with its results in PostGIS, or in a SQLite file as the embedded default."""

from gridmap.store.database import cities, load, save

__all__ = ["cities", "load", "save"]
