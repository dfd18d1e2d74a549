"""Planted defects of the problem rows, and the rows as a hotline would export them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from synthetic.fields import BoolArray, stream
from synthetic.times import minute_text

SHARES = {
    "no_coordinates": 0.0070,
    "out_of_area": 0.0054,
    "unparseable_time": 0.0040,
    "closed_before_reported": 0.0045,
    "repeated_id": 0.0045,
    "fallback_coordinate": 0.0250,
}
BAD_TIMES = ("2025-13-45", "昨天", "2025-02-30 25:61")
BAD_PLACES = ("swapped", "zero", "another_city")
ANOTHER_CITY_DEGREES = (-6.5, 3.25)
HEADERS = {
    "id": "编号",
    "category": "类别",
    "source": "来源",
    "reported": "上报时间",
    "deadline": "处置时限",
    "closed": "结案时间",
    "lon": "经度",
    "lat": "纬度",
    "address": "地址",
    "department": "处置部门",
    "treatment": "处置方式",
    "campaign": "专项行动",
    "visited": "回头看时间",
}


def plant_row_defects(
    problems: gpd.GeoDataFrame, special: BoolArray, random_state: int
) -> gpd.GeoDataFrame:
    """Mark which rows will be written wrongly, and how; at most one way for each.

    Parameters
    ----------
    problems : GeoDataFrame
        The problems as they truly are.
    special : array of bool
        Rows to leave alone, because they are planted for something else.
    random_state : int
        The city's random state.

    Returns
    -------
    GeoDataFrame
        The same with `defect` (empty, or a key of SHARES) and `recorded_id`, which differs from
        `id` in rows that repeat the id of an earlier row.
    """
    count = len(problems)
    pool = np.flatnonzero(~special & (problems["hot_spot"] == "").to_numpy())
    pool = stream(random_state, "row-defects").permutation(pool)
    defect = np.full(count, "", dtype=object)
    start = 0
    for reason, share in SHARES.items():
        number = round(share * count)
        defect[pool[start : start + number]] = reason
        start += number
    repeated = np.flatnonzero(defect == "repeated_id")
    repeated_from = np.sort(pool[start : start + len(repeated)])
    # Pair in order of time, the earlier row lends its id, so that the first one met is genuine.
    first, second = np.minimum(repeated, repeated_from), np.maximum(repeated, repeated_from)
    defect[repeated] = ""
    defect[second] = "repeated_id"
    identity = problems["id"].to_numpy().astype(object)
    recorded = identity.copy()
    recorded[second] = identity[first]
    return problems.assign(
        defect=pd.Series(defect, dtype="str"), recorded_id=pd.Series(recorded, dtype="str")
    )


def variants(problems: pd.DataFrame, reason: str, kinds: tuple[str, ...]) -> dict[str, list[int]]:
    """Deal the rows of a reason out to its variants in turn; positions by variant."""
    rows = np.flatnonzero((problems["defect"] == reason).to_numpy())
    return {kind: rows[k :: len(kinds)].tolist() for k, kind in enumerate(kinds)}


def _degrees_text(values: pd.Series[float]) -> pd.Series[str]:
    return pd.Series([f"{value:.6f}" for value in values.tolist()], dtype="str")


def clean_rows(problems: gpd.GeoDataFrame) -> pd.DataFrame:
    """Write the problems as text, as they truly are.

    Returns
    -------
    pandas.DataFrame
        Chinese headers, every cell a text, in the order of `problems`.
    """
    rows = pd.DataFrame(problems[["id", "category", "source"]]).reset_index(drop=True)
    for column in ("reported", "deadline", "closed"):
        rows[column] = minute_text(problems[column].to_numpy())
    rows["lon"], rows["lat"] = _degrees_text(problems["lon"]), _degrees_text(problems["lat"])
    rows["address"] = problems["address"].to_numpy()
    for column in ("department", "treatment", "campaign"):
        if column in problems:
            rows[column] = problems[column].to_numpy()
    if "visited" in problems:
        rows["visited"] = minute_text(problems["visited"].to_numpy())
    return rows.rename(columns=HEADERS)


def planted_rows(problems: gpd.GeoDataFrame, hall: tuple[float, float]) -> pd.DataFrame:
    """Write the problems as text with their defects.

    Parameters
    ----------
    problems : GeoDataFrame
        The problems with their marks from `plant_row_defects`.
    hall : tuple of float
        Longitude and latitude that failed geocoding falls back to.

    Returns
    -------
    pandas.DataFrame
        As from `clean_rows`.
    """
    rows = clean_rows(problems)
    defect = problems["defect"].to_numpy()
    rows["编号"] = problems["recorded_id"].to_numpy()
    place = ["经度", "纬度"]
    rows.loc[defect == "no_coordinates", place] = ""
    rows.loc[defect == "fallback_coordinate", place] = [f"{value:.6f}" for value in hall]
    wrong = variants(problems, "out_of_area", BAD_PLACES)
    rows.loc[wrong["swapped"], place] = rows.loc[wrong["swapped"], place[::-1]].to_numpy()
    rows.loc[wrong["zero"], place] = "0"
    away = problems.iloc[wrong["another_city"]]
    for column, name, shift in zip(place, ("lon", "lat"), ANOTHER_CITY_DEGREES, strict=True):
        rows.loc[wrong["another_city"], column] = _degrees_text(away[name] + shift).to_numpy()
    for text, at in variants(problems, "unparseable_time", BAD_TIMES).items():
        rows.loc[at, "上报时间"] = text
    early = np.flatnonzero(defect == "closed_before_reported")
    hours = (1 + np.arange(len(early)) % 70).astype("timedelta64[h]")
    closed = problems["reported"].to_numpy()[early] - hours
    rows.loc[early, "结案时间"] = minute_text(closed).to_numpy()
    return rows
