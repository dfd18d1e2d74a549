"""No phone, number of a card, formula or control character leaves, by whatever command."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sqlite3
import zipfile
import zlib
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import pyogrio
import pytest
from any_city import CATALOG, AnyCity, settled
from any_commands import FORMATS, run

from gridmap.leaving import runs_as_formula
from gridmap.outputs.maps import _layers

PHONE, CARD = "13712345678", "330499199003071236"
MARK = f" {PHONE} {CARD}\x1b[31m\x07\x9b\u202e\u2066\u2028"
NUMBERS = re.compile(f"{PHONE}|{CARD}|1[.]3712345678")
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
TEXTS = (".html", ".json", ".csv", ".geojson", ".geojsonl", ".kml", ".qml", ".sld", ".qgs", ".dxf",
         ".xml", ".rels")  # fmt: skip
# What the settings of the tiny city name: of these only the last row is marked.
NAMED = {"litter", "parking", "hotline", "patrol", "primary", "secondary", "residential", "river",
         "property", "market", "spring"}  # fmt: skip
# Of rules, which no city has in words of its own.
RULES = {"calendar_days", "declared", "limits", "events"}


def marked(value: object, *, leads: bool) -> object:
    return f"{'=1+1 ' if leads else ''}{value}{MARK}" if isinstance(value, str) and value else value


def marked_city() -> AnyCity:
    """Return the tiny city with marks in every text that a layer has."""
    city = settled().unset("design", "counts").unset("analysis", "interpolate")
    for name, given in city.frames.items():
        layer, frame = CATALOG.layer(name), given.copy()
        for field, known in layer.inputs.items():
            if known.type != "string" or field not in frame or name in RULES:
                continue
            made = [marked(value, leads=not known.code) for value in frame[field]]
            if NAMED & {*frame[field]}:
                made[: max(1, len(made) - 1)] = frame[field][: max(1, len(made) - 1)]
            frame[field] = pd.Series(made, index=frame.index, dtype=object)
        city = city.given(name, frame)
    events = city.frames["events"]
    city = city.filled("events", case=[f"{each}{MARK}" for each in events["case"]],
                       by=[f"=1+1 {each}{MARK}" for each in events["by"]])  # fmt: skip
    problems = city.frames["problems"]
    bad = problems.head(3).assign(code=["x", "y", "z"], opened="yesterday")
    both = pd.concat([problems, bad], ignore_index=True)
    city = city.given("problems", both.assign(mobile=int(PHONE), note=f"=1+1{MARK}"))
    titles = {"title": {"en": f"Tiny {PHONE}", "zh": f"小城 {PHONE}"},
              "source": {"en": f"Made up {CARD}", "zh": f"虚构 {CARD}"}}  # fmt: skip
    return AnyCity(city.frames, city.settings, titles, city.as_of)


def city_layers() -> list[str]:
    return [layer.name for layer in CATALOG.in_order if layer.role == "input"]


def texts_of(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    """Yield what a file holds as texts, each with where it stands."""
    suffix = Path(name).suffix
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for each in archive.namelist():
                yield from texts_of(f"{name}/{each}", archive.read(each))
    elif suffix in TEXTS:
        text = data.decode("utf-8-sig")
        yield name, text
        if suffix == ".html":
            yield from _packed(name, text)
    else:
        yield f"{name} (raw)", data.decode("utf-8", errors="ignore")


def _packed(name: str, page: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"[A-Za-z0-9+/]{40,}={0,2}", page):
        with_end = found[0] + "=" * (-len(found[0]) % 4)
        for unpack in (zlib.decompress, gzip.decompress, lambda held: zlib.decompress(held, -15)):
            try:
                text = unpack(b64decode(with_end)).decode("utf-8", errors="ignore")
            except (ValueError, zlib.error, gzip.BadGzipFile, EOFError):
                continue
            yield f"{name} (packed)", text


def rows_of(path: Path) -> Iterator[str]:
    """Yield the texts of the cells of a database or layer."""
    if path.suffix in (".sqlite", ".gpkg"):
        with closing(sqlite3.connect(path)) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
            for (name,) in names.fetchall():
                try:
                    rows = connection.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608
                except sqlite3.OperationalError:  # an index that needs an extension to be read
                    continue
                yield from (cell for row in rows for cell in row if isinstance(cell, str))
    elif path.suffix in (".fgb", ".pmtiles"):
        frame = pyogrio.read_dataframe(path, read_geometry=False)
        yield from (str(cell) for cell in frame.to_numpy().ravel())
    elif path.suffix == ".parquet":
        yield from (str(cell) for cell in pd.read_parquet(path).to_numpy().ravel())


def wrong_texts(place: Path, *, numbers: bool = True) -> list[str]:
    """Return where files hold what may not leave."""
    wrong = []
    for path in sorted(path for path in place.rglob("*") if path.is_file()):
        name = str(path.relative_to(place))
        parts = [*texts_of(name, path.read_bytes()), *((name, text) for text in rows_of(path))]
        for where, text in parts:
            binary = where.endswith(("(raw)", "(packed)"))
            if numbers and (found := NUMBERS.search(text)):
                wrong.append(f"{where}: {text[max(0, found.start() - 40) : found.end() + 9]!r}")
            if not binary and (found := CONTROLS.search(text)):
                wrong.append(f"{where}: {text[max(0, found.start() - 40) : found.end() + 9]!r}")
            if where.endswith(".csv"):
                cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
                wrong += [f"{where}: {cell!r}" for cell in cells if runs_as_formula(cell)]
            if "/xl/worksheets/" in where and "<f>" in text:
                wrong.append(f"{where}: a formula")
    return wrong


def _commands(city: Path, out: Path) -> Iterator[list[str | Path]]:
    plan = out / "plan" / "tiny.gpkg"
    layers = (*city_layers(), "responsibilities", "deadlines", "kpi_cases")
    asked = [part for name in layers for part in ("--layer", name)]
    formats = [part for name in FORMATS for part in ("--format", name)]
    yield ["run", city, "--out", out / "run", "--store", out / "store.sqlite"]
    yield ["export", city, "--out", out / "export", *formats, *asked]
    yield ["check", city, "--out", out / "check"]
    for name in ("kpis", "overdue", "recurrence", "dead-corners", "fairness"):
        yield [name, city, "--csv", out / name]
    for name in ("kpis", "overdue"):
        yield [name, city, "--json"]
    for more in ([], ["--json"]):
        yield ["who", city, "120.901,30.701", *more]
    yield ["bulletin", city, "--period", "month", "--out", out / "bulletin"]
    yield ["design", city, "--out", out / "plan", "--workers", "1"]
    yield ["plan", "show", plan, "--json"]
    yield ["resize", city, "--plan", plan, "--out", out / "resized", "--workers", "1"]
    yield ["fairness", city, "--plan", plan, "--out", out / "after"]
    yield ["import-edits", plan, "--into", plan, "--yes"]
    areas = city / "microgrids.geojson"
    yield ["check", areas, "--fix", "--out", out / "mended", "--crs", "EPSG:4326"]
    yield ["map", "nowhere\x1b[31m", city, "--out", out]
    yield ["export", city, "--layer", "grids", "--area", f"nowhere {PHONE}", "--out", out]


@pytest.fixture(autouse=True)
def _packed_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAP_LANG", "en")
    monkeypatch.setattr(_layers, "PLAIN_FEATURES", 9)  # so that some are packed


def test_nothing_leaves(tmp_path: Path) -> None:
    city, out = marked_city().write(tmp_path / "city"), tmp_path / "out"
    wrong, codes = [], []
    for command in _commands(city, out):
        told = run(command)
        codes.append((told.code, command[:2]))
        assert not told.fault, (command, told.fault)
        said = told.out + told.err
        wrong += [f"{command[:2]} says {line!r}" for line in said.splitlines()
                  if NUMBERS.search(line) or CONTROLS.search(line)]  # fmt: skip
        for line in told.out.splitlines() if "--json" in command else ():
            assert not CONTROLS.search(json.dumps(line, ensure_ascii=False))
    assert wrong + wrong_texts(out) == []
    assert (out / "run" / "quarantine").is_dir()
    failed = [name for code, name in codes if code]
    # A plan whose codes hold a phone does not find them again in the city.
    assert {str(name[0]) for name in failed} <= {"check", "map", "export", "fairness"}, failed
    held = {path.suffix for path in out.rglob("*")}
    assert {".gpkg", ".fgb", ".parquet", ".kml", ".kmz", ".dxf", ".qgz", ".xlsx", ".csv"} <= held


def test_what_is_asked_for_in_full_leaves_in_full_without_controls(tmp_path: Path) -> None:
    city, out = marked_city().write(tmp_path / "city"), tmp_path / "out"
    told = run(["run", city, "--out", out, "--store", out.parent / "s.sqlite", "--unmask"])
    assert "The store holds phone numbers" in told.err
    assert not CONTROLS.search(told.out + told.err)
    assert wrong_texts(out, numbers=False) == []
    for part in ("layers/tiny.gpkg", "maps/responsibility.html", "quarantine", "../s.sqlite"):
        place = out / part
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        assert any(NUMBERS.search(text) for file in files
                   for _, text in texts_of(file.name, file.read_bytes())), part  # fmt: skip
    said = run(["who", city, "120.901,30.701", "--json", "--unmask"]).out
    assert PHONE in said


@pytest.mark.postgis
def test_nothing_leaves_to_a_database_of_many_users(tmp_path: Path, postgres_database: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    city = marked_city().write(tmp_path / "city")
    held = []
    for asked in ([], ["--unmask"]):
        run(["run", city, "--out", tmp_path / "out", "--store", postgres_database, *asked])
        with psycopg.connect(postgres_database) as connection:
            named = connection.execute(
                "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name)"
                " FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
                " AND table_schema NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            rows = [
                row for (name,) in named
                for (row,) in connection.execute(f"SELECT row_to_json(t)::text FROM {name} t")  # noqa: S608
            ]  # fmt: skip
        held.append(rows)
    assert len(held[0]) == len(held[1]) > 50
    assert [row for row in held[0] if NUMBERS.search(row)] == []
    assert any(NUMBERS.search(row) for row in held[1])
    cells = [str(cell) for rows in held for row in rows for cell in json.loads(row).values()
             if isinstance(cell, str)]  # fmt: skip
    assert [cell for cell in cells if CONTROLS.search(cell)] == []
