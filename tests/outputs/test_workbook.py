"""Workbooks and ledgers, read back: types, formats, and texts of any kind."""

import datetime as dt
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from export_town import FIELDS, awkward, field, layer
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from gridmap.catalog import Layer, load_catalog
from gridmap.leaving import clean, runs_as_formula
from gridmap.outputs.tables.indicators import kpi_sheet, kpi_words
from gridmap.outputs.tables.ledger import csv_bytes
from gridmap.outputs.tables.words import words
from gridmap.outputs.tables.workbook import (
    MOST_SIGNS,
    Cell,
    Sheet,
    layer_sheet,
    number_form,
    share_form,
    write_workbook,
)

ZONE = "Asia/Shanghai"
NASTY = ("=1+1", "+86", "-1+1", "@sum", "\tx", "\rx", "a\x00b\x1b", "A & <b> \"'", "]]>", "\ufffe")


@given(st.text())
def test_what_is_clean_is_xml_and_stays_clean(text: str) -> None:
    made = clean(text)
    assert clean(made) == made
    file = ET.tostring(ET.Element("a", {"b": made}))
    assert ET.fromstring(file) is not None
    made.encode("utf-8")


@pytest.mark.parametrize("text", NASTY[:6])
def test_formulas_are_known(text: str) -> None:
    assert runs_as_formula(text)
    assert not runs_as_formula(f"a{text}")


@pytest.mark.parametrize("text", ["-1", "-1.5", "-.5e-3", "-12%", "1+1", "", "–"])
def test_negative_numbers_are_no_formulas(text: str) -> None:
    assert not runs_as_formula(text)


def test_no_ledger_runs_a_formula(tmp_path: Path) -> None:
    table = pd.DataFrame({"=head": NASTY, "number": -1.5 * np.arange(len(NASTY))})
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes(table))
    read = pd.read_csv(path, encoding="utf-8-sig", keep_default_na=False)
    assert list(read) == ["'=head", "number"]
    assert read["number"].to_list() == table["number"].to_list()
    assert read["'=head"].to_list()[:4] == ["'=1+1", "'+86", "'-1+1", "'@sum"]
    assert read["'=head"].to_list()[6:] == ["ab", "A & <b> \"'", "]]>", ""]
    twice = pd.DataFrame([["=a", "=b"]], columns=["x", "x"])
    assert csv_bytes(twice, "gb18030") == b"x,x\r\n'=a,'=b\r\n"


def percents() -> Layer:
    fields = FIELDS | {"off": field("number", "偏差", unit="%", decimals=0)}
    return layer(fields=fields)


def sheets(path: Path) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def part(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as book:
        return book.read(name).decode("utf-8")


def test_a_workbook_has_numbers_dates_percentages_and_texts(tmp_path: Path) -> None:
    frame = awkward().assign(off=np.linspace(-20, 20, 25), code="330502001002003004")
    path = tmp_path / "a.xlsx"
    write_workbook(path, [layer_sheet(percents(), frame, "zh", ZONE)])
    head, first, second, *_ = sheets(path)["地块"]
    assert head == ["编码", "名称", "数值 (小时)", "类别", "时间 (Asia/Shanghai)", "开放", "数量",
                    "备注", "偏差 (%)"]  # fmt: skip
    assert first[0] == "330502001002003004"
    assert first[3:6] == ["公园", dt.datetime(2025, 1, 1, 23, 30), "是"]
    assert second[2] == pytest.approx(10 / 24)
    assert second[3:7] == ["商店", dt.datetime(2025, 1, 2, 23, 30), "否", ""]
    assert first[8] == pytest.approx(-0.2)
    styles = part(path, "xl/styles.xml")
    forms = set(re.findall(r'formatCode="([^"]*)"', styles))
    assert forms == {"#,##0", "#,##0.0", "0%", "yyyy-mm-dd hh:mm"}
    sheet = part(path, "xl/worksheets/sheet1.xml")
    assert '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' in sheet
    assert '<autoFilter ref="A1:I26"/>' in sheet


def test_columns_fit_and_a_chinese_sign_takes_two(tmp_path: Path) -> None:
    rows = [["网格员" * 4, "abc", Cell(1234567.5, number_form(1))], ["长" * 99, "", None]]
    write_workbook(tmp_path / "a.xlsx", [Sheet("a", ["名", "b", "c"], rows[:1])])
    write_workbook(tmp_path / "b.xlsx", [Sheet("a", ["名", "b", "c"], rows)])
    narrow, wide = (part(tmp_path / f"{n}.xlsx", "xl/worksheets/sheet1.xml") for n in "ab")
    widths = [float(found) for found in re.findall(r'width="([^"]*)"', narrow)]
    assert widths == pytest.approx([26, 6, 13], abs=1)
    assert float(re.findall(r'width="([^"]*)"', wide)[0]) == pytest.approx(42, abs=1)


def test_a_workbook_holds_any_text_and_any_number(tmp_path: Path) -> None:
    rows = [[text, Cell(value, share_form())] for text, value in zip(
        (*NASTY, "https://a.example", "x" * (MOST_SIGNS + 9)),
        (np.nan, np.inf, None, *np.arange(9) / 8), strict=True)]  # fmt: skip
    old = [["", Cell(dt.datetime(1582, 10, 15, 12, 0), "yyyy-mm-dd hh:mm")]]
    path = tmp_path / "a.xlsx"
    named = [Sheet("A/B", ["t", "v"], rows), Sheet("a:b", ["t", "v"], old), Sheet("'", ["=1"], [])]
    write_workbook(path, named)
    read = sheets(path)
    assert list(read) == ["A_B", "a_b 2", "_"]
    cells = [row[0] for row in read["A_B"][1:]]
    assert cells[:4] == list(NASTY[:4])
    assert cells[6:9] == ["ab", "A & <b> \"'", "]]>"]
    assert len(cells[-1]) == MOST_SIGNS
    assert [row[1] for row in read["A_B"][1:4]] == ["", "", ""]
    assert read["a_b 2"][1][1] == "1582-10-15 12:00"
    sheet = part(path, "xl/worksheets/sheet1.xml")
    assert "<f>" not in sheet
    # What would run when it is edited is marked as if an apostrophe were typed before it.
    assert part(path, "xl/styles.xml").count('quotePrefix="1"') == 2  # headings too
    quoted = re.search(r"<xf [^>]*quotePrefix", part(path, "xl/styles.xml"))
    assert quoted is not None


def test_the_same_cells_give_the_same_workbook(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.xlsx"
        write_workbook(path, [layer_sheet(layer(), awkward(), "zh", ZONE)])
        made.append(path.read_bytes())
    assert made[0] == made[1]


def test_kpis_are_percentages_or_hours(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "kpi": ["in_time_rate", "median_hours"],
            "by": ["area / category", None],
            "value": [0.375, 6.25],
            "change": [-0.05, 1.0],
        }
    )
    catalog = load_catalog()
    write_workbook(tmp_path / "a.xlsx", [kpi_sheet(table, catalog, "zh")])
    head, rate, hours = sheets(tmp_path / "a.xlsx")["考核指标"]
    assert head == ["指标", "分组", "值", "环比"]
    assert rate == ["按期结案率", "区域 / 类别", 0.375, -0.05]
    assert hours == ["结案时长中位数", "", 6.25, 1.0]
    forms = part(tmp_path / "a.xlsx", "xl/styles.xml")
    for form in ("0.0%", "+0.0%;-0.0%;0.0%", "#,##0.0&quot; 小时&quot;"):
        assert f'formatCode="{form}"' in forms
    said = kpi_words(table, catalog, "zh")
    assert said["value"].to_list() == ["37.5%", "6.3 小时"]
    assert said["change"].to_list() == ["-5.0%", "+1.0 小时"]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_shows_a_workbook_as_it_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    frame = awkward().assign(off=np.linspace(-20, 20, 25))
    write_workbook(path, [layer_sheet(percents(), frame, "zh", ZONE)])
    done = subprocess.run(
        ["soffice", f"-env:UserInstallation={(tmp_path / 'home').as_uri()}", "--headless",
         "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true",
         "--outdir", tmp_path, path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shown = pd.read_csv(tmp_path / "a.csv", dtype=str, keep_default_na=False)
    fields = percents().fields
    assert shown["数值 (小时)"].to_list() == words(frame["value"], fields["value"], "zh")
    assert shown["数量"].to_list() == words(frame["number"], fields["number"], "zh")
    times = words(frame["seen"], fields["seen"], "zh", zone=ZONE)
    assert shown["时间 (Asia/Shanghai)"].to_list() == times
    assert shown["开放"].to_list()[:3] == ["是", "否", ""]
    assert shown["偏差 (%)"].to_list()[0] == "-20%"
