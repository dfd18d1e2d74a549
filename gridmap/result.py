"""Results: frames with their layer and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, ClassVar

import pandas as pd

from gridmap._version import __version__
from gridmap.catalog import Layer
from gridmap.model import City
from gridmap.privacy import shown_frame, shown_value
from gridmap.summaries import Summarised

__all__ = ["Analysed", "Result"]


@dataclass(frozen=True, repr=False)
class Result(Summarised):
    """A computed layer.

    Parameters
    ----------
    layer : Layer
        What its columns mean and how it is drawn.
    frame : GeoDataFrame or DataFrame
        In the city's coordinate system.
    method : str
        How it was computed, in a few words that a reader can look up.
    parameters : mapping
        The settings that the result depends on.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> result = gridmap.analyse(city, want=["grid_results"]).results["grid_results"]
    >>> result.method
    'Counts by grid; expected hours of cases, households, places and travel (Beardwood et al. 1959)'
    >>> result.layer.fields["hours"].unit
    'h'
    """

    headline: ClassVar[tuple[str, ...]] = ("layer", "frame", "method")

    layer: Layer
    frame: pd.DataFrame
    method: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    version: str = __version__

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    def shown(self) -> Result:
        """Return it as it may be written or shown."""
        parameters = shown_value(self.parameters)
        return replace(self, frame=shown_frame(self.layer, self.frame), parameters=parameters)


@dataclass(frozen=True, repr=False)
class Analysed(Summarised):
    """A city with all that was computed for it.

    Parameters
    ----------
    city : City
    results : mapping of str to Result
        By layer name. A result named like an input layer replaces it in outputs, with the
        derived fields filled.
    summary : mapping
        The figures of the whole city; the keys are the messages of section ``summary``.
    asked : frozenset of str
        Every result that was computed if the city has it; what it says nothing of is not in
        ``results``.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> analysed = gridmap.analyse(city, want=["grid_results"])
    >>> analysed
    <Analysed city: qinghe, results: 2 (buildings 1,169, grid_results 38)>
    >>> analysed.frame("grids") is city.frame("grids")
    True
    """

    headline: ClassVar[tuple[str, ...]] = ("city", "results")

    city: City
    results: Mapping[str, Result]
    summary: Mapping[str, Any]
    asked: frozenset[str] = field(default=frozenset(), compare=False)

    def frame(self, name: str) -> pd.DataFrame | None:
        """Return a layer for drawing or export: computed if there is one, else as it came."""
        if name in self.results:
            return self.results[name].frame
        return self.city.layers.get(name)

    def shown(self) -> Analysed:
        """Return it as it may be written or shown: what every writer begins with.

        Examples
        --------
        >>> city = gridmap.read_city("data", layers=["grids", "assignments"])
        >>> analysed = gridmap.analyse(city, want=["responsibilities"])
        >>> phones = analysed.shown().frame("responsibilities")["phone"]
        >>> bool(phones.dropna().str.contains("*", regex=False).all())
        True
        """
        results = {name: result.shown() for name, result in self.results.items()}
        return replace(self, city=self.city.shown(), results=results)
