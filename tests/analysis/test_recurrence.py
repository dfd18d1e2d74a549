import itertools
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import scipy.stats
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import CRS, points_at

from gridmap.analysis.cases._survival import log_rank, survival_curve
from gridmap.analysis.cases.recurrence import (
    recurrence,
    recurrence_curve,
    recurrence_layer,
    recurrence_test,
)
from gridmap.errors import ConformError

ZONE = "Asia/Shanghai"
START = pd.Timestamp("2024-01-01 00:00", tz=ZONE)
Drawn = list[tuple[str | None, float, float, float, float | None]]


def cases_of(drawn: Drawn) -> gpd.GeoDataFrame:
    """Return cases from category, x, y, day of opening and day of closing."""
    frame = points_at(*((x, y) for _, x, y, _, _ in drawn))
    frame["category"] = [row[0] for row in drawn]
    for name, column in (("opened", 3), ("closed", 4)):
        days = pd.to_timedelta([row[column] for row in drawn], unit="D").as_unit("us")
        frame[name] = START + pd.Series(days)
    return frame.set_index("code")


def day(number: float) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


CHAIN: Drawn = [
    ("litter", 0, 0, 0, 2),  # p0
    ("litter", 30, 40, 5, 6),  # p1: 50 m off p0, 3 days after it
    ("litter", 60, 80, 20, None),  # p2: 50 m off p1, 14 days; 100 m off p0
    ("pothole", 0, 0, 5, 6),  # p3: another category
    ("litter", 0, 51, 4, 5),  # p4: 51 m off p0, but 32 m off p1, which opens as p4 closes
    ("litter", 500, 0, 4, 5),  # p5: far off
]


def test_pairs_worked_out_by_hand() -> None:
    found = recurrence(cases_of(CHAIN), within_m=50, days=14, as_of=day(30))
    assert found.pairs[["earlier", "later"]].to_numpy().tolist() == [["p0", "p1"], ["p1", "p2"]]
    assert found.pairs["distance_m"].tolist() == [50.0, 50.0]
    assert found.pairs["days"].tolist() == [3.0, 14.0]
    table = found.cases
    assert table["recurred"].to_dict() == dict(
        zip(["p0", "p1", "p2", "p3", "p4", "p5"], [True, True, *[False] * 4], strict=True)
    )
    assert table["chain"].dropna().to_dict() == {"p0": "p0", "p1": "p0", "p2": "p0"}
    assert table["turn"].dropna().to_dict() == {"p0": 1, "p1": 2, "p2": 3}
    assert table["follows"].dropna().to_dict() == {"p1": "p0", "p2": "p1"}
    assert table["watched"].tolist() == [True, True, False, True, True, True]
    assert found.share == 2 / 5
    assert len(found.findings) == 0


def test_neither_a_metre_nor_a_moment_more() -> None:
    cases = cases_of(CHAIN)
    assert len(recurrence(cases, within_m=49.99, days=14, as_of=day(30)).pairs) == 0
    less = recurrence(cases, within_m=50, days=13.99, as_of=day(30))
    assert less.pairs["later"].tolist() == ["p1"]
    assert len(recurrence(cases, within_m=51, days=14, as_of=day(30)).pairs) == 3


def test_what_is_too_young_is_not_watched() -> None:
    found = recurrence(cases_of(CHAIN), within_m=50, days=14, as_of=day(19))
    assert found.pairs["later"].tolist() == ["p1"]
    assert found.cases["watched"].tolist() == [True, False, False, False, True, True]
    assert found.share == 1 / 3
    assert np.isnan(recurrence(cases_of(CHAIN), within_m=50, days=14, as_of=day(3)).share)


coordinates = st.integers(0, 12).map(lambda step: step * 10.0)
some_cases = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]), coordinates, coordinates,
        st.integers(0, 40), st.one_of(st.none(), st.integers(-3, 15)),
    ),
    min_size=1, max_size=25,
)  # fmt: skip


def drawn_as(rows: list[tuple[str | None, float, float, int, int | None]]) -> Drawn:
    return [(c, x, y, o, None if n is None else o + n) for c, x, y, o, n in rows]


@settings(max_examples=60, deadline=None)
@given(some_cases, st.sampled_from([10.0, 14.2, 35.0]), st.integers(1, 20))
def test_pairs_are_those_of_comparing_all_with_all(
    rows: list[tuple[str | None, float, float, int, int | None]], within_m: float, days: int
) -> None:
    compared(drawn_as(rows), within_m, days)


@pytest.mark.parametrize("within_m", [7.0, 20.0, 55.5, 500.0])
def test_pairs_in_every_direction(within_m: float) -> None:
    rng = np.random.default_rng(7)
    places = rng.uniform(0, 200, (300, 2))
    opened, lasted = rng.integers(0, 40, 300), rng.integers(0, 10, 300)
    kinds = rng.choice(["a", "b"], 300)
    drawn: Drawn = [
        (str(kind), x, y, float(o), float(o + n))
        for kind, (x, y), o, n in zip(kinds, places, opened, lasted, strict=True)
    ]
    compared(drawn, within_m, 12)


def compared(drawn: Drawn, within_m: float, days: int) -> None:
    cases = cases_of(drawn)
    found = recurrence(cases, within_m=within_m, days=days, as_of=day(30))
    expected, soonest = [], {}
    for one, other in itertools.permutations(range(len(drawn)), 2):
        (kind, x, y, opened, closed), (kind2, x2, y2, opened2, _) = drawn[one], drawn[other]
        fits = kind is not None and kind == kind2 and closed is not None and opened <= closed <= 30
        if not fits or not closed < opened2 <= 30 or not np.hypot(x2 - x, y2 - y) <= within_m:
            continue
        soonest[one] = min(opened2 - closed, soonest.get(one, np.inf))
        if opened2 <= closed + days:
            expected.append([f"p{one}", f"p{other}"])
    assert found.pairs[["earlier", "later"]].to_numpy().tolist() == expected
    assert found.cases["recurrences"].sum() == len(expected)
    linked = found.cases.dropna(subset=["chain"])
    assert (linked.groupby("chain")["turn"].max() == linked.groupby("chain").size()).all()
    for earlier, later in expected:
        assert found.cases.loc[earlier, "chain"] == found.cases.loc[later, "chain"]
    curve = recurrence_curve(cases, within_m=within_m, as_of=day(30))
    again = curve[curve["recurred"] > 0]
    times = np.repeat(again["days"].to_numpy(float), again["recurred"].to_numpy(int))
    assert times.tolist() == sorted(soonest.values())


def test_a_kaplan_meier_curve_worked_out_by_hand() -> None:
    """6-MP remissions in weeks of Freireich et al. (1963), the textbook's figures."""
    ended = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    lasted = np.array(ended + censored, dtype=float)
    event = np.array([True] * len(ended) + [False] * len(censored))
    curve = survival_curve(lasted, event, 0.95)
    steps = curve[curve["recurred"] > 0].set_index("days")
    assert steps["at_risk"].tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert steps["free"].round(3).tolist() == [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert curve["recurred"].sum() == 9
    assert curve["censored"].sum() == 12
    # Greenwood's standard error at week 6 is 0.0764; log-log interval of Collett (2003).
    assert steps.loc[6, ["lower", "upper"]].round(2).tolist() == [0.62, 0.95]


def test_the_curve_takes_the_first_recurrence_at_any_time() -> None:
    curve = recurrence_curve(cases_of(CHAIN), within_m=50, as_of=day(30))
    # Closed: p0 recurs after 3 days, p1 after 14; p3 is watched for 24, p4 and p5 for 25.
    assert curve["days"].tolist() == [3, 14, 24, 25]
    assert curve["at_risk"].tolist() == [5, 4, 3, 2]
    assert curve["recurred"].tolist() == [1, 1, 0, 0]
    assert curve["free"].tolist() == pytest.approx([0.8, 0.6, 0.6, 0.6])
    short = recurrence_curve(cases_of(CHAIN), within_m=50, as_of=day(30), horizon_days=10)
    assert short["days"].tolist() == [3, 10]
    assert short["censored"].tolist() == [0, 4]


def test_curves_by_treatment() -> None:
    cases = cases_of(CHAIN).assign(treatment=["swept", "camera", "swept", None, "camera", "camera"])
    curve = recurrence_curve(cases, within_m=50, as_of=day(30), by="treatment")
    last = curve.groupby("treatment", dropna=False).last()["free"]
    assert last["swept"] == 0.0
    assert last["camera"] == pytest.approx(2 / 3)
    assert curve["treatment"].isna().sum() == 1
    assert curve.groupby("treatment", dropna=False)["at_risk"].max().sum() == 5
    with pytest.raises(ConformError, match="no column 'colour'"):
        recurrence_curve(cases, within_m=50, as_of=day(30), by="colour")


def test_the_layer_of_recurring_cases() -> None:
    cases = cases_of(CHAIN)
    layer = recurrence_layer(recurrence(cases, within_m=50, days=14, as_of=day(30)), cases)
    assert layer["code"].tolist() == ["p0", "p1", "p2"]
    assert layer.crs == CRS
    assert layer["days"].fillna(-1).tolist() == [-1, 3, 14]
    assert layer.geometry.iloc[1] == cases.geometry["p1"]
    assert layer["code"].is_unique
    empty = recurrence(cases, within_m=1, days=1, as_of=day(30))
    assert len(recurrence_layer(empty, cases)) == 0


def test_cases_that_can_have_no_pair_are_told_and_kept() -> None:
    cases = cases_of([*CHAIN, (None, 0, 0, 1, 2), ("litter", 0, 0, 9, 3), ("litter", 0, 0, 1, 2)])
    cases.loc["p8", "geometry"] = shapely.Point()
    cases.loc["p5", "opened"] = pd.NaT
    found = recurrence(cases, within_m=50, days=14, as_of=day(30))
    assert set(zip(found.findings["case"], found.findings["kind"], strict=True)) == {
        ("p5", "no_opening"), ("p6", "no_category"), ("p7", "closed_before_opening"),
        ("p8", "no_place"),
    }  # fmt: skip
    assert found.cases.index.equals(cases.index)
    assert not found.cases.loc[["p5", "p6", "p7", "p8"], "watched"].any()
    assert found.cases.loc["p7", "follows"] == "p1"
    nothing = recurrence(cases[8:], within_m=50, days=14, as_of=day(30))
    assert len(nothing.pairs) == 0
    assert len(recurrence_curve(cases[8:], within_m=50, as_of=day(30))) == 0


def test_no_cases_at_all() -> None:
    none = cases_of(CHAIN)[:0]
    found = recurrence(none, within_m=50, days=14, as_of=day(30))
    assert len(found.pairs) == len(found.cases) == len(found.findings) == 0
    assert len(recurrence_layer(found, none)) == 0


@pytest.mark.parametrize(("within_m", "days"), [(0, 14), (50, 0), (float("nan"), 14), (-1, 1)])
def test_distances_and_days_that_cannot_be_are_refused(within_m: float, days: float) -> None:
    with pytest.raises(ConformError, match="must be above zero"):
        recurrence(cases_of(CHAIN), within_m=within_m, days=days, as_of=day(30))


def test_a_label_that_repeats_is_refused() -> None:
    cases = cases_of(CHAIN)
    with pytest.raises(ConformError, match="p0 stand twice"):
        recurrence(pd.concat([cases, cases[:1]]), within_m=50, days=14, as_of=day(30))


def test_the_log_rank_test_of_leukaemia_as_published() -> None:
    """Remission of acute myelogenous leukaemia, as survdiff of R's survival prints it."""
    kept = [9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161]
    gone = [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0]
    kept_not = [5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45]
    gone_not = [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1]
    told = log_rank(
        np.array([*kept, *kept_not], float),
        np.array([*gone, *gone_not], bool),
        np.repeat([0, 1], [11, 12]),
        2,
    )
    assert told.observed.tolist() == [7, 11]
    assert told.expected.round(2).tolist() == [10.69, 7.31]
    assert (told.statistic, told.p) == pytest.approx((3.4, 0.0653), abs=0.005)


def test_the_log_rank_test_of_three_groups_with_ties() -> None:
    """Against survdiff of R's survival 3.5."""
    lasted = [5, 5, 8, 12, 16, 23, 27, 30, 33, 43, 9, 13, 13, 18, 23, 28, 31, 34, 45, 48,
              3, 4, 7, 7, 12, 15, 15, 20, 22, 40]  # fmt: skip
    event = [1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1,
             1, 1, 1, 1, 0, 1, 1, 1, 0, 1]  # fmt: skip
    told = log_rank(np.array(lasted, float), np.array(event, bool), np.repeat([0, 1, 2], 10), 3)
    assert told.expected.tolist() == pytest.approx(
        [7.28836955149, 10.91173778953, 4.79989265898], rel=1e-9
    )
    assert told.variance.tolist() == pytest.approx([4.720067, 5.179956, 3.521555], rel=1e-6)
    assert told.statistic == pytest.approx(3.99848104433648, rel=1e-9)
    assert told.freedom == 2
    assert told.p == pytest.approx(0.1354381064, rel=1e-9)


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans(), st.integers(0, 1)), min_size=4))
@settings(max_examples=60, deadline=None)
def test_of_two_groups_it_is_that_of_scipy(drawn: list[tuple[int, bool, int]]) -> None:
    lasted, event, group = (np.array(column) for column in zip(*drawn, strict=True))
    told = log_rank(lasted.astype(float), event, group, 2)
    if not event.any() or len(set(group.tolist())) < 2 or not told.variance.any():
        assert math.isnan(told.p)
        return
    parts = [
        scipy.stats.CensoredData(
            uncensored=lasted[(group == each) & event].astype(float),
            right=lasted[(group == each) & ~event].astype(float),
        )
        for each in (0, 1)
    ]
    assert told.p == pytest.approx(scipy.stats.logrank(*parts).pvalue, abs=1e-9)


def test_groups_that_recur_sooner_are_told() -> None:
    drawn: Drawn = []
    for place in range(20):  # swept: back after two days; mended: never
        drawn += [("litter", 500.0 * place, 0, 0, 1), ("litter", 500.0 * place, 5000, 0, 1)]
        drawn += [("litter", 500.0 * place, 3, 3, 4)]
    cases = cases_of(drawn)
    cases["treatment"] = ["swept", "mended", None] * 20
    told = recurrence_test(cases, within_m=50, as_of=day(30), by="treatment")
    assert told["group"].tolist() == [pd.NA, "mended", "swept"]
    assert told["cases"].tolist() == [40, 20, 20]
    assert told["recurred"].tolist() == [20, 0, 20]
    assert told["expected"].iloc[1:].sum() == pytest.approx(20)
    assert (told["p"] < 1e-6).all()
    assert told["q"].iloc[1:].tolist() == pytest.approx(told["p"].iloc[1:].tolist())
    one = recurrence_test(cases.assign(treatment="swept"), within_m=50, as_of=day(30),
                          by="treatment")  # fmt: skip
    assert one.empty
    for wrong in ("colour", "geometry"):
        with pytest.raises(ConformError, match=f"no column '{wrong}'"):
            recurrence_test(cases, within_m=50, as_of=day(30), by=wrong)
