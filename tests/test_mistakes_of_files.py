"""Every mistake of a city file is told, in the reader's language, with what would be right."""

from __future__ import annotations

import datetime as dt
import inspect
import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from gridmap import analysis, catalog, config, records, settings
from gridmap.analysis.workloads import _effort
from gridmap.catalog import load_catalog
from gridmap.config import CityFile, read_city_file
from gridmap.design import codes
from gridmap.errors import ConfigError, GridmapError
from gridmap.records import Problems, Record, problems_of, read_toml

HEAD = """name = "t"
title = { en = "T", zh = "试" }
source = { en = "Synthetic", zh = "合成" }
timezone = "Asia/Shanghai"
"""
INPUT = """
[[inputs]]
layer = "grids"
path = "grids.gpkg"
"""
# What is written, and what is said of it in each language.
SAID = {
    "no inputs": (HEAD, "inputs: is missing; add it", "inputs：缺失；请补充"),
    "misspelt": (
        f"{HEAD}{INPUT}encodng = 'gb18030'\n",
        "inputs 1 (grids.gpkg).encodng: no such key; did you mean 'encoding'?",
        "是否为“encoding”？",
    ),
    "unknown": (
        f"{HEAD}{INPUT}zzz = 1\n",
        "inputs 1 (grids.gpkg).zzz: no such key; there are: columns, constants, crs, dissolve",
        "没有该键；可用：columns",
    ),
    "format": (
        f"{HEAD}{INPUT}columns = {{ code = {{ column = 'id', format = '%Q' }} }}\n",
        "no time is written with %Q",
        "时间格式中没有 %Q",
    ),
    "number": (
        f"{HEAD}{INPUT}[analysis]\nalpha = 2\n",
        "analysis.alpha: must be below 1.0 (found 2)",
        "必须小于 1.0",
    ),
    "choice": (f"lang = 'fr'\n{HEAD}{INPUT}", "lang: must be one of", "必须是"),
    "type": (
        f"{HEAD}{INPUT}[analysis]\nh3_resolution = 'x'\n",
        "must be a whole number (found 'x')",
        "必须是整数",
    ),
    "zone": (
        HEAD.replace("Asia/Shanghai", "Mars") + INPUT,
        "'Mars' is no time zone",
        "“Mars”不是时区",
    ),
}


def mistake(folder: Path, text: str) -> ConfigError:
    (folder / "city.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        read_city_file(folder)
    return told.value


@pytest.mark.parametrize("name", SAID)
def test_a_mistake_is_told_in_both_languages(name: str, tmp_path: Path) -> None:
    text, english, chinese = SAID[name]
    error = mistake(tmp_path, text)
    assert english in error.text("en")
    assert chinese in error.text("zh")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    said = str(mistake(tmp_path, HEAD.replace("Asia/Shanghai", "Mars") + INPUT + "zzz = 1\n"))
    assert "Mars" in said
    assert "zzz" in said


def test_what_is_misnamed_is_told_with_the_mistakes_of_form(tmp_path: Path) -> None:
    more = "columns = { cod = 'id' }\nencodng = 'gb18030'\n"
    more += "[[inputs]]\nlayer = 'grid'\npath = 'x.csv'\n"
    steps = (
        "[[analysis.interpolate]]\nsource='census'\ntarget='grids'\nfield='n'\nonto='households'\n"
    )
    error = mistake(tmp_path, HEAD + INPUT + more + steps)
    said, chinese = error.text("en"), error.text("zh")
    assert "inputs 1 (grids.gpkg).encodng: no such key; did you mean 'encoding'?" in said
    assert "layer 'grids' has no field 'cod'; did you mean 'code'?" in said
    assert "inputs 2 (x.csv).layer: there is no layer 'grid'; did you mean 'grids'?" in said
    assert "analysis.interpolate 1.source: there is no [[inputs]] for the layer 'census'" in said
    assert "没有字段“cod”；是否为“code”？" in chinese
    assert "没有图层“census”的 [[inputs]]" in chinese


def test_where_the_file_lies_is_no_key_of_it(tmp_path: Path) -> None:
    assert "folder: no such key" in str(mistake(tmp_path, f"folder = '/tmp'\n{HEAD}{INPUT}"))
    (tmp_path / "city.toml").write_text(HEAD + INPUT, encoding="utf-8")
    assert read_city_file(tmp_path).folder == tmp_path


def of_module(module: Any) -> Iterator[type[BaseModel]]:
    for _, found in inspect.getmembers(module, inspect.isclass):
        if (
            issubclass(found, Record)
            and found is not Record
            and found.__module__ == module.__name__
        ):
            yield found


RECORDS = [
    record
    for module in (catalog, config, settings, codes, _effort)
    for record in of_module(module)
    if record not in (catalog.Catalog, settings.Finite)
]
# What a file may say in place of what is asked.
ODD = [
    "", "odd", -1, 0, 7, 10**30, -0.5, 2.5, math.nan, math.inf, True, [], ["odd"], [[]], [1],
    [1] * 9,
    {}, {"odd": "odd"}, {"odd": {}}, {"odd": -1}, {"odd": ["odd"]}, {"en": "odd"}, [{"odd": 1}],
    dt.date(2026, 1, 31), dt.datetime(2026, 1, 31), dt.time(8),
]  # fmt: skip
# Latin words of a Chinese line that are not of it: names of keys and values stand alone.
SENTENCE = re.compile(r"(?:\b[A-Za-z']{2,} ){3,}[A-Za-z']+")


def problems(record: type[BaseModel], given: object) -> Problems | None:
    try:
        record.model_validate(given)
    except ValidationError as error:
        return problems_of(error, record, given)
    return None


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_no_value_of_any_key_is_refused_in_words_of_the_library(record: type[BaseModel]) -> None:
    tried = 0
    for name in record.model_fields:
        for odd in ODD:
            found = problems(record, {name: odd})
            for _, key, params in found.found if found else ():
                tried += 1
                assert key != "other", (name, odd, params)
            # What was found is shown as it stands in the file, which may be English.
            said = re.sub(r"（现为 .*?）|“.*?”|“[^”]*”", "", found.text("zh")) if found else ""
            assert "Input" not in said
            assert not SENTENCE.search(said), said
    assert tried


@pytest.mark.parametrize("odd", ["odd", 5, [], None])
def test_a_file_that_holds_no_table_is_refused_in_words_of_ours(odd: object) -> None:
    found = problems(CityFile, odd)
    assert found is not None
    assert "键值表" in found.text("zh")


# A form that is wrong, and what is said of it in both languages.
FORMS = {
    "a = ": ("a value is missing", "缺少取值"),
    "a = b": ("texts stand in quotes", "文本须加引号"),
    "a": ("'=' is expected after the key", "键名之后应为“=”"),
    "= 1": ("neither a key nor a [table] begins here", "既不是键名也不是"),
    "a = 1 b = 2": ("one key a line", "每行一个键"),
    "[a": ("']' is missing", "缺少“]”"),
    "编号 = 1": ("neither a key nor a [table] begins here", "既不是键名"),
    "a = { 编号 = 1 }": ("in other than Latin letters", "含中文"),
    "a = [1, 2": ("a list is not closed", "列表没有结束"),
    "a = { b = 1": ("'}' is missing", "缺少“}”"),
    'a = "b': ("a quotation mark is missing", "缺少引号"),
    'a = "C:\\data"': ("write two of them, or single quotes", "请写两个反斜杠"),
    "a = 1\na = 2": ("for the second time", "重复定义"),
    "[a]\n[a]": ("for the second time", "重复定义"),
    "a = { b = 1, b = 2 }": ("for the second time", "重复定义"),
    "a = 2026-02-31": ("no such date", "日期或时间不存在"),
    "a = “b”": ('a full-width “; type it in half width: "', '有全角符号 “；请改为半角 "'),
    "a ＝ 1": ("a full-width ＝", "请改为半角 ="),
    "a = 1\x01": ("one key a line", "每行一个键"),
    "a = 'b\x01'": ("a character that cannot stand here", "此处不能有该字符"),
}


@pytest.mark.parametrize("text", FORMS)
def test_a_mistake_of_form_is_told_in_both_languages(text: str, tmp_path: Path) -> None:
    english, chinese = FORMS[text]
    error = mistake(tmp_path, text)
    assert english in error.text("en")
    assert chinese in error.text("zh")
    assert re.search(r"line \d+, column \d+|at the end", error.text("en"))
    assert re.search(r"第 \d+ 行第 \d+ 列|文件末尾", error.text("zh"))


def test_every_word_of_the_reader_of_toml_is_known() -> None:
    source = inspect.getsource(tomllib._parser)  # type: ignore[attr-defined]
    said = set(re.findall(r'suffixed_err\(\s*src,\s*[^,]+,\s*f?"([^"]+)', source))
    assert len(said) > 15
    known = (*records._SYNTAX, "Expected {expect!r}")
    assert [each for each in said if not each.startswith(known)] == []


def test_a_file_in_another_encoding_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_bytes("title = '青禾'".encode("gb18030"))
    with pytest.raises(ConfigError) as told:
        read_city_file(tmp_path)
    assert "save it as UTF-8" in told.value.text("en")
    assert "请另存为 UTF-8" in told.value.text("zh")


def test_what_cannot_be_read_is_told_in_both_languages(tmp_path: Path) -> None:
    for path, chinese in ((tmp_path / "a\0b", "不存在"), (Path("/dev/null/city.toml"), "文件夹")):
        with pytest.raises(GridmapError) as told:
            read_toml(path, ConfigError)
        assert chinese in told.value.text("zh")


CATALOGUES = {
    "layers": 'geometri = "Polygon"',
    "maps": 'need = ["grids"]',
}


@pytest.mark.parametrize("kind", CATALOGUES)
def test_a_mistake_of_a_catalogue_is_told_in_chinese(kind: str, tmp_path: Path) -> None:
    (tmp_path / kind).mkdir()
    (tmp_path / kind / "mine.toml").write_text(CATALOGUES[kind], encoding="utf-8")
    with pytest.raises(GridmapError) as told:
        load_catalog(tmp_path)
    assert "没有该键；是否为" in told.value.text("zh")
    assert "缺失；请补充" in told.value.text("zh")


def test_a_mistake_of_coefficients_or_profiles_is_told_in_chinese(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("speed_km = 4\n", encoding="utf-8")
    with pytest.raises(GridmapError) as told:
        analysis.load_effort(file)
    assert "speed_km：没有该键；是否为“speed_km_h”？" in told.value.text("zh")
    file.write_text("mine = 4\n", encoding="utf-8")
    with pytest.raises(GridmapError) as told:
        codes.load_profiles(file)
    assert "键值表" in told.value.text("zh")
