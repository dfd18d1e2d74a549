"""Geospatial analytics for grid-based city management.

The public names are loaded when they are first used, so that the command answers at once.
"""

import lazy_loader as _lazy

from gridmap._version import __version__ as __version__

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
