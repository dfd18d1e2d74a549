"""Who answers for the areas of a map, as its panel of responsibility tells it."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import pandas as pd

from gridmap.catalog import Field
from gridmap.outputs.pages.elements import Person
from gridmap.outputs.privacy import without_private
from gridmap.result import Analysed

__all__ = ["People", "people_in", "people_of"]

People = Mapping[tuple[str, str], list[Person]]

# A layer that was derived from what people are named for, and its column with the code of that.
_NAMED_FOR = {"frontages": ("zones", "code"), "corridors": ("roads", "road")}
_ROLES = ("lead", "direct", "cooperating", "sponsor", "fallback")


def people_of(analysed: Analysed, *, unmask: bool = False) -> People:
    """Return all who answer for something, by its layer and code, in the order of the answer.

    Parameters
    ----------
    analysed : Analysed
    unmask : bool
        Whether phones are told in full.
    """
    result = analysed.results.get("responsibilities")
    if result is None:
        return {}
    layer = result.layer
    frame = result.frame if unmask else without_private(layer, result.frame)
    roles = {role: place for place, role in enumerate(_ROLES)}
    order = frame.assign(place=frame["role"].map(roles)).sort_values(
        ["place", "category", "holder"], kind="stable", na_position="first"
    )
    people: dict[tuple[str, str], list[Person]] = {}
    for row in order.to_dict("records"):
        key = (str(row["layer"]), str(row["target"]))
        told = {str(name): value for name, value in row.items()}
        people.setdefault(key, []).append(_person(told, layer.fields["role"]))
    return people


def _person(row: Mapping[str, object], role: Field) -> Person:
    label = role.categories[str(row["role"])]
    person: Person = {"role": {"en": label.en, "zh": label.zh}, "name": str(row["holder"])}
    if pd.notna(row["category"]):  # type: ignore[call-overload]
        person["line"] = str(row["category"])
    if pd.notna(row["phone"]):  # type: ignore[call-overload]
        person["phone"] = str(row["phone"])
    until = row["valid_to"]
    if isinstance(until, pd.Timestamp):
        person["until"] = f"{until:%Y-%m-%d}"
    return person


def people_in(people: People, layer: str, frame: gpd.GeoDataFrame) -> dict[str, list[Person]]:
    """Return those who answer for the rows of a layer, by code."""
    named, column = _NAMED_FOR.get(layer, (layer, "code"))
    if "code" not in frame or column not in frame:
        return {}
    pairs = zip(frame["code"].astype(str), frame[column].astype(str), strict=True)
    return {code: people[named, key] for code, key in pairs if (named, key) in people}
