"""The store: a city with its results in PostGIS, or in a SQLite file as the embedded default."""

from gridmap.store.database import cities, load, prove, save

__all__ = ["cities", "load", "prove", "save"]
