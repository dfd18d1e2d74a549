"""Measures of a city: each says what it needs and makes."""
