"""How many of many findings are chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.stats

from gridmap.analysis._doors import asks

__all__ = ["discoveries"]

Floats = npt.NDArray[np.float64]


@asks()
def discoveries(p: Floats) -> Floats:
    """Return p values adjusted so that a threshold is the share of false discoveries.

    Parameters
    ----------
    p : ndarray of float, any shape
        NaN for what was not tested, which then does not count.

    Returns
    -------
    ndarray of float, of that shape

    References
    ----------
    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57(1).

    Examples
    --------
    >>> analysis.discoveries(np.array([0.01, 0.04, 0.03, np.nan])).round(3).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    adjusted = np.full(p.shape, np.nan)
    tested = ~np.isnan(p)
    if tested.any():
        adjusted[tested] = scipy.stats.false_discovery_control(p[tested])
    return adjusted
