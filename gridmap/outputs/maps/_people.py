"""The panel of responsibility of a map: who answers, and which overlays draw the areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gridmap.analysis.responsibility.targets import Targets
from gridmap.measures.ownership import ownership
from gridmap.outputs.maps._layers import Overlay
from gridmap.outputs.pages.elements import FeatureLayer
from gridmap.outputs.pages.who import DrawnTargets, WhoIsResponsible
from gridmap.outputs.privacy import without_private
from gridmap.result import Analysed

__all__ = ["who_panel"]


def who_panel(
    analysed: Analysed,
    drawn: Sequence[tuple[Overlay, FeatureLayer]],
    *,
    service: str = "",
    unmask: bool = False,
) -> WhoIsResponsible | None:
    """Return the panel that answers as `gridmap.analysis.who` does; None if nobody answers at all.

    Parameters
    ----------
    analysed : Analysed
    drawn : sequence of (Overlay, FeatureLayer)
        What the map draws.
    service : str
        The online base map for which the overlays are shifted, if there is one.
    unmask : bool
        Whether phones are told in full.
    """
    known = ownership(analysed)
    if not known.groups:
        return None
    if not unmask:
        layer = analysed.city.catalog.layer("assignments")
        known = replace(known, holders=without_private(layer, known.holders))
    areas = {(g.layer, g.kind): _drawing(g, drawn) for g in known.groups if g.rule == "inside"}
    found = {key: overlay for key, overlay in areas.items() if overlay is not None}
    return WhoIsResponsible(known, found, service=service)


def _drawing(group: Targets, drawn: Sequence[tuple[Overlay, FeatureLayer]]) -> DrawnTargets | None:
    """Return the overlay that draws every area of a group."""
    name = "frontages" if group.kind == "frontage" else group.layer
    for overlay, element in drawn:
        if overlay.layer.name == name and group.frame["code"].isin(overlay.frame["code"]).all():
            must = overlay.shown.required and overlay.show
            codes = overlay.frame["code"].astype("string").reset_index(drop=True)
            return DrawnTargets(element, codes, overlay.name, must)
    return None
