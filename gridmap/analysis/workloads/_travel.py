"""How far members travel to random places of an area."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["TOUR", "Pace", "tour_m", "travel_hours"]

Floats = npt.NDArray[np.float64]

TOUR = 0.7124  # Johnson, McGeoch and Rothberg 1996


class Pace(NamedTuple):
    """How members travel.

    Parameters
    ----------
    rounds : float
        Of a member in the period.
    hours_per_m : float, h / m
        As the crow flies.
    """

    rounds: float
    hours_per_m: float


def tour_m(stops: Floats, area_m2: Floats, members: Floats, rounds: float) -> Floats:
    """Return how long the tours of all members are together.

    Parameters
    ----------
    stops : ndarray of float, shape (g,)
        Of all members in the period.
    area_m2 : ndarray of float, shape (g,)
    members : ndarray of float, shape (g,)
        Each has an equal share of the area and of the stops.
    rounds : float
        Of a member in the period; no member makes more than it has stops.

    Returns
    -------
    ndarray of float, shape (g,), metres
        ``m r`` tours through ``n / (m r)`` stops in an area ``A / m`` are ``TOUR sqrt(n r A)``.

    References
    ----------
    Beardwood, Halton and Hammersley (1959), The shortest path through many points.
    """
    walked = np.minimum(rounds, stops / members)
    return np.asarray(TOUR * np.sqrt(stops * walked * area_m2), dtype=np.float64)


def travel_hours(stops: Floats, area_m2: Floats, members: Floats, pace: Pace) -> Floats:
    """Return how many hours these tours take, shape (g,); see `tour_m`."""
    return tour_m(stops, area_m2, members, pace.rounds) * pace.hours_per_m
