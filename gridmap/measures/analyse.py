"""From a city to what is wanted of it: the measures that this takes, each once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import pandas as pd

from gridmap.analysis import areal_shares
from gridmap.errors import ConformError
from gridmap.kinds import checked
from gridmap.measures.registry import Given, Made, Measure, Registry, load_measures
from gridmap.measures.summary import summary
from gridmap.model import City
from gridmap.result import Analysed, Result
from gridmap.schema import typed
from gridmap.settings import Analysis

__all__ = ["analyse", "inputs_of", "interpolated", "steps_of", "why_nothing"]

Progress = Callable[[str], None]


@checked
def analyse(
    city: City,
    settings: Analysis | None = None,
    *,
    want: str | Iterable[str] | None = None,
    also: str | Iterable[str] = (),
    progress: Progress | None = None,
    workers: int | None = None,
) -> Analysed:
    """Compute what is wanted of a city, and what that depends on; nothing else.

    Parameters
    ----------
    city : City
    settings : Analysis, optional
        The thresholds; every one has a default.
    want : iterable of str, optional
        Names of results that must be had, such as ``"grid_results"``; the name of an input layer
        takes nothing. Left out, everything that the city has inputs for.
    also : iterable of str
        Results to compute as well where the city has inputs for them.
    progress : callable, optional
        Is told the first result of each measure before it begins.
    workers : int, optional
        How many measures may run at once; as many as there are processors, four at most.

    Returns
    -------
    Analysed

    Raises
    ------
    CatalogError
        If a name is unknown; the message gives the nearest ones.
    ConformError
        If the city lacks an input that a wanted result needs, or the moment.
    GridmapError
        If the settings name a level or layer that the city does not have.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> analysed = gridmap.analyse(city, want=["grid_results"])
    >>> grids = analysed.frame("grid_results")
    >>> len(grids), int(grids["households"].sum())
    (38, 12174)
    """
    settings, registry = settings or Analysis(), load_measures()
    # A name by itself is an iterable of letters.
    wanted = None if want is None else (want,) if isinstance(want, str) else tuple(want)
    others = (also,) if isinstance(also, str) else tuple(also)
    registry.prove((*(wanted or ()), *others), city.catalog.layers)
    for name in wanted or ():
        if registry.lacking(name, city) or registry.undated(name, city):
            raise registry.why_not(name, city)
    names = [*registry.makers] if wanted is None else [*wanted, *others]
    city, kept = _shared_out(city, settings)
    plan = registry.plan(names)
    seed = {} if kept.empty else {"not_interpolated": kept}
    found = _run(registry, plan, Given(city, settings, seed), progress, workers)
    results = _results(found, registry, city, settings)
    figures = summary(Given(city, settings, found))
    if len(kept):
        figures["areas_left"] = len(kept)
        figures["households_left"] = int(kept["count"].sum())
    return Analysed(city, results, figures, frozenset(n for each in plan for n in each.makes))


def why_nothing(analysed: Analysed, name: str) -> ConformError:
    """Return why there is nothing of a result or layer, and what to do.

    Parameters
    ----------
    analysed : Analysed
    name : str

    Examples
    --------
    >>> from gridmap.measures.analyse import why_nothing
    >>> city = gridmap.read_city("data", layers=["grids"])
    >>> why = why_nothing(gridmap.analyse(city, want=["grids"]), "black_spots")
    >>> why.key, why.params["layers"]
    ('measure.lacks', 'roads, problems')
    """
    registry, city = load_measures(), analysed.city
    if analysed.frame(name) is not None:
        return ConformError("measure.empty", name=name)
    why = registry.why_not(name, city)
    can = name in registry.makers and not (
        registry.lacking(name, city) or registry.undated(name, city)
    )
    if can and name not in analysed.asked:
        return ConformError("measure.not_asked", name=name)
    return why


def inputs_of(want: Iterable[str] | None, settings: Analysis) -> frozenset[str] | None:
    """Return the input layers that results depend on; None where all are wanted.

    Parameters
    ----------
    want : iterable of str, optional
        As of `analyse`.
    settings : Analysis
        Whose interpolations read more layers.

    Examples
    --------
    >>> from gridmap.measures.analyse import inputs_of
    >>> settings = gridmap.Analysis()
    >>> sorted(inputs_of(["buildings"], settings))
    ['buildings', 'grids']
    >>> city = gridmap.read_city("data", layers=inputs_of(["buildings"], settings))
    >>> gridmap.analyse(city, settings, want=["buildings"])
    <Analysed city: qinghe, results: 1 (buildings 1,169)>
    """
    if want is None:
        return None
    want = tuple(want)
    read = load_measures().inputs(want)
    if "not_interpolated" in want:
        read |= {step.target for step in settings.interpolate}
    return read | {step.source for step in settings.interpolate if step.target in read}


def steps_of(want: Iterable[str] | None) -> int:
    """Return how many measures results take, for a progress bar.

    Examples
    --------
    >>> from gridmap.measures.analyse import steps_of
    >>> steps_of(["buildings"]), steps_of(["grid_results"])
    (1, 3)
    """
    registry = load_measures()
    return len(registry.plan(registry.makers if want is None else want))


def interpolated(city: City, settings: Analysis) -> tuple[City, int]:
    """Return the city with the counts interpolated that its file asks for.

    Returns
    -------
    city : City
    left : int
        Counts that found no target within reach.

    Examples
    --------
    >>> import dataclasses
    >>> from gridmap.measures.analyse import interpolated
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> layers = {"grids": city.areas("grid"), "buildings": city.frame("buildings")}
    >>> finest = dataclasses.replace(city, layers=layers)
    >>> step = {"source": "buildings", "target": "grids", "field": "occupied", "onto": "households"}
    >>> filled, left = interpolated(finest, gridmap.Analysis(interpolate=[step]))
    >>> int(filled.frame("grids")["households"].sum()), left
    (12174, 0)

    All households of the buildings, none of them too far from a grid.
    """
    filled, kept = _shared_out(city, settings)
    return filled, int(kept["count"].sum())


def _shared_out(city: City, settings: Analysis) -> tuple[City, gpd.GeoDataFrame]:
    """Return the city with its counts interpolated, and the areas that kept theirs."""
    layers, parts = dict(city.layers), []
    for number, step in enumerate(settings.interpolate, 1):
        if not (city.has(step.source) and city.has(step.target)):
            continue  # a part of the city, in which nobody asks for these counts
        source, target = layers[step.source], layers[step.target]
        shares = areal_shares(source, target, source[step.field], reach_m=step.reach_m)
        layers[step.target] = target.assign(**{step.onto: shares.received})
        count = shares.kept[(shares.kept > 0).to_numpy(dtype=bool)]
        left = source.loc[count.index]
        names = left[city.catalog.layer(step.source).key].astype("string")
        told = {"code": f"{number}:" + names, "area": names, "count": count}
        part = gpd.GeoDataFrame(told, geometry=left.geometry)
        parts.append(part.assign(source=step.source, target=step.target))
    kept = pd.concat(parts, ignore_index=True) if parts else gpd.GeoDataFrame({"count": []})
    return (replace(city, layers=layers) if settings.interpolate else city), kept


@dataclass
class _Progress:
    """Measures on their way: those done, and what they found."""

    found: dict[str, Any] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)


def _run(
    registry: Registry,
    plan: tuple[Measure, ...],
    given: Given,
    progress: Progress | None,
    workers: int | None,
) -> Made:
    """Run measures, each once all is done that it takes, several at a time."""
    state, waiting = _Progress(dict(given.found)), list(plan)
    running: dict[Future[Made], Measure] = {}
    most = workers or min(os.cpu_count() or 1, 4)
    with ThreadPoolExecutor(most) as pool:
        try:
            while waiting or running:
                for measure in _ready(registry, plan, waiting, state.done)[: most - len(running)]:
                    waiting.remove(measure)
                    if not _answerable(registry, measure, given.city, state.found):
                        state.done.add(measure.name)
                        continue
                    if progress is not None:
                        progress(measure.makes[0])
                    # A copy, for the others go on adding to what was found.
                    ask = replace(given, found=dict(state.found))
                    running[pool.submit(measure.run, ask)] = measure
                if running:
                    ended, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in sorted(ended, key=lambda each: plan.index(running[each])):
                        measure = running.pop(future)
                        state.found |= future.result()
                        state.done.add(measure.name)
                        _let_go(plan, given.city, state)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    # In the order of the plan, whichever ended first.
    return {
        name: state.found[name] for measure in plan for name in measure.makes if name in state.found
    }


def _let_go(plan: tuple[Measure, ...], city: City, state: _Progress) -> None:
    """Forget what is no layer once every measure that takes it is done: it may be large."""
    ahead = {name for measure in plan if measure.name not in state.done for name in measure.takes}
    for name in [*state.found]:
        if name not in ahead and name not in city.catalog.layers:
            del state.found[name]


def _ready(
    registry: Registry, plan: tuple[Measure, ...], waiting: list[Measure], done: set[str]
) -> list[Measure]:
    names = {measure.name for measure in plan}
    return [
        measure
        for measure in waiting
        if all(b.name in done for b in registry.before(measure) if b.name in names)
    ]


def _answerable(registry: Registry, measure: Measure, city: City, found: Made) -> bool:
    """Tell whether all is there that a measure needs."""
    if measure.dated and city.moment is None:
        return False
    return all(
        city.has(name) if name in measure.makes or name not in registry.makers else name in found
        for name in measure.needs
    )


def _results(
    found: Made, registry: Registry, city: City, settings: Analysis
) -> Mapping[str, Result]:
    made = {}
    for name, frame in found.items():
        if name not in city.catalog.layers or not isinstance(frame, pd.DataFrame):
            continue
        layer, maker = city.catalog.layer(name), registry.makers[name]
        used = settings.model_dump(mode="json", include=set(maker.settings))
        made[name] = Result(layer, typed(layer, frame, city.timezone), maker.method, used)
    return made
