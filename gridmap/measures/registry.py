"""Measures: what can be computed of a city, what each needs, and in which order they go."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any, ClassVar

import geopandas as gpd
import pandas as pd

from gridmap import resources
from gridmap.analysis.location.assign import count_points
from gridmap.errors import CatalogError, ConformError
from gridmap.model import City
from gridmap.settings import Analysis
from gridmap.summaries import Summarised

__all__ = ["Given", "Made", "Measure", "Registry", "load_measures"]

Made = Mapping[str, Any]


@dataclass(frozen=True, repr=False)
class Given(Summarised):
    """What a measure is given: a city, its settings, and what was computed before.

    Parameters
    ----------
    city : City
    settings : Analysis
    found : mapping
        Results of other measures by name: frames of layers, and records that are no layers.
    """

    headline: ClassVar[tuple[str, ...]] = ("city", "found")

    city: City
    settings: Analysis
    found: Mapping[str, Any] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Tell whether there is a result of that name, or an input layer with rows."""
        return name in self.found or self.city.has(name)

    def get(self, name: str) -> Any:
        """Return a result, else an input layer that has rows, else None."""
        if name in self.found:
            return self.found[name]
        return self.city.layers[name] if self.city.has(name) else None

    def __getitem__(self, name: str) -> Any:
        return self.found[name] if name in self.found else self.city.frame(name)

    @property
    def level(self) -> str:
        """The level of the grids that are worked; empty where the city has no grids."""
        return self.settings.level or (self.city.levels[-1] if self.city.levels else "")

    @cached_property
    def grids(self) -> gpd.GeoDataFrame:
        """The grids that are worked, the lowest level unless the settings name one.

        Raises
        ------
        ConformError
            If the city has none.
        """
        return self.city.areas(self.level)

    @property
    def placed(self) -> gpd.GeoDataFrame:
        """The problems whose place can be believed: those on no fallback point of a geocoder."""
        problems = self["problems"]
        return problems[~problems["pile"]]

    def counted(self, areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return areas with how many of those problems lie in each."""
        none = pd.Series(0, index=areas.index, dtype="Int64")
        counts = count_points(areas, self.placed) if self.has("problems") else none
        return areas.assign(problems=counts)

    @property
    def minutes(self) -> pd.Series | None:
        """The minutes that a problem takes by its category, where the city says so."""
        categories = self.get("categories")
        return None if categories is None else categories.set_index("code")["minutes"]


@dataclass(frozen=True)
class Measure:
    """Something that can be computed of a city.

    Parameters
    ----------
    name : str
    needs : tuple of str
        Layers and results of other measures without which it says nothing. A name is that of the
        result where a measure makes one, so that ``problems`` are those with grid and state; what a
        measure makes itself it needs as it came.
    makes : tuple of str
        Its results: names of layers, and of what other measures take further.
    method : str
        How it is computed, in a few words that a reader can look up; no measure is without.
    run : callable
        From `Given` to the results; one that there is nothing to say of may be left out.
    uses : tuple of str
        Layers and results that it takes into account where there are any.
    settings : tuple of str
        Fields of `gridmap.settings.Analysis` that the results depend on.
    silent : str
        A message: why there may be no result of a city that has all it needs, and what to do.
    dated : bool
        Whether it says nothing of a city that has no moment.
    """

    name: str
    needs: tuple[str, ...]
    makes: tuple[str, ...]
    method: str
    run: Callable[[Given], Made]
    uses: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    silent: str = ""
    dated: bool = False

    @property
    def takes(self) -> tuple[str, ...]:
        """All that it needs or uses."""
        return (*self.needs, *self.uses)


@dataclass(frozen=True, repr=False)
class Registry(Summarised):
    """The measures that there are.

    Parameters
    ----------
    measures : tuple of Measure

    Raises
    ------
    CatalogError
        If two measures have one name or make one result, or they need each other in a circle.
    """

    measures: tuple[Measure, ...]

    def __post_init__(self) -> None:
        names = [measure.name for measure in self.measures]
        made = [name for measure in self.measures for name in measure.makes]
        for name in dict.fromkeys((*names, *made)):
            if names.count(name) > 1 or made.count(name) > 1:
                raise CatalogError("measure.twice", name=name)
        for measure in self.measures:
            self._visit(measure, [], {})

    @cached_property
    def makers(self) -> Mapping[str, Measure]:
        """The measure that makes each result."""
        return MappingProxyType(
            {name: measure for measure in self.measures for name in measure.makes}
        )

    def plan(self, want: Iterable[str]) -> tuple[Measure, ...]:
        """Return the measures that some results take, each behind those that it needs.

        Parameters
        ----------
        want : iterable of str
            Names of results; a name that no measure makes takes none.
        """
        order: dict[str, Measure] = {}
        for name in want:
            if name in self.makers:
                self._visit(self.makers[name], [], order)
        return tuple(order.values())

    def _visit(self, measure: Measure, path: list[str], order: dict[str, Measure]) -> None:
        if measure.name in path:
            raise CatalogError("measure.circle", names=" > ".join((*path, measure.name)))
        if measure.name in order:
            return
        for before in self.before(measure):
            self._visit(before, [*path, measure.name], order)
        order[measure.name] = measure

    def before(self, measure: Measure) -> Iterator[Measure]:
        """Yield the measures whose results a measure takes."""
        for name in measure.takes:
            maker = self.makers.get(name)
            if maker is not None and maker is not measure:
                yield maker

    def inputs(self, want: Iterable[str]) -> frozenset[str]:
        """Return the input layers that some results depend on; a layer depends on itself."""
        names = set(want)
        read = {name for name in names if name not in self.makers}
        for measure in self.plan(names):
            own = set(measure.makes)
            read |= {name for name in measure.takes if name in own or name not in self.makers}
        return frozenset(read)

    def lacking(self, name: str, city: City) -> tuple[str, ...]:
        """Return the input layers for want of which a city has no result of that name."""
        maker = self.makers.get(name)
        if maker is None:
            return () if city.has(name) else (name,)
        own = set(maker.makes)
        parts = [
            (() if city.has(need) else (need,)) if need in own else self.lacking(need, city)
            for need in maker.needs
        ]
        return tuple(dict.fromkeys(missing for part in parts for missing in part))

    def undated(self, name: str, city: City) -> bool:
        """Tell whether a city has no result of that name because it has no moment."""
        maker = self.makers.get(name)
        if maker is None or city.moment is not None:
            return False
        own = set(maker.makes)
        return maker.dated or any(self.undated(n, city) for n in maker.needs if n not in own)

    def why_not(self, name: str, city: City) -> ConformError:
        """Return why a city has nothing of a result or layer, and what to do: the one wording."""
        lacking = self.lacking(name, city)
        if name.startswith("plan") and name in city.catalog.layers:
            return ConformError("measure.of_plan", name=name)
        if lacking:
            return ConformError("measure.lacks", name=name, layers=", ".join(lacking))
        if self.undated(name, city):
            return ConformError("measure.no_moment", name=name)
        return ConformError(self._silence(name) or "measure.empty", name=name)

    def _silence(self, name: str) -> str:
        """Return why a measure, or one whose results it needs, may have said nothing."""
        if name not in self.makers:
            return ""
        maker = self.makers[name]
        own = set(maker.makes)
        others = (self._silence(need) for need in maker.needs if need not in own)
        return maker.silent or next(filter(None, others), "")

    def prove(self, names: Iterable[str], layers: Iterable[str]) -> None:
        """Prove that names are results or layers.

        Raises
        ------
        CatalogError
            Names the first that is neither, and those that it may have meant.
        """
        known = sorted({*self.makers, *layers})
        for name in names:
            if name in known:
                continue
            near = difflib.get_close_matches(str(name), known, n=3)
            if near:
                raise CatalogError("measure.unknown", name=name, known=", ".join(near))
            raise CatalogError("measure.unknown_name", name=name, known=", ".join(known))


@cache
def load_measures() -> Registry:
    """Return all measures: those of this package, then those of other packages.

    A module of ``gridmap.measures`` lists its own in ``MEASURES``. Another package names a module
    with such a list by an entry point of the group ``gridmap.measures``; see
    ``examples/extension``.

    Raises
    ------
    CatalogError
        If two measures make one result, or a module of another package lists none.
    """
    package = __name__.rpartition(".")[0]
    own = [
        measure
        for module in iter_modules(import_module(package).__path__, f"{package}.")
        for measure in getattr(import_module(module.name), "MEASURES", ())
    ]
    return Registry((*own, *_of_others()))


def _of_others() -> Iterator[Measure]:
    for name, module in resources.extensions().items():
        found = getattr(import_module(module), "MEASURES", None)
        if not found:
            raise CatalogError("measure.none_listed", name=name, module=module)
        yield from found
