"""Reports of one event, how readily it is reported, and how many there are that nobody reports."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import analysis
from gridmap.errors import ConformError

START = pd.Timestamp("2025-01-01", tz="Asia/Shanghai")
NOW = START + pd.Timedelta(days=365)
KINDS = np.array([0.02, 0.05, 0.1])  # reports a day of an event that is there


def cases_of(
    rows: list[tuple[str, float, float, float, float | None]], **columns: object
) -> gpd.GeoDataFrame:
    """Return cases from category, x, y, day of opening and day of closing."""
    opened, closed = (
        START + pd.to_timedelta(pd.Series([row[at] for row in rows], dtype=float), unit="D")
        for at in (3, 4)
    )
    return gpd.GeoDataFrame(
        {"category": [row[0] for row in rows], "opened": opened, "closed": closed,
         "source": "app", **columns},
        geometry=gpd.points_from_xy([row[1] for row in rows], [row[2] for row in rows]),
        crs=4549,
    ).set_axis([f"c{at}" for at in range(len(rows))])  # fmt: skip


def one_by_one(cases: gpd.GeoDataFrame, within_m: float) -> list[str]:
    """Return the event of each case, by looking at all that were opened before."""
    found: dict[str, str] = {}
    order = sorted(range(len(cases)), key=lambda at: (cases["opened"].iloc[at], at))
    heads: list[int] = []
    for at in order:
        own = cases.iloc[at]
        best = None
        for head in heads:
            other = cases.iloc[head]
            away = np.hypot(own.geometry.x - other.geometry.x, own.geometry.y - other.geometry.y)
            still = pd.isna(other["closed"]) or other["closed"] > own["opened"]
            if other["category"] == own["category"] and still and away <= within_m:
                rank = (away, -other["opened"].value, -head)
                best = min(best, (rank, head)) if best else (rank, head)
        if best is None:
            heads.append(at)
        found[cases.index[at]] = cases.index[at if best is None else best[1]]
    return [found[label] for label in cases.index]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"), st.integers(0, 6), st.integers(0, 6), st.integers(0, 20),
            st.one_of(st.none(), st.integers(0, 12)),
        ),
        min_size=1, max_size=30,
    )
)  # fmt: skip
@settings(max_examples=120, deadline=None)
def test_every_case_has_the_event_that_looking_one_by_one_gives(
    drawn: list[tuple[str, int, int, int, int | None]],
) -> None:
    rows = [
        (kind, 10.0 * x, 10.0 * y, float(day), None if last is None else float(day + last))
        for kind, x, y, day, last in drawn
    ]
    cases = cases_of(rows)
    # A closing at the opening is one: nothing is open after it.
    told = analysis.same_event(cases, within_m=20.0, as_of=NOW)
    assert told.tolist() == one_by_one(cases, 20.0)


def test_the_source_knows_better_than_the_place() -> None:
    rows = [("a", 0, 0, 0, 9), ("a", 1, 0, 1, 9), ("a", 900, 0, 2, 9), ("a", 0, 0, 3, 9)]
    cases = cases_of(rows, duplicate_of=[None, None, "c0", "c2"])
    assert analysis.same_event(cases, within_m=20, as_of=NOW).tolist() == ["c0", "c1", "c0", "c0"]
    circle = cases.assign(duplicate_of=["c1", "c0", "nowhere", None])
    assert analysis.same_event(circle, within_m=20, as_of=NOW).tolist() == ["c0", "c1", "c2", "c3"]
    events = analysis.same_event(cases, within_m=20, as_of=NOW)
    table = analysis.event_table(cases, events, as_of=NOW, within_m=20)
    assert table["repeats"].tolist() == [2, 0]
    assert table["before_days"].tolist() == [0, 0]  # nothing is put together by place


def test_events_with_who_found_them_and_what_lay_there_before() -> None:
    rows = [
        ("a", 0, 0, 0, 1), ("a", 5, 0, 8, 12), ("a", 5, 5, 9, 12), ("a", 5, 5, 12.5, None),
        ("b", 5, 5, 9, 10), ("a", 5, 5, 11, 12),
    ]  # fmt: skip
    cases = cases_of(rows)
    cases["source"] = ["app", "patrol", "app", "app", "app", "patrol"]
    events = analysis.same_event(cases, within_m=20, as_of=NOW)
    assert events.tolist() == ["c0", "c1", "c1", "c3", "c4", "c1"]
    table = analysis.event_table(
        cases, events, as_of=NOW, residents=("app",), within_m=20, most_days=30
    )
    assert table["by_residents"].to_dict() == {"c0": True, "c1": False, "c3": True, "c4": True}
    assert table["reports"].tolist() == [1, 1, 1, 1]
    assert table["repeats"].tolist() == [0, 1, 0, 0]
    assert table["days"].tolist() == [1, 4, 30, 1]
    # Within 30 days before the fourth: two of residents, and 12.5 days of data.
    assert table["before"].to_dict() == {"c0": 0, "c1": 0, "c3": 2, "c4": 0}
    assert table["before_days"].tolist() == [0, 4, 12.5, 1]
    areas = pd.Series(["x", "x", "y", "y"], table.index)
    told = analysis.coincidences(table, areas)
    assert told.tolist() == pytest.approx([0.0, 0.0, 30 * 2 / 12.5, 0.0])


def city(
    seed: int, *, areas: int = 36, events: float = 120.0, patrol: float = 0.01, unlike: float = 0.0
) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Return the true ratios and numbers of areas, and the events that were found."""
    rng = np.random.default_rng(seed)
    ratio = np.exp(rng.normal(0.0, 0.5, areas) - 0.125)
    number = rng.poisson(rng.gamma(4.0, events / 4.0, areas))
    area = np.repeat(np.arange(areas), number)
    kind = rng.integers(len(KINDS), size=len(area))
    seen = rng.gamma(1 / unlike, unlike, len(area)) if unlike else np.ones(len(area))
    rate = np.maximum(ratio[area] * KINDS[kind] * seen, 1e-12)
    by_residents = rng.exponential(1 / rate)
    by_others = rng.exponential(1 / patrol, len(area)) if patrol else np.full(len(area), np.inf)
    gone = rng.exponential(30.0, len(area))
    open_days = rng.exponential(8.0, len(area))
    table = pd.DataFrame(
        {"area": area, "category": np.array(["a", "b", "c"])[kind], "days": open_days,
         "repeats": rng.poisson(rate * open_days), "by_residents": by_residents < by_others}
    )  # fmt: skip
    return ratio, number, table[np.minimum(by_residents, by_others) < gone]


def covered(seed: int, **asked: float) -> tuple[float, float, float]:
    """Return how many intervals of ratios and of numbers hold the truth, and the sum told."""
    ratio, number, table = city(seed, **asked)
    codes = pd.RangeIndex(len(ratio))
    found = analysis.reporting_rates(
        table["repeats"], table["days"], table["area"], table["category"], codes
    )
    need = analysis.true_need(
        found, table["by_residents"], table["area"], table["category"], lifetime_days=30.0
    )
    weight = found.areas["expected"]
    true = ratio / ((ratio * weight).sum() / weight.sum())
    held = found.areas["low"].le(true) & found.areas["high"].ge(true)
    counted = need["need_low"].le(number) & need["need_high"].ge(number)
    return held.mean(), counted.mean(), need["need"].sum() / number.sum()


@pytest.mark.parametrize(
    "asked",
    [{}, {"events": 25.0}, {"unlike": 0.5}, {"patrol": 0.0, "unlike": 0.5}],
    ids=["", "few", "unlike", "none_sent"],
)
def test_intervals_hold_what_they_promise_in_cities_with_known_rates(
    asked: dict[str, float],
) -> None:
    told = np.array([covered(seed, **asked) for seed in range(24)])
    rates, numbers, whole = told.mean(axis=0)
    # Nine in ten, by five points either way, as of 864 areas whose errors hang together.
    assert 0.84 <= rates <= 0.96
    assert 0.84 <= numbers <= 0.96
    assert whole == pytest.approx(1.0, abs=0.07)


def test_counts_of_reports_mislead_where_these_do_not() -> None:
    ratio, number, table = city(3, areas=60)
    codes = pd.RangeIndex(60)
    found = analysis.reporting_rates(
        table["repeats"], table["days"], table["area"], table["category"], codes
    )
    need = analysis.true_need(
        found, table["by_residents"], table["area"], table["category"], lifetime_days=30.0
    )
    assert np.corrcoef(found.areas["ratio"], ratio)[0, 1] > 0.85
    reports = table["repeats"].groupby(table["area"]).sum() + need["found"]
    off = np.abs(np.log(reports / reports.sum()) - np.log(number / number.sum())).mean()
    told = np.abs(np.log(need["need"] / need["need"].sum()) - np.log(number / number.sum())).mean()
    assert told < 0.6 * off


def test_coincidences_are_taken_off() -> None:
    _, _, table = city(5)
    rng = np.random.default_rng(1)
    codes = pd.RangeIndex(36)
    # In half of the areas as many other reports lie about.
    dense = table["area"] % 2 == 0
    alien = 0.05 * table["days"].where(dense, 0.0)
    plain = analysis.reporting_rates(
        table["repeats"], table["days"], table["area"], table["category"], codes
    ).areas
    more = table["repeats"] + rng.poisson(alien)
    fooled = analysis.reporting_rates(
        more, table["days"], table["area"], table["category"], codes
    ).areas
    mended = analysis.reporting_rates(
        more, table["days"], table["area"], table["category"], codes, coincident=alien
    ).areas
    even = np.arange(36) % 2 == 0
    assert fooled["ratio"][even].mean() > 1.2 * plain["ratio"][even].mean()
    assert mended["ratio"][even].mean() == pytest.approx(plain["ratio"][even].mean(), rel=0.1)
    width = (mended["high"] - mended["low"])[even] / (plain["high"] - plain["low"])[even]
    assert width.mean() > 1.1


def test_of_where_nothing_was_found_nothing_is_known() -> None:
    _, _, table = city(2, areas=8)
    found = analysis.reporting_rates(
        table["repeats"], table["days"], table["area"], table["category"], pd.RangeIndex(10)
    )
    need = analysis.true_need(
        found, table["by_residents"], table["area"], table["category"], lifetime_days=30.0
    )
    assert need.loc[[8, 9], ["need", "need_low", "need_high", "share_found"]].isna().all(axis=None)
    assert need.loc[[8, 9], "found"].tolist() == [0, 0]
    # It may be as any other area of the city.
    assert (found.areas.loc[[8, 9], "low"] < 0.8).all()
    assert (found.areas.loc[[8, 9], "high"] > 1.4).all()


def test_a_shorter_life_means_more_that_nobody_reports() -> None:
    _, _, table = city(2)
    found = analysis.reporting_rates(
        table["repeats"], table["days"], table["area"], table["category"], pd.RangeIndex(36)
    )
    needs = [
        analysis.true_need(
            found, table["by_residents"], table["area"], table["category"], lifetime_days=days
        )["need"].sum()
        for days in (5.0, 30.0, 1e6)
    ]
    assert needs[0] > needs[1] > needs[2]
    assert needs[2] == pytest.approx(len(table), rel=0.01)
    lives = pd.Series({"a": 5.0, "b": 30.0, "c": 30.0})
    one = analysis.true_need(
        found, table["by_residents"], table["area"], table["category"], lifetime_days=lives
    )
    assert needs[1] < one["need"].sum() < needs[0]
    with pytest.raises(ConformError, match="there is none for: c"):
        analysis.true_need(
            found, table["by_residents"], table["area"], table["category"],
            lifetime_days=lives.drop("c"),
        )  # fmt: skip


def test_without_repeats_nothing_is_told() -> None:
    none = pd.Series([0, 0])
    places, kinds = pd.Series(["x", "y"]), pd.Series(["a", "a"])
    with pytest.raises(ConformError, match="Nothing was reported twice"):
        analysis.reporting_rates(none, pd.Series([3.0, 4.0]), places, kinds, pd.Index(["x", "y"]))
    with pytest.raises(ConformError, match="repeats"):
        analysis.reporting_rates(
            pd.Series([-1, 2]), pd.Series([3.0, 4.0]), places, kinds, pd.Index(["x", "y"])
        )


def test_a_case_without_place_or_category_is_an_event_of_its_own() -> None:
    cases = cases_of([("a", 0, 0, 0, 9), ("a", 0, 0, 1, 9), ("a", 0, 0, 2, 9)])
    cases.loc["c1", "category"] = None
    cases = cases.set_geometry(
        gpd.GeoSeries([*cases.geometry[:2], shapely.Point()], cases.index, crs=cases.crs)
    )
    assert analysis.same_event(cases, within_m=5, as_of=NOW).tolist() == ["c0", "c1", "c2"]
    with pytest.raises(ConformError, match="within_m"):
        analysis.same_event(cases, within_m=0, as_of=NOW)


def test_what_is_no_number_of_reports_is_refused() -> None:
    days, places, kinds = pd.Series([3.0, 4.0]), pd.Series(["x", "y"]), pd.Series(["a", "a"])
    with pytest.raises(ConformError, match="no whole numbers"):
        analysis.reporting_rates(pd.Series([1.5, 2]), days, places, kinds, pd.Index(["x", "y"]))
    with pytest.raises(ConformError, match="x"):
        analysis.reporting_rates(pd.Series([1, 2]), days, places, kinds, pd.Index(["x", "x", "y"]))
    table = pd.DataFrame({"category": ["a"], "days": [3.0], "before": [1], "before_days": [0.0]})
    assert analysis.coincidences(table, pd.Series(["x"])).tolist() == [0.0]
