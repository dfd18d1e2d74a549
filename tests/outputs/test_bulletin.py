from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from browser import OpenPage
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from shapes import grid_of, points_at
from towns import conformed, rows_of_buildings, town

from gridmap.analysis.cases.indicators import PERIODS, load_kpis
from gridmap.catalog import Text
from gridmap.errors import ConformError, OutputError
from gridmap.measures.bulletins import Bulletin, Span, Value, make_bulletin, span_of
from gridmap.model import City
from gridmap.outputs.bulletin.frozen import write_bulletin
from gridmap.outputs.bulletin.texts import definitions
from gridmap.result import Analysed

ZONE = "Asia/Shanghai"


def moments(*texts: str | None) -> pd.Series:
    return pd.to_datetime(pd.Series(list(texts))).dt.tz_localize(ZONE)


# opened, due, closed, area (a or b, none outside), category, source
ROWS: list[tuple[str, str | None, str | None, str, str, str]] = [
    ("2025-02-20 08:00", "2025-02-21 08:00", None, "a", "litter", "app"),  # overdue for long
    ("2025-02-27 08:00", "2025-03-05 08:00", "2025-03-04 08:00", "a", "litter", "app"),
    ("2025-03-01 00:00", "2025-03-02 00:00", "2025-03-01 06:00", "a", "litter", "app"),
    ("2025-03-10 08:00", "2025-03-11 08:00", "2025-03-11 08:00", "b", "noise", "app"),
    ("2025-03-12 08:00", "2025-03-13 08:00", "2025-03-20 08:00", "b", "noise", "hotline"),
    ("2025-03-30 08:00", "2025-04-01 00:00", "2025-04-01 00:00", "b", "noise", "hotline"),
    ("2025-03-31 23:59", None, None, "", "noise", "hotline"),
    ("2025-04-01 00:00", "2025-04-02 00:00", "2025-04-01 01:00", "a", "litter", "app"),
    ("2024-03-15 08:00", "2024-03-16 08:00", "2024-03-15 10:00", "a", "litter", "app"),
]


def city_of(rows: list[Any], as_of: str = "2025-05-01") -> City:
    grids = grid_of("ab", size=400.0)
    place = {"a": (10.0, 10.0), "b": (410.0, 10.0), "": (5000.0, 5000.0)}
    problems = points_at(*(place[row[3]] for row in rows)).assign(
        opened=moments(*(row[0] for row in rows)),
        due=moments(*(row[1] for row in rows)),
        closed=moments(*(row[2] for row in rows)),
        category=[row[4] for row in rows],
        source=[row[5] for row in rows],
    )
    made = town(grids, rows_of_buildings(2, 2))
    moment = pd.Timestamp(as_of, tz=ZONE).to_pydatetime()
    layers = {**made.layers, "problems": conformed("problems", problems)}
    return replace(made, layers=layers, as_of=moment)


CITY, MARCH = city_of(ROWS), dt.date(2025, 3, 15)


def march(city: City = CITY) -> Bulletin:
    return _march() if city is CITY else make_bulletin(city, period="month", on=MARCH)


@cache
def _march() -> Bulletin:
    """Return the bulletin that most tests look at: nothing changes one."""
    return make_bulletin(CITY, period="month", on=MARCH)


def figure(bulletin: Bulletin, name: str, span: str = "now") -> Value:
    cell: Value = getattr(next(f for f in bulletin.figures if f.name == name), span)
    return cell


def test_the_figures_of_a_month_by_hand() -> None:
    made = march()
    counts = {name: figure(made, name).value for name in ("opened", "closed", "open", "overdue")}
    # The closing and the deadline at midnight of 1 April belong to April.
    assert counts == {"opened": 5, "closed": 4, "open": 3, "overdue": 1}
    closing = figure(made, "closing_rate")
    assert (closing.numerator, closing.denominator, closing.value) == (3, 5, 0.6)
    # In time: 4 March, 1 March, 11 March (to the minute); late: 13 March.
    in_time = figure(made, "in_time_rate")
    assert (in_time.numerator, in_time.denominator) == (3, 4)
    stock = figure(made, "overdue_rate")
    assert (stock.numerator, stock.denominator) == (1, 3)
    assert figure(made, "median_hours").value == pytest.approx((24 + 120) / 2)
    assert all(figure(made, name).small for name in ("closing_rate", "in_time_rate"))


def test_earlier_periods_are_told_as_they_were_then() -> None:
    made = march()
    # At the end of February the case that was closed in March was still open.
    assert figure(made, "open", "before").value == 2
    assert figure(made, "closing_rate", "before").numerator == 0
    assert figure(made, "opened", "before").value == 2
    assert figure(made, "opened", "year_before").value == 1
    assert figure(made, "closing_rate", "year_before").mark == "full"
    february = make_bulletin(CITY, period="month", on=dt.date(2025, 2, 1))
    for name in ("opened", "open", "overdue", "closing_rate", "in_time_rate", "median_hours"):
        assert figure(made, name, "before") == figure(february, name)
    # There are no data of February 2024.
    assert figure(february, "opened", "year_before") == Value()


def test_the_rows_of_every_table_add_up_to_the_whole() -> None:
    made = march()
    assert [table.column for table in made.tables] == ["area", "source", "category"]
    for table in made.tables:
        *rows, (_, whole) = table.rows
        for name in ("opened", "closed", "open", "overdue", "opened_before"):
            assert sum(cells[name].value or 0 for _, cells in rows) == whole[name].value
        for name in ("closing_rate", "in_time_rate", "overdue_rate"):
            for part in ("numerator", "denominator"):
                parts = [getattr(cells[name], part) or 0 for _, cells in rows if name in cells]
                assert sum(parts) == getattr(whole[name], part)
    areas = made.tables[0].rows
    assert [name for name, _ in areas] == ["Grid a", "Grid b", None, None]
    assert areas[2][1]["opened"].value == 1


def test_what_came_before_the_data_is_missing_and_not_zero() -> None:
    first = make_bulletin(CITY, period="month", on=dt.date(2024, 3, 1))
    assert figure(first, "opened", "before") == Value()
    assert {cells["opened_before"] for _, cells in first.tables[0].rows} == {Value()}
    quiet = make_bulletin(CITY, period="month", on=dt.date(2024, 5, 1))
    assert figure(quiet, "opened", "before").value == 0
    assert figure(quiet, "opened").value == 0


def test_the_sample_city_adds_up_too(sample: Analysed) -> None:
    made = make_bulletin(sample.city, period="month")
    assert made.span.label == "2025-12"
    problems = sample.city.layers["problems"]
    of_month = problems["opened"].dt.strftime("%Y-%m") == "2025-12"
    assert figure(made, "opened").value == int(of_month.sum())
    closed = problems["closed"].dt.strftime("%Y-%m") == "2025-12"
    assert figure(made, "closed").value == int(closed.sum())
    for table in made.tables:
        *rows, (_, whole) = table.rows
        assert sum(cells["opened"].value or 0 for _, cells in rows) == whole["opened"].value
    assert sum(opened for _, opened, _ in made.trend) == figure(made, "opened").value
    assert len(made.overdue) == figure(made, "overdue").value


def test_the_overdue_list_has_the_longest_overdue_first() -> None:
    made = make_bulletin(CITY, period="day", on=dt.date(2025, 3, 13))
    assert made.overdue["code"].to_list() == ["p0", "p4"]
    assert made.overdue["days"].to_list() == pytest.approx([20 + 16 / 24, 16 / 24])


def test_what_is_overdue_for_as_long_is_in_the_order_of_codes() -> None:
    row = ("2025-03-01 08:00", "2025-03-02 08:00", None, "a", "litter", "app")
    day = ("2025-03-01 08:00", "2025-03-04 00:00", None, "a", "litter", "app")
    city = city_of([day, row, row, row])
    problems = city.layers["problems"]
    problems = problems.assign(code=pd.Series(["p0", "p3", "p1", "p2"], dtype="string"))
    city = replace(city, layers={**city.layers, "problems": problems})
    made = make_bulletin(city, period="day", on=dt.date(2025, 3, 3))
    # What is due at the midnight that ends the day is not overdue on it.
    assert made.overdue["code"].to_list() == ["p1", "p2", "p3"]
    after = make_bulletin(city, period="day", on=dt.date(2025, 3, 4))
    assert after.overdue["code"].to_list() == ["p1", "p2", "p3", "p0"]


@given(st.dates(dt.date(2000, 1, 1), dt.date(2060, 12, 31)), st.sampled_from(PERIODS))
def test_spans_follow_each_other_without_gap(day: dt.date, period: str) -> None:
    span = span_of(period, day, ZONE)
    assert span.begins <= pd.Timestamp(day, tz=ZONE) < span.ends
    assert span.back().ends == span.begins
    assert span.back().label != span.label
    last_year = span.back(year=True)
    if period == "week":
        assert span.begins - last_year.begins == pd.Timedelta(days=364)
    else:
        assert last_year.begins.year == span.begins.year - 1
        assert (last_year.begins.month, last_year.begins.day) in {
            (span.begins.month, span.begins.day),
            (2, 28),
        }


def test_spans_are_of_the_citys_zone_and_of_iso_weeks() -> None:
    assert span_of("week", dt.date(2025, 12, 31), ZONE).label == "2026-W01"
    assert span_of("day", dt.date(2024, 2, 29), ZONE).back(year=True).label == "2023-02-28"
    berlin = span_of("day", dt.date(2025, 3, 30), "Europe/Berlin")
    assert berlin.ends - berlin.begins == pd.Timedelta(hours=23)


def test_periods_that_are_not_over_or_unknown_are_refused() -> None:
    with pytest.raises(ConformError, match="after the data"):
        make_bulletin(CITY, period="month", on=dt.date(2025, 5, 1))
    with pytest.raises(ConformError, match="before the first problem"):
        make_bulletin(CITY, period="month", on=dt.date(2023, 5, 1))
    with pytest.raises(ConformError, match="no period"):
        make_bulletin(CITY, period="fortnight")
    assert make_bulletin(CITY, period="month").span.label == "2025-04"
    assert make_bulletin(city_of(ROWS, "2025-04-30 23:59"), period="month").span.label == "2025-03"


def changed(number: int, position: int, value: Any) -> City:
    rows = [list(row) for row in ROWS]
    rows[number][position] = value
    return city_of(rows)


def test_the_hash_is_of_what_the_bulletin_was_made_from() -> None:
    frozen = march().sha256
    assert march(city_of(ROWS)).sha256 == frozen
    assert march(changed(7, 2, None)).sha256 == frozen  # opened in April
    assert march(changed(0, 2, "2025-04-03 08:00")).sha256 == frozen  # closed in April
    shuffled = CITY.layers["problems"].iloc[::-1].reset_index(drop=True)
    city = replace(CITY, layers={**CITY.layers, "problems": shuffled})
    assert march(city).sha256 == frozen
    for number, position, value in (
        (2, 2, "2025-03-01 07:00"),
        (1, 2, None),
        (3, 4, "litter"),
        (4, 3, "a"),
        (8, 2, "2024-03-15 11:00"),
        (6, 1, "2025-04-01 23:59"),
    ):
        assert march(changed(number, position, value)).sha256 != frozen


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    for lang in ("zh", "en"):
        one = write_bulletin(march(), tmp_path / "one", lang)
        other = write_bulletin(march(city_of(ROWS)), tmp_path / "other", lang)
        assert [path.suffix for path in one.files] == [".html", ".xlsx", ".json"]
        for left, right in zip(one.files, other.files, strict=True):
            assert left.read_bytes() == right.read_bytes()
            assert left.name == right.name


def state(folder: Path) -> dict[str, bytes]:
    shown = (path for path in folder.iterdir() if not path.name.startswith("."))
    return {path.name: path.read_bytes() for path in sorted(shown)}


def test_a_frozen_bulletin_is_never_written_over(tmp_path: Path) -> None:
    first = write_bulletin(march(), tmp_path, "zh")
    was = state(tmp_path)
    assert (first.revision, len(first.files)) == (0, 3)
    assert write_bulletin(march(), tmp_path, "zh").files == ()
    later = march(changed(2, 2, "2025-03-01 07:00"))
    with pytest.raises(OutputError) as refused:
        write_bulletin(later, tmp_path, "zh")
    for lang in ("en", "zh"):
        said = refused.value.text(lang)
        assert march().sha256 in said
        assert later.sha256 in said
        assert "--revise 1" in said
    with pytest.raises(OutputError, match="--revise 1"):
        write_bulletin(later, tmp_path, "en")  # in another language it is the same bulletin
    with pytest.raises(OutputError, match="--revise 1"):
        write_bulletin(later, tmp_path, "zh", revise=2)
    assert state(tmp_path) == was


def test_revisions_stand_beside_it(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no bulletin"):
        write_bulletin(march(), tmp_path, "en", revise=1)
    write_bulletin(march(), tmp_path, "en")
    was = state(tmp_path)
    later = march(changed(2, 2, "2025-03-01 07:00"))
    made = write_bulletin(later, tmp_path, "en", revise=1)
    assert made.revision == 1
    assert {path.name for path in made.files} == {
        f"town-month-2025-03-r1.en.{kind}" for kind in ("html", "xlsx", "json")
    }
    assert {name: content for name, content in state(tmp_path).items() if name in was} == was
    assert "Revision 1" in made.files[0].read_text(encoding="utf-8")
    assert write_bulletin(later, tmp_path, "en").files == ()  # the latest is up to date
    with pytest.raises(OutputError, match="--revise 2"):
        write_bulletin(march(), tmp_path, "en")
    assert write_bulletin(later, tmp_path, "zh").revision == 1  # the revision in another language


def test_what_was_altered_or_lost_is_told(tmp_path: Path) -> None:
    made = write_bulletin(march(), tmp_path, "en")
    page, book, record = made.files
    content = page.read_bytes()
    page.write_bytes(content.replace(b"5", b"6", 1))
    with pytest.raises(OutputError, match=r"html: is missing, or is not what was frozen"):
        write_bulletin(march(), tmp_path, "en")
    page.write_bytes(content)
    book.unlink()
    with pytest.raises(OutputError, match="xlsx"):
        write_bulletin(march(), tmp_path, "en")
    record.write_text("{", encoding="utf-8")
    with pytest.raises(OutputError, match="json"):
        write_bulletin(march(), tmp_path, "en")
    record.unlink()
    with pytest.raises(OutputError, match="json"):
        write_bulletin(march(), tmp_path, "en")
    assert page.read_bytes() == content


def test_the_level_of_a_frozen_bulletin_is_told(tmp_path: Path, sample: Analysed) -> None:
    made = make_bulletin(sample.city, period="month")
    assert made.level == "community"
    write_bulletin(made, tmp_path, "en")
    other = make_bulletin(sample.city, period="month", level="street")
    with pytest.raises(OutputError, match="--level community"):
        write_bulletin(other, tmp_path, "en")


def test_the_record_holds_hashes_and_figures(tmp_path: Path) -> None:
    made = march()
    record = json.loads(write_bulletin(made, tmp_path, "en").files[2].read_text(encoding="utf-8"))
    assert record["sha256"] == made.sha256
    assert record["rows"] == made.rows == 8
    assert record["figures"]["in_time_rate"]["now"]["denominator"] == 4
    assert set(record["files"]) == {"town-month-2025-03.en.html", "town-month-2025-03.en.xlsx"}


def test_page_and_workbook_say_numerators_marks_and_hash(tmp_path: Path) -> None:
    made = march()
    ends = "2025-04-01 00:00"
    for lang, words in (
        ("zh", ["月通报", "2025年3月", "按期结案率", "3 / 4", "合计", "不在任何区域", "△", "※"]),
        ("en", ["Monthly bulletin", "2025-03-31", "In-time closing rate", "3 / 4", "Total"]),
    ):
        page, book, _ = write_bulletin(made, tmp_path, lang).files
        text = page.read_text(encoding="utf-8")
        frozen = {"zh": f"{ends}（{ZONE}）", "en": f"{ends} ({ZONE})"}[lang]
        for word in (*words, made.sha256, frozen):
            assert word in text
        sheets = CalamineWorkbook.from_path(str(book))
        assert len(sheets.sheet_names) == 7
        first = sheets.get_sheet_by_index(0).to_python()
        title = load_kpis()["in_time_rate"].title[lang]
        row = next(row for row in first if row[0] == title)
        assert row[1:4] == [3, 4, 0.75]
        assert any(made.sha256 in str(cell) for row in first for cell in row)
        assert any(frozen in str(row[0]) for row in first)
        *_, overdue, _ = (sheets.get_sheet_by_name(name).to_python() for name in sheets.sheet_names)
        assert [type(cell) for cell in overdue[1][-3:-1]] == [dt.datetime] * 2


def test_names_of_people_who_know_html_are_harmless(tmp_path: Path) -> None:
    city = replace(changed(3, 4, "<script>alert(1)</script>"), title=Text(en="A & <b>", zh="甲<b>"))
    page = write_bulletin(march(city), tmp_path, "zh").files[0].read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_table_does_not_need_areas_or_sources(tmp_path: Path) -> None:
    problems = CITY.layers["problems"].assign(source=pd.array([pd.NA] * len(ROWS), dtype="string"))
    bare = replace(CITY, layers={"problems": problems})
    made = march(bare)
    assert [table.column for table in made.tables] == ["category"]
    assert made.level == ""
    assert write_bulletin(made, tmp_path, "en").files


def test_every_definition_is_said_in_both_languages() -> None:
    for lang in ("zh", "en"):
        said = definitions(lang)
        assert len(said) == 5
        for name, text in said:
            assert name
            assert "{" not in text


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_opens_alone_and_fits(
    width: int, tmp_path: Path, sample: Analysed, open_page: OpenPage
) -> None:
    made = make_bulletin(sample.city, period="month")
    page = open_page(write_bulletin(made, tmp_path, "zh").files[0], width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("h1").inner_text() == "青禾区（示例）网格化管理月通报"
    assert page.locator("script, link, img, iframe").count() == 0
    assert page.locator(".list tbody tr").count() == 50
    cards = page.locator(".cards b").all_inner_texts()
    assert cards == [
        f"{figure(made, n).value:,.0f}" for n in ("opened", "closed", "open", "overdue")
    ]


def test_a_year_has_months_and_a_day_no_chart() -> None:
    year = make_bulletin(CITY, period="year", on=dt.date(2024, 5, 1))
    assert [label for label, *_ in year.trend] == [f"2024-{month:02d}" for month in range(1, 13)]
    assert sum(opened for _, opened, _ in year.trend) == 1
    assert make_bulletin(CITY, period="day", on=dt.date(2025, 3, 1)).trend == ()
    week = make_bulletin(CITY, period="week", on=dt.date(2025, 3, 1))
    days = [dt.date.fromisoformat(label) for label, *_ in week.trend]
    assert {after - day for day, after in pairwise(days)} == {dt.timedelta(days=1)}
    assert isinstance(week.span, Span)
