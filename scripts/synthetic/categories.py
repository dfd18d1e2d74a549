"""Kinds of problems: what each is called, how long it takes and when and where it comes up."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from synthetic.fields import FloatArray


class Category(NamedTuple):
    """One kind of problem.

    Attributes
    ----------
    code, name, name_en : str
        Class and sub-class in two digits each; the name in Chinese and in English.
    expected_minutes : int
        Work of a grid member on one case.
    limit_hours : int
        Time allowed from report to closing.
    share : float
        Share among all problems.
    evening : bool
        Whether it comes up in the evening rather than in office hours.
    street : bool
        Whether it lies at the street rather than at the building.
    """

    code: str
    name: str
    name_en: str
    expected_minutes: int
    limit_hours: int
    share: float
    evening: bool
    street: bool


CATEGORIES = (
    Category("0101", "暴露垃圾", "exposed rubbish", 30, 8, 0.18, False, False),
    Category("0102", "占道经营", "street vending", 25, 8, 0.14, True, True),
    Category("0103", "乱停车", "disorderly parking", 15, 4, 0.17, True, True),
    Category("0104", "违法搭建", "illegal structure", 180, 360, 0.06, False, False),
    Category("0201", "道路破损", "damaged road", 90, 72, 0.08, False, True),
    Category("0202", "路灯故障", "street light out", 45, 48, 0.06, True, True),
    Category("0301", "噪声扰民", "noise", 40, 24, 0.12, True, False),
    Category("0302", "油烟扰民", "cooking fumes", 50, 48, 0.06, True, True),
    Category("0401", "楼道堆物", "stairwell clutter", 35, 48, 0.08, False, False),
    Category("0501", "绿化破坏", "damaged greenery", 40, 72, 0.02, False, False),
    Category("0203", "井盖破损", "damaged manhole", 60, 4, 0.01, False, True),
    Category("0303", "犬只扰民", "unleashed dogs", 25, 16, 0.02, True, False),
)
# Their deadline is on no record; it follows from the table of limits.
MANHOLE, DOGS = "井盖破损", "犬只扰民"
DOGS_WORKDAYS = 2
SATURDAY = 5
WEEKDAY_OF_FIRST_DAY = 2
SPRING_FESTIVAL = (27, 34)
NATIONAL_HOLIDAY = (273, 280)
SOURCES = ("12345热线", "随手拍", "巡查", "视频")
SOURCE_SHARES = (0.5, 0.22, 0.2, 0.08)

OFFICE_HOURS = (
    2,
    1,
    1,
    1,
    1,
    3,
    8,
    20,
    48,
    62,
    60,
    46,
    30,
    32,
    48,
    54,
    46,
    34,
    24,
    20,
    16,
    10,
    6,
    3,
)
EVENING_HOURS = (
    8,
    4,
    2,
    2,
    2,
    3,
    8,
    16,
    22,
    24,
    24,
    26,
    24,
    20,
    20,
    22,
    28,
    40,
    56,
    66,
    64,
    50,
    30,
    16,
)


def category_frame() -> pd.DataFrame:
    """Tabulate the categories: category, name_en, expected_minutes, limit_hours, class_code."""
    frame = pd.DataFrame(CATEGORIES, columns=list(Category._fields))
    frame = frame.rename(columns={"name": "category", "code": "class_code"})
    return frame[["category", "name_en", "expected_minutes", "limit_hours", "class_code"]]


def day_weights(days: int = 365) -> FloatArray:
    """Weights of the days of 2025: busier in summer, quieter at weekends and on long holidays."""
    day = np.arange(days)
    weights = 1 + 0.28 * np.sin(2 * np.pi * (day - 105) / 365)
    weekday = (day + WEEKDAY_OF_FIRST_DAY) % 7
    weights = weights * np.where(weekday >= SATURDAY, 0.72, 1.0)
    for (first, last), share in ((SPRING_FESTIVAL, 0.4), (NATIONAL_HOLIDAY, 0.65)):
        weights = weights * np.where((day >= first) & (day <= last), share, 1.0)
    return np.asarray(weights)
