"""Readers: files and tables in, a conformed `gridmap.model.City` out."""

from gridmap.sources.city import read_city

__all__ = ["read_city"]
