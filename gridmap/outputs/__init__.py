"""Outputs: maps, layers and reports of what was computed.

The names are loaded when they are first used, so that a command loads what it needs.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
