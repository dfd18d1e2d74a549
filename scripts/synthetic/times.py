"""When problems are reported, due and closed: local time of Asia/Shanghai, without offset."""

from __future__ import annotations

import datetime as dt

import chinese_calendar
import numpy as np
import numpy.typing as npt
import pandas as pd

from synthetic.categories import (
    CATEGORIES,
    DOGS,
    DOGS_WORKDAYS,
    EVENING_HOURS,
    OFFICE_HOURS,
    day_weights,
)
from synthetic.fields import FloatArray, IntArray

FIRST_DAY = np.datetime64("2025-01-01T00:00:00", "s")
LAST_MONTHS_DAY = 273
DAYS = 365
EXTRACTED = np.datetime64("2026-01-15T00:00:00", "s")
CLOSING = np.timedelta64(17 * 60 + 30, "m")
NEVER_CLOSED = 0.09
TYPICAL_SHARE_OF_LIMIT = 0.45
SPREAD = 0.7

Times = npt.NDArray[np.datetime64]


def draw(weights: FloatArray, count: int, rng: np.random.Generator) -> IntArray:
    """Draw positions with chances proportional to the weights."""
    steps = np.cumsum(weights)
    place = np.searchsorted(steps, rng.random(count) * steps[-1], side="right")
    return np.asarray(place, dtype=np.int64)


def reported_times(category: IntArray, first_day: IntArray, rng: np.random.Generator) -> Times:
    """Draw the minute of each report.

    Parameters
    ----------
    category : array of int
        Index into CATEGORIES; it tells the hours of the day.
    first_day : array of int
        Day of the year, from 0, before which there is no report.
    rng : numpy.random.Generator
        Draws day, hour and minute.

    Returns
    -------
    array of datetime64[s]
        Whole minutes of 2025.
    """
    steps = np.cumsum(day_weights(DAYS))
    before = np.r_[0.0, steps][first_day]
    at = before + rng.random(len(category)) * (steps[-1] - before)
    day = np.minimum(np.searchsorted(steps, at, side="right"), DAYS - 1)
    late = np.array([kind.evening for kind in CATEGORIES])[category]
    count = len(category)
    hour = np.where(
        late,
        draw(np.array(EVENING_HOURS, dtype=np.float64), count, rng),
        draw(np.array(OFFICE_HOURS, dtype=np.float64), count, rng),
    )
    minute = (day * 24 + hour) * 60 + rng.integers(0, 60, count)
    return np.asarray(FIRST_DAY + (60 * minute).astype("timedelta64[s]"))


def deadlines(reported: Times, category: IntArray) -> Times:
    """Add the time allowed for the category; dogs have until offices close on a later workday."""
    hours = np.array([kind.limit_hours for kind in CATEGORIES])[category]
    due = np.asarray(reported + (3600 * hours).astype("timedelta64[s]"))
    dogs = category == [kind.name for kind in CATEGORIES].index(DOGS)
    due[dogs] = [workday_end(time, DOGS_WORKDAYS) for time in reported[dogs]]
    return due


def workday_end(time: np.datetime64, workdays: int) -> np.datetime64:
    """Return when offices close on the last of some workdays after the day of a time."""
    day = time.astype("datetime64[D]").item()
    while workdays:
        day += dt.timedelta(days=1)
        workdays -= bool(chinese_calendar.is_workday(day))
    return np.datetime64(day, "s") + CLOSING


def closed_times(reported: Times, due: Times, rng: np.random.Generator) -> Times:
    """Draw when each was closed; about one in ten never is, one in eight of the others is late."""
    allowed = (due - reported).astype(np.int64) / 60
    share = np.exp(rng.normal(np.log(TYPICAL_SHARE_OF_LIMIT), SPREAD, len(reported)))
    minutes = np.maximum(np.round(allowed * share), 3).astype(np.int64)
    closed: Times = reported + (60 * minutes).astype("timedelta64[s]")
    open_still = (rng.random(len(reported)) < NEVER_CLOSED) | (closed >= EXTRACTED)
    closed[open_still] = np.datetime64("NaT")
    return closed


def minute_text(times: Times) -> pd.Series[str]:
    """Write times as 2025-03-05 08:12, NaT as an empty text."""
    distinct, place = np.unique(times.astype("datetime64[m]"), return_inverse=True)
    text = np.char.replace(np.datetime_as_string(distinct), "T", " ")
    text[np.isnat(distinct)] = ""
    return pd.Series(text, dtype="str").take(place).reset_index(drop=True)
