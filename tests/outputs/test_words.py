"""Values in words, alike in every output, and KML that holds any text."""

import re
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from browser import OpenPage, spot
from export_town import FIELDS, awkward, layer, town
from playwright.sync_api import expect
from shapes import CRS, EAST, NORTH

from gridmap import messages
from gridmap.catalog import Layer, MapLayer, Symbology
from gridmap.cli.tables import tell_tables
from gridmap.leaving import clean
from gridmap.outputs.export.layers import export_layers
from gridmap.outputs.maps._layers import Overlay, feature_layer
from gridmap.outputs.pages.page import page, save_page
from gridmap.outputs.styles.symbology import paint
from gridmap.outputs.tables.words import heading, headings, number_text, share_text, words

ZONE = "Asia/Shanghai"
KML = "{http://www.opengis.net/kml/2.2}"
NASTY = ("=1+1", "+86", "-1+1", "@sum", "\tx", "\rx", "a\x00b\x1b", "A & <b> \"'", "]]>", "\ufffe")


def said(name: str, values: Any, lang: str = "en", **more: Any) -> list[str]:
    return words(pd.Series(values), FIELDS[name], lang, **more)


def test_each_type_of_field_has_its_words() -> None:
    assert said("value", [1234.25, np.nan, np.inf]) == ["1,234.3", "", ""]
    assert said("value", [1234.25], grouped=False) == ["1234.3"]
    number = pd.array([12345, None], dtype="Int64")
    assert said("number", number) == ["12,345", ""]
    assert said("open", pd.array([True, False, None], dtype="boolean"), "zh") == ["是", "否", ""]
    assert said("open", [True, False]) == ["Yes", "No"]
    assert said("kind", ["park", "lake", None], "zh") == ["公园", "lake", ""]
    assert said("kind", ["shop"], "zh-Hant") == ["商店"]
    assert said("code", pd.array(["0012", None], dtype="string")) == ["0012", ""]
    assert said("value", ["12.5 %"]) == ["12.5 %"]
    assert said("name", ["a\x07b"]) == ["ab"]


def test_times_are_told_by_the_clock_of_the_city() -> None:
    times = pd.to_datetime(["2025-01-01 15:30:59", None]).tz_localize("UTC")
    assert said("seen", times, zone=ZONE) == ["2025-01-01 23:30", ""]
    assert said("seen", times) == ["2025-01-01 15:30", ""]
    assert said("seen", times.tz_localize(None), zone=ZONE) == ["2025-01-01 15:30", ""]


def test_headings_tell_units_and_zones_and_are_never_alike() -> None:
    assert heading(FIELDS["value"], "zh") == "数值 (小时)"
    assert heading(FIELDS["seen"], "zh", ZONE) == "时间 (Asia/Shanghai)"
    assert heading(FIELDS["seen"], "zh") == "时间"
    twice = layer(fields=FIELDS | {"name": FIELDS["code"]})
    assert list(headings(twice, ["code", "name"], "zh").values()) == ["编码", "编码 [name]"]


def test_ties_go_away_from_zero_and_no_zero_is_negative() -> None:
    assert [number_text(v) for v in (0.5, 1.5, 2.5, -2.5, -0.4)] == ["1", "2", "3", "-3", "0"]
    assert number_text(0.125, 2) == "0.13"
    assert number_text(1e300, 4).startswith("1,000,000")
    assert share_text(0.385, 1) == "38.5%"
    assert share_text(0.01, signed=True) == "+1.0%"


def test_a_kml_of_nasty_names_is_well_formed(tmp_path: Path) -> None:
    frame = awkward(len(NASTY)).assign(name=list(NASTY), note=list(NASTY[::-1]))
    title = {"en": "A & <b>\x01", "zh": "“<甲>”&"}
    odd = layer(title=title, description=title)
    export_layers(town((odd, frame)), tmp_path, formats=["kml", "kmz"], lang="en")
    root = ET.parse(tmp_path / "places.kml").getroot()
    assert root.find(f"{KML}Document/{KML}name").text == "A & <b>"  # type: ignore[union-attr]
    names = [mark.findtext(f"{KML}name") for mark in root.iter(f"{KML}Placemark")]
    # A parser reads every end of line as one sign (XML 1.0, 2.11).
    assert names == [clean(text).replace("\r", "\n") for text in NASTY]
    with zipfile.ZipFile(tmp_path / "town.kmz") as archive:
        assert ET.fromstring(archive.read("doc.kml")).tag == f"{KML}kml"


def test_a_kml_says_words_and_keeps_numbers(tmp_path: Path) -> None:
    export_layers(town(), tmp_path, formats=["kml"], lang="zh")
    root = ET.parse(tmp_path / "places.kml").getroot()
    kinds = {f.get("name"): f.get("type") for f in root.iter(f"{KML}SimpleField")}
    assert (kinds["value"], kinds["open"], kinds["kind"]) == ("double", "string", "string")
    heads = [f.findtext(f"{KML}displayName") for f in root.iter(f"{KML}SimpleField")]
    assert {"数值 (小时)", "时间 (Asia/Shanghai)"} <= set(heads)
    marks = list(root.iter(f"{KML}Placemark"))
    held = {d.get("name"): d.text for d in marks[1].iter(f"{KML}SimpleData")}
    assert held["kind"] == "商店"
    assert held["open"] == "否"
    assert held["seen"] == "2025-01-02 23:30"
    assert float(held["value"]) == 10 / 24
    assert "number" not in held


SHOWN = ("value", "kind", "seen", "open", "number")


def two_areas() -> gpd.GeoDataFrame:
    """Return an area with a value in each field, and one beside it that has a time alone."""
    both = awkward(6).head(2).assign(value=[12.25, np.nan], kind=["park", None])
    both["open"] = pd.array([True, None], "boolean")
    both["number"] = pd.array([12345, None], "Int64")
    west = EAST + np.array([0, 900])
    return gpd.GeoDataFrame(
        both, geometry=shapely.box(west, NORTH, west + 900, NORTH + 900), crs=CRS
    )


def printed(frame: gpd.GeoDataFrame, made: Layer, lang: str, capsys: Any) -> list[list[str]]:
    """Return the cells of each row as the terminal shows them, without the empty ones."""
    tell_tables({made.name: frame}, town((made, frame)).city.catalog, lang)
    lines = capsys.readouterr().out.splitlines()
    found = [re.split(r"\s{2,}", line.strip()) for line in lines if line.strip().startswith("A00")]
    assert len(found) == len(frame), lines
    return [row[1:] for row in found]


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_terminal_ledger_and_popup_say_the_same(
    lang: str, tmp_path: Path, open_page: OpenPage, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = two_areas()
    plain = Symbology(kind="single", colours=("#8c96c6",))
    fields = {name: FIELDS[name] for name in ("code", *SHOWN)}
    made = layer(symbology=plain, fields=fields, label="code")
    catalog = town((made, frame)).city.catalog
    tell_tables({made.name: frame}, catalog, lang, csv=tmp_path)
    capsys.readouterr()
    ledger = pd.read_csv(tmp_path / "places.csv", dtype=str, keep_default_na=False)
    overlay = Overlay(MapLayer(layer="places", popup=SHOWN), made, "places", frame, show=True)
    drawn = page(title="t", bounds=frame.to_crs(4326).total_bounds, lang=lang, time_zone=ZONE)
    feature_layer(overlay, paint(made, frame)).add_to(drawn)
    opened = open_page(save_page(drawn, tmp_path / "map.html"))
    unit = messages.unit_label("h", lang)
    told = printed(frame, made, lang, capsys)
    for row, terminal in enumerate(told):
        middle = frame.to_crs(4326).geometry[row].centroid
        opened.mouse.click(*spot(opened, middle.x, middle.y))
        cells = opened.locator(".gm-popup td")
        expect(cells.nth(1)).to_have_text(re.compile("–" if row else "Park|公园"))
        popup = [t.removesuffix(f" {unit}").replace("–", "") for t in cells.all_inner_texts()]
        assert [text for text in popup if text] == terminal
        # Files of numbers have no thousands set apart.
        assert [*popup[:-1], popup[-1].replace(",", "")] == ledger.iloc[row, 1:].to_list()
    words_of = {"en": ("Park", "Yes"), "zh": ("公园", "是")}[lang]
    full = ["12.3", words_of[0], "2025-01-01 23:30", words_of[1], "12,345"]
    assert told == [full, ["2025-01-02 23:30"]]
