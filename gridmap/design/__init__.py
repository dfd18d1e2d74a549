"""Zone design: micro-grids that are balanced, connected, nested, coded and explained."""

from gridmap.design.edit import Change, Figures, lock, merge, move, recut, split, undo
from gridmap.design.grids import design_grids
from gridmap.design.lineage import crosswalk, restate
from gridmap.design.plan import Plan
from gridmap.design.resize import resize_grids
from gridmap.design.results import as_layers, figures

__all__ = [
    "Change",
    "Figures",
    "Plan",
    "as_layers",
    "crosswalk",
    "design_grids",
    "figures",
    "lock",
    "merge",
    "move",
    "recut",
    "resize_grids",
    "restate",
    "split",
    "undo",
]
