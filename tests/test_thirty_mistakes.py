"""What a clerk of a grid centre does wrong, and the one line that each mistake ends in.

The lines stand here in full, in both languages, so that a reader can judge whether they say what is
wrong, where, and what to do. Each mistake is made for real, on a small town, through the command.
"""

# ruff: noqa: E501 - a line stands in the table as it is told, in one piece

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from any_city import whole
from test_cli import gridmap
from written_town import ROW, write_town

from gridmap.catalog import load_catalog

OLE = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 504


def locked_zip() -> bytes:
    """Return a zip whose one member says of itself that it is encrypted."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("cases.csv", HEADING)
    data = bytearray(held.getvalue())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    return bytes(data)


HEADING = "id,kind,from,due,to,lon,lat\n"
# Lists that grow with the catalogue stand in the lines by these names.
MAPS = ", ".join(sorted(load_catalog().maps))


@dataclass(frozen=True)
class Mistake:
    """What is typed, what was changed in the town before, and what is said.

    Parameters
    ----------
    typed : str
        ``TOWN`` is the folder of the town.
    en, zh : str
        Without the name of the command, which begins every line.
    city : tuple of (str, str)
        Texts of the city file, and what stands there instead.
    files : mapping of str to bytes or None
        Files beside it, and what they hold; None where one is lost.
    code : int
    """

    typed: str
    en: str
    zh: str
    city: tuple[tuple[str, str], ...] = ()
    files: dict[str, bytes | None] = field(default_factory=dict)
    code: int = 1


def cases(name: str, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the change of a city file that names another file of cases."""
    return (("cases.csv", name), *more)


MISTAKES = {
    "a command that is mistyped": Mistake(
        "rum TOWN",
        "there is no command 'gridmap rum'; did you mean 'gridmap run'?",
        "没有命令“gridmap rum”；是否为“gridmap run”？",
        code=2,
    ),
    "an option that is mistyped": Mistake(
        "check TOWN --outt x",
        "gridmap check has no option '--outt'; did you mean '--out'?",
        "gridmap check 没有选项“--outt”；是否为“--out”？",
        code=2,
    ),
    "no city named": Mistake(
        "run",
        "gridmap run needs CITY; add it, see gridmap run --help",
        "gridmap run 缺少 CITY；请补充，用法见 gridmap run --help",
        code=2,
    ),
    "a city file that is not there": Mistake(
        "run TOWN/cty.toml",
        "TOWN/cty.toml: no such file; check the path, or write one as the README shows",
        "TOWN/cty.toml：文件不存在；请检查路径，或按 README 新建",
    ),
    "a folder without a city file": Mistake(
        "run TOWN/..",
        "TOWN/../city.toml: no such file; check the path, or write one as the README shows",
        "TOWN/../city.toml：文件不存在；请检查路径，或按 README 新建",
    ),
    "a map that is mistyped": Mistake(
        "map heatmp TOWN",
        f"there is no map 'heatmp'; did you mean 'heatmap'? There are: {MAPS}",
        f"没有名为“heatmp”的地图；是否为“heatmap”？现有：{MAPS}",
    ),
    "a layer named by its Chinese title": Mistake(
        "layers 网格",
        "there is no layer '网格'; did you mean 'grids'? gridmap layers lists all",
        "没有名为“网格”的图层；是否为“grids”？全部图层可用 gridmap layers 查看",
    ),
    "a layer that is mistyped in an export": Mistake(
        "export TOWN --layer grid --out TOWN/out",
        "there is no layer 'grid'; did you mean 'grids'? gridmap layers lists all",
        "没有名为“grid”的图层；是否为“grids”？全部图层可用 gridmap layers 查看",
    ),
    "a format that there is not": Mistake(
        "export TOWN --format shape --out TOWN/out",
        "No format 'shape'; there are: gpkg, qgz, geojson, geojsonl, fgb, parquet, pmtiles, kml, kmz, dxf, shp, csv, xlsx, qml, sld, maplibre",
        "没有格式“shape”；现有：gpkg, qgz, geojson, geojsonl, fgb, parquet, pmtiles, kml, kmz, dxf, shp, csv, xlsx, qml, sld, maplibre",
    ),
    "a period in Chinese": Mistake(
        "bulletin TOWN --period 月 --out TOWN/out",
        "'月' is no period; write one of day, week, month, year",
        "“月”不是统计周期；请用 day, week, month, year 之一",
    ),
    "a day that is none": Mistake(
        "bulletin TOWN --period month --on 2025年3月 --out TOWN/out",
        "'2025年3月' is no date; write one such as 2026-01-31",
        "“2025年3月”不是日期；请写 2026-01-31 等",
    ),
    "latitude before longitude": Mistake(
        "who TOWN 30.705,120.905",
        "'30.705,120.905': no latitude is 120.905; the longitude comes first: 120.905,30.705",
        "“30.705,120.905”：纬度不可能是 120.905；经度在前，请写 120.905,30.705",
    ),
    "a time in words": Mistake(
        "who TOWN 120.905,30.705 --at 2025年3月1日",
        "'2025年3月1日' is no time; write one such as 2026-01-31T14:00, or now",
        "“2025年3月1日”不是时间；请写 2026-01-31T14:00 等，或 now",
    ),
    "a column of the cases to group by": Mistake(
        "kpis TOWN --by 部门",
        "The cases have no column '部门' to group by; they have: area, category, grid, state, urgency",
        "案件表没有可分组的列“部门”；现有：area, category, grid, state, urgency",
    ),
    "results into a file": Mistake(
        "check TOWN --out TOWN/cases.csv",
        "TOWN/cases.csv: cannot be written: a file of that name is there; choose another folder with --out",
        "TOWN/cases.csv：无法写入：已有同名文件；请用 --out 另选文件夹",
    ),
    "a number in words": Mistake(
        "design TOWN --target 五十 --out TOWN/out",
        "--target: '五十' is no number; write one such as 60 or 0.5",
        "--target：“五十”不是数值；请写 60 或 0.5 等",
        code=2,
    ),
    "a plan that is not there": Mistake(
        "plan show TOWN/plan.gpkg",
        "TOWN/plan.gpkg: no such file; correct the name (in the city file: 'path')",
        "TOWN/plan.gpkg：文件不存在；请更正文件名（城市文件中为 path）",
    ),
    "a city in place of a plan": Mistake(
        "plan show TOWN/city.toml",
        "TOWN/city.toml: is no GeoPackage of a plan; give the .gpkg that gridmap design wrote",
        "TOWN/city.toml：不是方案 GeoPackage；请给出 gridmap design 写出的 .gpkg 文件",
    ),
    "full-width quotation marks": Mistake(
        "check TOWN",
        'town/city.toml: not valid TOML: a full-width “; type it in half width: " (line 14, column 8); mend that line',
        'town/city.toml：不是有效的 TOML：第 14 行第 8 列：有全角符号 “；请改为半角 "；请修改该行',
        city=(('"cases.csv"', "“cases.csv”"),),
    ),
    "a full-width comma": Mistake(
        "check TOWN",
        "town/city.toml: not valid TOML: a full-width ，; type it in half width: , (line 18, column 24); mend that line",
        "town/city.toml：不是有效的 TOML：第 18 行第 24 列：有全角符号 ，；请改为半角 ,；请修改该行",
        city=(('"id", category', '"id"，category'),),
    ),
    "a path with backslashes": Mistake(
        "check TOWN",
        "town/city.toml: not valid TOML: a backslash in double quotes; write two of them, or single quotes (line 14, column 13); mend that line",
        "town/city.toml：不是有效的 TOML：第 14 行第 13 列：双引号中有反斜杠；请写两个反斜杠，或改用单引号；请修改该行",
        city=cases("C:\\data\\cases.csv"),
    ),
    "a key that is mistyped": Mistake(
        "check TOWN",
        "city.toml: inputs 2 (cases.csv).csr: no such key; did you mean 'crs'?",
        "city.toml：inputs 2 (cases.csv).csr：没有该键；是否为“crs”？",
        city=(('crs = "EPSG', 'csr = "EPSG'),),
    ),
    "a field that is mistyped": Mistake(
        "check TOWN",
        "city.toml: inputs 2 (cases.csv).columns: layer 'problems' has no field 'openend'; did you mean 'opened'? It has: code, category, source, opened, due, closed, address, recorded_area, duplicate_of, department, post, person, neighbourhood, treatment, campaign, level, entered, visited",
        "city.toml：inputs 2 (cases.csv).columns：图层“problems”没有字段“openend”；是否为“opened”？现有：code, category, source, opened, due, closed, address, recorded_area, duplicate_of, department, post, person, neighbourhood, treatment, campaign, level, entered, visited",
        city=(("opened =", "openend ="),),
    ),
    "a layer that is mistyped": Mistake(
        "check TOWN",
        "city.toml: inputs 2 (cases.csv).layer: there is no layer 'problem'; did you mean 'problems'? gridmap layers lists all",
        "city.toml：inputs 2 (cases.csv).layer：没有名为“problem”的图层；是否为“problems”？全部图层可用 gridmap layers 查看",
        city=(('layer = "problems"', 'layer = "problem"'),),
    ),
    "a name in Chinese": Mistake(
        "check TOWN",
        "city.toml: name: must be of small Latin letters, digits and _, a letter first, such as qinghe (found '青禾')",
        "city.toml：name：只能用小写字母、数字和 _，并以字母开头，如 qinghe（现为 '青禾'）",
        city=(('name = "town"', 'name = "青禾"'),),
    ),
    "a time zone in Chinese": Mistake(
        "check TOWN",
        "city.toml: timezone: '北京' is no time zone; write one such as 'Asia/Shanghai'",
        "city.toml：timezone：“北京”不是时区；请写 'Asia/Shanghai' 等",
        city=(("Asia/Shanghai", "北京"),),
    ),
    "a form of time without signs": Mistake(
        "check TOWN",
        "city.toml: inputs 2 (cases.csv).columns.opened.format: tells no form of time (found 'YYYY-MM-DD'); write it as \"%Y-%m-%d %H:%M\"",
        "city.toml：inputs 2 (cases.csv).columns.opened.format：不是时间格式（现为 'YYYY-MM-DD'）；请写 \"%Y-%m-%d %H:%M\" 等",
        city=(('opened = "from"', 'opened = { column = "from", format = "YYYY-MM-DD" }'),),
    ),
    "a level in Chinese": Mistake(
        "check TOWN",
        "grids.geojson: not one row can be used as 'grids'; the commonest reason: level is none of the known values (such as '网格'); correct these values, or 'columns' and 'constants' in the city file; gridmap layers grids tells what is asked",
        "grids.geojson：没有一行可用作“grids”；最常见的原因：level 不在已知取值之内（如“网格”）；请更正这些取值，或修改城市文件中的 columns 和 constants；要求见 gridmap layers grids",
        city=(('level = "grid"', 'level = "网格"'),),
    ),
    "a path that leads nowhere": Mistake(
        "check TOWN",
        "TOWN/case.csv: no such file; correct the name (in the city file: 'path')",
        "TOWN/case.csv：文件不存在；请更正文件名（城市文件中为 path）",
        city=cases("case.csv"),
    ),
    "an address in place of a file": Mistake(
        "check TOWN",
        "https://example.com/cases.csv: is an address, and nothing is read from a network; download the file and give its name",
        "https://example.com/cases.csv：是网址，程序不从网络读取；请先下载，再填写文件名",
        city=cases("https://example.com/cases.csv"),
    ),
    "a folder in place of a file": Mistake(
        "check TOWN",
        "TOWN: is a folder, pipe or device, not a file; name a file of data",
        "TOWN：是文件夹、管道或设备，而不是文件；请指定数据文件",
        city=cases("."),
    ),
    "a column that is mistyped": Mistake(
        "check TOWN",
        "cases.csv: no column 'form'; did you mean 'from'? Correct 'columns' in the city file",
        "cases.csv：没有列“form”；是否为“from”？请修改城市文件中的 columns",
        city=(('opened = "from"', 'opened = "form"'),),
    ),
    "a coordinate system that there is not": Mistake(
        "check TOWN",
        "cases.csv: crs = 'EPSG:43260' is no coordinate system; write one such as \"EPSG:4490\", or one of GCJ-02, BD-09",
        "cases.csv：crs = 'EPSG:43260' 不是坐标系；请写 \"EPSG:4490\" 等，或 GCJ-02, BD-09 之一",
        city=(("EPSG:4326", "EPSG:43260"),),
    ),
    "the wrong coordinate system": Mistake(
        "check TOWN",
        "cases.csv: no 'problems' lies near the city's grids; check 'crs', and that x is the longitude",
        "cases.csv：没有“problems”位于城市网格附近；请检查 crs，并确认 x 是经度",
        city=(("EPSG:4326", "EPSG:4549"),),
    ),
    "no coordinate system": Mistake(
        "check TOWN",
        'cases.csv: does not say its coordinate system; write crs = "EPSG:..." for this input',
        'cases.csv：没有坐标系信息；请为该输入写 crs = "EPSG:..."',
        city=(('crs = "EPSG:4326"\n', ""),),
    ),
    "coordinates exchanged": Mistake(
        "check TOWN",
        "cases.csv: coordinates such as 30.705, 120.905 cannot be degrees of EPSG:4326; correct 'crs' of this input, or exchange x and y",
        "cases.csv：坐标 30.705, 120.905 不可能是 EPSG:4326 的经纬度；请修改该输入的 crs，或对调 x 与 y",
        city=(('x = "lon"\ny = "lat"', 'x = "lat"\ny = "lon"'),),
    ),
    "no columns of coordinates": Mistake(
        "check TOWN",
        "cases.csv: has no geometry for layer 'problems'; name its coordinate columns with x and y",
        "cases.csv：没有图层“problems”所需的几何；请用 x 和 y 指明坐标列",
        city=(('x = "lon"\ny = "lat"\n', ""),),
    ),
    "a Shapefile without its index": Mistake(
        "check TOWN",
        "TOWN/grids.shp: the file grids.shx is missing beside it; copy all parts of the Shapefile (.shp, .shx, .dbf, .prj) into one folder, or export it as GeoPackage",
        "TOWN/grids.shp：旁边缺少文件 grids.shx；请把 Shapefile 的全部文件（.shp、.shx、.dbf、.prj）复制到同一文件夹，或导出为 GeoPackage",
        city=(("grids.geojson", "grids.shp"),),
        files={"grids.shx": None},
    ),
    "a Shapefile without its table": Mistake(
        "check TOWN",
        "TOWN/grids.shp: the file grids.dbf is missing beside it; copy all parts of the Shapefile (.shp, .shx, .dbf, .prj) into one folder, or export it as GeoPackage",
        "TOWN/grids.shp：旁边缺少文件 grids.dbf；请把 Shapefile 的全部文件（.shp、.shx、.dbf、.prj）复制到同一文件夹，或导出为 GeoPackage",
        city=(("grids.geojson", "grids.shp"),),
        files={"grids.dbf": None},
    ),
    "a Shapefile without its system": Mistake(
        "check TOWN",
        'grids.shp: does not say its coordinate system; write crs = "EPSG:..." for this input',
        'grids.shp：没有坐标系信息；请为该输入写 crs = "EPSG:..."',
        city=(("grids.geojson", "grids.shp"),),
        files={"grids.prj": None},
    ),
    "a sheet that is not there": Mistake(
        "check TOWN",
        "TOWN/two.xlsx: holds no '問題'; it holds: 问题, 说明; correct 'sublayer'",
        "TOWN/two.xlsx：其中没有“問題”；现有：问题, 说明；请修改 sublayer",
        city=cases("two.xlsx", ("crs =", 'sublayer = "問題"\ncrs =')),
    ),
    "a workbook of two sheets": Mistake(
        "check TOWN",
        "TOWN/two.xlsx: say which part with 'sublayer'; it holds: 问题, 说明",
        "TOWN/two.xlsx：请用 sublayer 指明读取哪一部分；其中有：问题, 说明",
        city=cases("two.xlsx"),
    ),
    "the mark of an open workbook": Mistake(
        "check TOWN",
        "TOWN/~$cases.xlsx: is the mark that Excel leaves while a workbook is open, not the workbook; write cases.xlsx instead",
        "TOWN/~$cases.xlsx：是 Excel 打开工作簿时的临时锁定文件，不是工作簿；请改填 cases.xlsx",
        city=cases("~$cases.xlsx"),
        files={"~$cases.xlsx": b"\x05admin" + b" " * 159},
    ),
    "a workbook with a password": Mistake(
        "check TOWN",
        "TOWN/cases.xlsx: is protected by a password; take the password off, or save a copy without one",
        "TOWN/cases.xlsx：受密码保护；请取消密码，或另存一份不带密码的副本",
        city=cases("cases.xlsx"),
        files={"cases.xlsx": OLE + "EncryptedPackage".encode("utf-16-le") + b"\0" * 2000},
    ),
    "a zip with a password": Mistake(
        "check TOWN",
        "TOWN/cases.zip: is protected by a password; take the password off, or save a copy without one",
        "TOWN/cases.zip：受密码保护；请取消密码，或另存一份不带密码的副本",
        city=cases("cases.zip"),
        files={"cases.zip": locked_zip()},
    ),
    "an old workbook under a new name": Mistake(
        "check TOWN",
        "TOWN/cases.xlsx: is a workbook of the old form (.xls) under another name; rename it to end in .xls, or save it in Excel as .xlsx",
        "TOWN/cases.xlsx：是改了扩展名的旧版工作簿（.xls）；请将扩展名改为 .xls，或在 Excel 中另存为 .xlsx",
        city=cases("cases.xlsx"),
        files={"cases.xlsx": OLE + "Workbook".encode("utf-16-le") + b"\0" * 2000},
    ),
    "a web page under the name of a workbook": Mistake(
        "check TOWN",
        "TOWN/cases.xls: is a web page under the name of a workbook, as some systems export it; open it in Excel and save it as .xlsx",
        "TOWN/cases.xls：是以工作簿命名的网页，部分系统如此导出；请在 Excel 中打开后另存为 .xlsx",
        city=cases("cases.xls"),
        files={"cases.xls": b"<html><table><tr><td>id</td></tr></table></html>"},
    ),
    "a workbook of another office": Mistake(
        "check TOWN",
        "TOWN/cases.et: no files that end in '.et' are read; export it as .xlsx, .csv, .gpkg, .geojson or .shp (all forms: docs/inputs.md)",
        "TOWN/cases.et：不能读取以“.et”结尾的文件；请导出为 .xlsx、.csv、.gpkg、.geojson 或 .shp（全部格式见 docs/inputs.md）",
        city=cases("cases.et"),
        files={"cases.et": OLE},
    ),
    "an archive of another kind": Mistake(
        "check TOWN",
        "TOWN/cases.rar: is an archive that is not opened (RAR, 7z or the like); unpack it and name the file inside, or pack it as .zip",
        "TOWN/cases.rar：是无法打开的压缩包（RAR、7z 等）；请解压后填写其中的文件，或改用 .zip 压缩",
        city=cases("cases.rar"),
        files={"cases.rar": b"Rar!\x1a\x07\x00" + b"\0" * 99},
    ),
    "an archive of another kind under the name of a zip": Mistake(
        "check TOWN",
        "TOWN/cases.zip: is an archive that is not opened (RAR, 7z or the like); unpack it and name the file inside, or pack it as .zip",
        "TOWN/cases.zip：是无法打开的压缩包（RAR、7z 等）；请解压后填写其中的文件，或改用 .zip 压缩",
        city=cases("cases.zip"),
        files={"cases.zip": b"Rar!\x1a\x07\x00" + b"\0" * 99},
    ),
    "an empty file": Mistake(
        "check TOWN",
        "TOWN/cases.csv: holds no rows; take this input out of the city file, or give a file with data",
        "TOWN/cases.csv：没有数据行；请从城市文件中去掉该输入，或换成有数据的文件",
        files={"cases.csv": b""},
    ),
    "a heading alone": Mistake(
        "check TOWN",
        "TOWN/cases.csv: holds no rows; take this input out of the city file, or give a file with data",
        "TOWN/cases.csv：没有数据行；请从城市文件中去掉该输入，或换成有数据的文件",
        files={"cases.csv": HEADING.encode()},
    ),
    "rows without a heading": Mistake(
        "check TOWN",
        "TOWN/cases.csv: its only line is taken for the heading (a-1, litter), so there are no rows; write the names of the columns above the data",
        "TOWN/cases.csv：唯一的一行被当作表头（a-1, litter），因此没有数据行；请在数据上方补写列名",
        files={"cases.csv": b"a-1,litter\n"},
    ),
    "times in words": Mistake(
        "check TOWN",
        "cases.csv: not one row can be used as 'problems'; the commonest reason: opened is no time (such as '三月一日'); correct these values, or 'columns' and 'constants' in the city file; gridmap layers problems tells what is asked",
        "cases.csv：没有一行可用作“problems”；最常见的原因：opened 无法识别为时间（如“三月一日”）；请更正这些取值，或修改城市文件中的 columns 和 constants；要求见 gridmap layers problems",
        files={"cases.csv": f"{HEADING}1,a,三月一日,,,120.905,30.705\n".encode()},
    ),
    "another form of time than said": Mistake(
        "check TOWN",
        "cases.csv: not one row can be used as 'problems'; the commonest reason: opened is no time (such as '2025-03-01 08:00'); correct these values, or 'columns' and 'constants' in the city file; gridmap layers problems tells what is asked",
        "cases.csv：没有一行可用作“problems”；最常见的原因：opened 无法识别为时间（如“2025-03-01 08:00”）；请更正这些取值，或修改城市文件中的 columns 和 constants；要求见 gridmap layers problems",
        city=(('opened = "from"', 'opened = { column = "from", format = "%d/%m/%Y" }'),),
    ),
    "an encoding that there is not": Mistake(
        "check TOWN",
        'TOWN/cases.csv: no such encoding as \'gbk2\'; write one such as "utf-8" or "gb18030"',
        'TOWN/cases.csv：没有名为“gbk2”的编码；请写 "utf-8" 或 "gb18030" 等',
        city=(("crs =", 'encoding = "gbk2"\ncrs ='),),
    ),
    "the wrong encoding": Mistake(
        "check TOWN",
        'TOWN/cases.csv: not utf-8 at byte 30; it reads as gb18030: write encoding = "gb18030" for this input',
        'TOWN/cases.csv：第 30 字节起不是 utf-8；看来是 gb18030：请为该输入写 encoding = "gb18030"',
        city=(("crs =", 'encoding = "utf-8"\ncrs ='),),
        files={"cases.csv": f"{HEADING}1,垃圾,2025-03-01,,,120.905,30.705\n".encode("gb18030")},
    ),
}
OF_A_PLAN = {
    "a micro-grid that there is not": Mistake(
        "plan split TOWN/tiny.gpkg g9001 --into 2 --yes",
        "The plan has no micro-grid 'g9001'; the nearest codes are: g3001, g2001, g1001",
        "方案中没有微网格“g9001”；相近的编码：g3001, g2001, g1001",
    ),
    "a building that there is not": Mistake(
        "plan move TOWN/tiny.gpkg B999 --to g0001 --yes",
        "The plan has no building or unit 'B999'; the nearest codes are: b9, b8, b7",
        "方案中没有楼栋或单元“B999”；相近的编码：b9, b8, b7",
    ),
    "a grid that there is not": Mistake(
        "plan recut TOWN/tiny.gpkg 网格一 --count 2 --yes",
        "The plan has no grid '网格一'; the nearest codes are: g3, g2, g1",
        "方案中没有网格“网格一”；相近的编码：g3, g2, g1",
    ),
}


def make(folder: Path, mistake: Mistake) -> None:
    """Write the town with its mistake."""
    write_town(folder, [ROW])
    text = (folder / "city.toml").read_text(encoding="utf-8")
    for right, wrong in mistake.city:
        assert right in text
        text = text.replace(right, wrong, 1)
    (folder / "city.toml").write_text(text, encoding="utf-8")
    if "grids.shp" in text:
        gpd.read_file(folder / "grids.geojson").to_file(folder / "grids.shp")
    if "two.xlsx" in text:
        with pd.ExcelWriter(folder / "two.xlsx", engine="xlsxwriter") as book:
            for sheet in ("问题", "说明"):
                pd.read_csv(folder / "cases.csv").to_excel(book, sheet_name=sheet, index=False)
    for name, held in mistake.files.items():
        if held is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(held)


def said(mistake: Mistake, lang: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Make the mistake and return all that the command says of it."""
    typed = [each.replace("TOWN", str(folder)) for each in mistake.typed.split()]
    assert gridmap(*typed, "--lang", lang) == mistake.code
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.replace(str(folder), "TOWN")


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_ends_in_one_line_that_can_be_acted_on(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mistake, town = MISTAKES[name], tmp_path / "town"
    town.mkdir()
    make(town, mistake)
    assert said(mistake, "en", town, capsys) == f"gridmap: {mistake.en}\n"
    assert said(mistake, "zh", town, capsys) == f"gridmap：{mistake.zh}\n"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan of a tiny city."""
    folder = tmp_path_factory.mktemp("planned")
    city = whole().only("grids", "buildings").write(folder / "city")
    assert gridmap("design", city, "--out", folder / "plan", "--workers", "1") == 0
    return folder / "plan"


@pytest.mark.parametrize("name", OF_A_PLAN)
def test_a_mistake_about_a_plan_ends_in_one_line_that_can_be_acted_on(
    name: str, plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    mistake = OF_A_PLAN[name]
    assert said(mistake, "en", plan, capsys) == f"gridmap: {mistake.en}\n"
    assert said(mistake, "zh", plan, capsys) == f"gridmap：{mistake.zh}\n"


def test_the_table_holds_what_it_promises() -> None:
    assert len(MISTAKES) + len(OF_A_PLAN) >= 30
