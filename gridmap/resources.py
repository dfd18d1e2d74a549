"""Where the files that ship with gridmap lie: in a wheel, and in a working copy."""

from __future__ import annotations

from pathlib import Path

__all__ = ["packaged", "shipped"]

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
