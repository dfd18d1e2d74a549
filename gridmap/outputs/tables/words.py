"""Values of a layer in words: labels of categories, times in the city's zone, units in headings."""

from __future__ import annotations

import pandas as pd

from gridmap import messages
from gridmap.catalog import Field, Layer

__all__ = ["heading", "spoken_text"]


def heading(field: Field, lang: str) -> str:
    """Return the label of a field with its unit."""
    unit = messages.unit_label(field.unit, lang) if field.unit else ""
    return f"{field.label.get(lang)} ({unit})" if unit else field.label.get(lang)


def spoken_text(values: pd.Series, layer: Layer, lang: str) -> list[str]:
    """Return a column as texts, categories by their labels, empty where there is no value."""
    labels = layer.fields[str(values.name)].categories
    known = values.astype("string").fillna("")
    return [labels[text].get(lang) if text in labels else str(text) for text in known]
