"""The panel of responsibility of a map: who answers, and which overlays draw the areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gridmap.analysis.responsibility.targets import Targets
from gridmap.catalog import Catalog
from gridmap.leaving import leaving
from gridmap.measures.ownership import Ownership, ownership
from gridmap.outputs.maps._layers import Overlay
from gridmap.outputs.pages.elements import FeatureLayer
from gridmap.outputs.pages.who import DrawnTargets, WhoIsResponsible
from gridmap.privacy import shown_frame, shown_value
from gridmap.result import Analysed

__all__ = ["who_panel"]


def who_panel(
    analysed: Analysed,
    drawn: Sequence[tuple[Overlay, FeatureLayer]],
    *,
    service: str = "",
) -> WhoIsResponsible | None:
    """Return the panel that answers as `gridmap.analysis.who` does; None if nobody answers at all.

    Parameters
    ----------
    analysed : Analysed
    drawn : sequence of (Overlay, FeatureLayer)
        What the map draws.
    service : str
        The online base map for which the overlays are shifted, if there is one.
    """
    known = ownership(analysed)
    if not known.groups:
        return None
    known = _shown(known, analysed.city.catalog)
    areas = {(g.layer, g.kind): _drawing(g, drawn) for g in known.groups if g.rule == "inside"}
    found = {key: overlay for key, overlay in areas.items() if overlay is not None}
    return WhoIsResponsible(known, found, service=service)


def _shown(known: Ownership, catalog: Catalog) -> Ownership:
    """Return who answers for what as it may be shown, found by what is known in full."""
    holders = shown_frame(catalog.layer("assignments"), known.holders)
    groups = tuple(
        replace(
            group,
            kind=leaving(group.kind),
            frame=shown_frame(catalog.layer(group.layer), group.frame),
        )
        for group in known.groups
    )
    titles = {
        (layer, leaving(kind)): title.shown() for (layer, kind), title in known.titles.items()
    }
    categories = shown_value(known.categories)
    return replace(known, holders=holders, groups=groups, titles=titles, categories=categories)


def _drawing(group: Targets, drawn: Sequence[tuple[Overlay, FeatureLayer]]) -> DrawnTargets | None:
    """Return the overlay that draws every area of a group."""
    name = "frontages" if group.kind == "frontage" else group.layer
    for overlay, element in drawn:
        if overlay.layer.name == name and group.frame["code"].isin(overlay.frame["code"]).all():
            must = overlay.shown.required and overlay.show
            codes = overlay.frame["code"].astype("string").reset_index(drop=True)
            return DrawnTargets(element, codes, overlay.name, must)
    return None
