"""Where the files that ship with gridmap lie: in a wheel, and in a working copy."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from os import PathLike
from pathlib import Path

__all__ = ["AnyPath", "extension_folders", "extensions", "packaged", "shipped"]

AnyPath = str | PathLike[str]

_PACKAGE = Path(__file__).parent


def packaged(path: str) -> Path:
    """Return the path of a file that lies inside the package, beside the code that reads it.

    Parameters
    ----------
    path : str
        From the package on, such as ``"analysis/cases/kpis.toml"``.
    """
    return _PACKAGE / path


def shipped(*parts: str) -> Path:
    """Return the path of a file or folder that ships with gridmap.

    Parameters
    ----------
    *parts : str
        The path inside the shipped files, such as ``"layers"`` or ``"runtime", "runtime.js"``.

    Returns
    -------
    pathlib.Path
        Inside ``gridmap/_share`` where that holds it (always so in an installed wheel), else
        beside the package (a working copy). It need not exist.
    """
    packed = _PACKAGE.joinpath("_share", *parts)
    return packed if packed.exists() else _PACKAGE.parent.joinpath(*parts)


@cache
def extensions() -> Mapping[str, str]:
    """Return the modules of other packages that add to gridmap, by the name of their entry point.

    They are those of the group ``gridmap.measures``, in the order of their names.
    """
    found = entry_points(group="gridmap.measures")
    return {each.name: each.module for each in sorted(found, key=lambda each: each.name)}


def extension_folders() -> tuple[Path, ...]:
    """Return the folders of those modules, which may hold ``layers`` and ``maps``."""
    specs = [find_spec(module) for module in extensions().values()]
    return tuple(Path(spec.origin).parent for spec in specs if spec is not None and spec.origin)
