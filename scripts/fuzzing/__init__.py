"""Damaged files, read as inputs of a city."""
