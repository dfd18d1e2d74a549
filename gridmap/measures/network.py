"""Problems along roads: levels of roads, and stretches with more than chance explains."""

from __future__ import annotations

import geopandas as gpd

from gridmap import analysis
from gridmap.measures.registry import Given, Made, Measure

__all__ = ["MEASURES"]


def _road_levels(given: Given) -> Made:
    city, settings, roads = given.city, given.settings, given["roads"]
    levels = analysis.road_levels(
        roads,
        given.placed,
        speeds_kmh=settings.road_speeds_kmh or analysis.SPEED_LIMITS_KMH,
        per_km=settings.road_per_km,
        within_m=settings.snap_m,
    )
    fields = city.catalog.layer("road_levels").fields
    graded = roads.join(levels).reindex(columns=[*fields, "geometry"])
    graded["level"] = graded["level"].astype("string")
    return {"road_levels": gpd.GeoDataFrame(graded, crs=city.crs)}


def _black_spots(given: Given) -> Made:
    settings, events = given.settings, given.placed
    if settings.black_spot_categories:
        events = events[events["category"].isin(settings.black_spot_categories)]
    if events.empty:
        return {}
    spots = analysis.network_hotspots(
        given["roads"],
        events,
        lixel_m=settings.lixel_m,
        bandwidth_m=settings.road_bandwidth_m,
        snap_m=settings.snap_m,
        crossings=settings.road_crossings,
        alpha=settings.alpha,
        minimum=settings.black_spot_minimum,
        random_state=settings.random_state,
    )
    return {"network_hotspots": spots.lixels, "black_spots": spots.black_spots}


MEASURES = (
    Measure(
        "road_levels",
        needs=("roads", "problems"),
        makes=("road_levels",),
        method="Five levels by speed, else by problems per kilometre",
        settings=("road_speeds_kmh", "road_per_km", "snap_m"),
        run=_road_levels,
    ),
    Measure(
        "black_spots",
        needs=("roads", "problems"),
        makes=("network_hotspots", "black_spots"),
        method="Equal-split network kernel density (Okabe, Satoh and Sugihara 2009), FDR; black "
        "spots: hot stretches that touch, by weight above expectation",
        settings=(
            "alpha",
            "lixel_m",
            "road_bandwidth_m",
            "snap_m",
            "road_crossings",
            "black_spot_categories",
            "black_spot_minimum",
            "random_state",
        ),
        silent="measure.no_events",
        run=_black_spots,
    ),
)
