"""What is shown of what belongs to a person."""

from __future__ import annotations

import pandas as pd

from gridmap.catalog import Layer

__all__ = ["masked", "without_private"]

SHOWN = 3  # signs at either end


def masked(text: str) -> str:
    """Return a number or name of which only the beginning and the end can be read."""
    shown = min(SHOWN, len(text) // 3)
    return text[:shown] + "*" * (len(text) - 2 * shown) + text[len(text) - shown :]


def without_private(layer: Layer, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a layer's frame with its private fields masked."""
    private = [name for name, field in layer.fields.items() if field.private and name in frame]
    hidden = {
        name: frame[name].map(masked, na_action="ignore").astype("string") for name in private
    }
    return frame.assign(**hidden) if hidden else frame
