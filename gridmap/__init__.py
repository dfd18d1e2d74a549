"""Geospatial analytics for grid-based city management.

The public names are loaded when they are first used, so that the command answers at once.

Examples in docstrings begin after these imports, at the root of the repository, where ``data`` is
the sample city::

    import geopandas as gpd, numpy as np, pandas as pd, shapely
    import gridmap
    from gridmap import analysis, design, maps
"""

import lazy_loader as _lazy

from gridmap._version import __version__ as __version__

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
