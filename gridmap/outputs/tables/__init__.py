"""Figures and rows as people read them."""
