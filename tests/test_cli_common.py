"""What the commands share: languages, moments, base maps, and what they tell of files."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gridmap import messages
from gridmap.cli.common import Wanted, language, moment_of, steps_of, tell_files, with_basemap
from gridmap.cli.usage import UsageMistakeError
from gridmap.config import CityFile, read_city_file
from gridmap.errors import ConformError

CITY = Path(__file__).parent.parent / "data"
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def city_file() -> CityFile:
    return read_city_file(CITY)


def test_a_moment_is_the_citys_where_it_has_no_offset() -> None:
    at = moment_of("2025-03-01T08:00", "Asia/Shanghai")
    assert at == dt.datetime(2025, 3, 1, 8, tzinfo=SHANGHAI)
    assert at.utcoffset() == dt.timedelta(hours=8)
    assert moment_of("2025-03-01T08:00Z", "Asia/Shanghai").utcoffset() == dt.timedelta(0)
    before = dt.datetime.now(dt.UTC)
    now = moment_of("now", "Asia/Shanghai")
    assert before <= now <= dt.datetime.now(dt.UTC)
    assert now.utcoffset() == dt.timedelta(hours=8)
    with pytest.raises(ConformError, match="yesterday"):
        moment_of("yesterday", "Asia/Shanghai")


def test_the_option_speaks_before_the_city_and_both_before_the_usual(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRIDMAP_LANG", "en")
    assert (language("zh", "en"), language("", "zh"), language("", "")) == ("zh", "zh", "en")
    for choice in (("xx", ""), ("", "xx")):
        with pytest.raises(UsageMistakeError, match=r"'xx' is not known; write one of en"):
            language(*choice)


def test_a_base_map_is_a_service_or_a_path_and_none_keeps_the_backdrop(
    city_file: CityFile, tmp_path: Path
) -> None:
    usual = city_file.basemap.model_copy(update={"backdrop": ("roads",), "key": "K"})
    drawn = city_file.model_copy(update={"basemap": usual})
    assert with_basemap(drawn, "") is drawn
    for service in ("osm", "tianditu", "amap"):
        made = with_basemap(drawn, service).basemap
        assert (made.service, made.path, made.key, made.backdrop) == (service, "", "K", ("roads",))
    none = with_basemap(drawn, "none").basemap
    assert (none.service, none.path, none.key, none.backdrop) == ("", "", "", ("roads",))
    tiles = with_basemap(with_basemap(drawn, "osm"), str(tmp_path / "city.mbtiles")).basemap
    assert (tiles.service, tiles.path) == ("", str(tmp_path / "city.mbtiles"))
    assert tiles.attribution == "city.mbtiles"
    owned = usual.model_copy(update={"attribution": "Office"})
    named = with_basemap(drawn.model_copy(update={"basemap": owned}), "osm.mbtiles").basemap
    assert (named.attribution, named.path) == ("Office", str(Path("osm.mbtiles").resolve()))


def test_what_is_wanted_names_all_or_nothing_in_particular(city_file: CityFile) -> None:
    assert Wanted(("a",), ("b",)).names == ("a", "b")
    assert Wanted(also=("b",)).names is None
    few, whole = (steps_of(city_file, Wanted(("roads",), whole=whole)) for whole in (False, True))
    assert 1 <= few < whole == len(city_file.inputs)
    # Measures are steps, too.
    assert steps_of(city_file) > whole
    assert steps_of(city_file, Wanted(("grid_results",))) > few


def test_files_are_told_as_json_or_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell_files(Path("out"), ["a.html"], ["no roads"], "en", as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "out": "out", "files": ["a.html"], "skipped": ["no roads"],
    }  # fmt: skip
    tell_files(Path("out"), ["a.html"], ["no roads"], "en", as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        messages.text("cli.written", "en", path="out"),
        "  a.html",
        messages.text("cli.skipped", "en", message="no roads"),
    ]
