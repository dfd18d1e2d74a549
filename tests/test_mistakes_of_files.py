"""Every mistake of a city file is told, in the reader's language, with what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridmap.config import read_city_file
from gridmap.errors import ConfigError

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
    "no inputs": (HEAD, "inputs: is missing; add it", "inputs: 缺失；请补充"),
    "misspelt": (
        f"{HEAD}{INPUT}encodng = 'gb18030'\n",
        "inputs.0.encodng: no such key; did you mean 'encoding'?",
        "是否为“encoding”？",
    ),
    "unknown": (
        f"{HEAD}{INPUT}zzz = 1\n",
        "inputs.0.zzz: no such key; there are: columns, constants, crs, dissolve",
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
