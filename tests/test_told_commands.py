"""What every command says of a small flawed town, in both languages, and the tables it writes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest
from any_commands import run
from flawed_city import flawed, flawed_bare
from python_calamine import CalamineWorkbook
from told import plain, tells

from gridmap._version import __version__

# Each with its name in ``tests/told``; CITY and BARE are the town with and without settings.
COMMANDS: dict[str, Sequence[str]] = {
    "check": ["check", "CITY", "--out", "OUT"],
    "check_json": ["check", "CITY", "--json"],
    "kpis": ["kpis", "CITY", "--csv", "OUT"],
    "kpis_bare": ["kpis", "BARE"],
    "kpis_json": ["kpis", "BARE", "--kpi", "closing_rate", "--kpi", "median_hours", "--by", "",
                  "--by", "source,category", "--period", "month", "--json"],
    "kpis_proof": ["kpis", "BARE", "--kpi", "in_time_rate", "--by", "department", "--proof", "1",
                   "--at", "2024-03-10T12:00", "--csv", "OUT"],
    "kpis_level": ["kpis", "BARE", "--kpi", "closing_rate", "--by", "area", "--level", "grid"],
    "kpis_no_column": ["kpis", "CITY", "--by", "colour"],
    "kpis_no_kpi": ["kpis", "CITY", "--kpi", "closing"],
    "kpis_no_row": ["kpis", "CITY", "--proof", "9999"],
    "kpis_no_period": ["kpis", "CITY", "--period", "moon"],
    "kpis_no_level": ["kpis", "CITY", "--level", "microgrid"],
    "overdue": ["overdue", "CITY", "--csv", "OUT"],
    "overdue_bare": ["overdue", "BARE"],
    "recurrence": ["recurrence", "CITY", "--by", "category", "--csv", "OUT"],
    "recurrence_json": ["recurrence", "BARE", "--json"],
    "fairness": ["fairness", "CITY", "--csv", "OUT"],
    "fairness_bare": ["fairness", "BARE"],
    "dead_corners": ["dead-corners", "CITY", "--csv", "OUT"],
    "who": ["who", "CITY", "120.9006,30.7019"],
    "who_json": ["who", "CITY", "120.9006,30.7019", "--json", "--unmask", "--category", "litter"],
    "who_then": ["who", "BARE", "120.9006,30.7019", "--at", "2023-06-01", "--json"],
    "who_away": ["who", "CITY", "120.95,30.71"],
    "who_far": ["who", "CITY", "10.5,50.5", "--json"],
    "who_exchanged": ["who", "CITY", "30.7,120.9"],
    "who_datum": ["who", "CITY", "120.9050,30.6995", "--crs", "GCJ-02"],
    "who_no_category": ["who", "CITY", "120.9006,30.7019", "--category", "liter"],
    "who_no_place": ["who", "CITY", "here"],
    "bulletin_month": ["bulletin", "CITY", "--period", "month", "--on", "2024-03-05",
                       "--out", "OUT"],
    "bulletin_week": ["bulletin", "BARE", "--period", "week", "--level", "grid", "--out", "OUT",
                      "--json"],
    "bulletin_day": ["bulletin", "BARE", "--period", "day", "--on", "2024-01-31", "--out", "OUT"],
    "bulletin_unfinished": ["bulletin", "CITY", "--period", "year", "--on", "2024-03-01"],
    "bulletin_early": ["bulletin", "CITY", "--period", "year", "--on", "2020-03-01"],
    "bulletin_none_over": ["bulletin", "CITY", "--period", "year"],
    "run": ["run", "CITY", "--out", "OUT"],
    "map": ["map", "battle", "CITY", "--out", "OUT", "--json"],
    "map_unknown": ["map", "battel", "CITY"],
    "layers": ["layers", "grids", "problems"],
    "layers_json": ["layers", "piles", "--json"],
    "gallery": ["gallery", "CITY", "--out", "OUT"],
    "design": ["design", "CITY", "--out", "OUT", "--workers", "1"],
    "export": ["export", "CITY", "--format", "geojson", "--layer", "grid_results", "--out", "OUT"],
    "export_unknown": ["export", "CITY", "--format", "geojsn"],
}  # fmt: skip
_PLAN = "OUT/plan/tiny.gpkg"
# Commands one after the other, each with what the ones before it left.
SEQUENCES: dict[str, Sequence[Sequence[str]]] = {
    "plans": [
        ["design", "CITY", "--out", "OUT/plan", "--workers", "1", "--target", "35", "--minimum",
         "12", "--maximum", "70", "--count", "g1=3", "--preset", "compact", "--json"],
        ["plan", "show", _PLAN],
        ["plan", "split", _PLAN, "g0001"],
        ["plan", "split", _PLAN, "g1001", "--into", "9", "--yes"],
        ["plan", "merge", _PLAN, "g2001", "g2002", "--yes"],
        ["plan", "move", _PLAN, "b1", "--to", "g0002", "--yes", "--json"],
        ["plan", "recut", _PLAN, "g1", "--count", "2", "--yes"],
        ["plan", "lock", _PLAN, "g0001"],
        ["plan", "unlock", _PLAN, "g0001"],
        ["plan", "undo", _PLAN, "--json"],
        ["plan", "move", _PLAN, "b1", "--to", "nowhere"],
        ["plan", "show", _PLAN, "--json"],
        ["resize", "CITY", "--plan", _PLAN, "--target", "55", "--out", "OUT/resized",
         "--workers", "1"],
        ["fairness", "CITY", "--plan", _PLAN, "--out", "OUT/fair", "--csv", "OUT/csv"],
        ["export", "CITY", "--plan", _PLAN, "--format", "csv", "--layer", "plan", "--out",
         "OUT/export"],
        ["check", _PLAN, "--sublayer", "plan", "--target", "35", "--json"],
        ["import-edits", _PLAN, "--into", _PLAN],
    ],
    "audit": [
        ["check", "CITY/grids.geojson", "--level", "grid"],
        ["check", "CITY/microgrids.geojson", "--parents", "CITY/grids.geojson", "--buildings",
         "CITY/buildings.geojson", "--target", "20", "--profile", "suffix", "--out", "OUT",
         "--fix"],
        ["check", "CITY/microgrids.geojson", "--code-column", "name", "--parent-column", "member",
         "--households-column", "households", "--maximum", "29", "--json"],
        ["check", "CITY/grids.geojson", "--sliver", "9999999", "--crs", "EPSG:4549"],
        ["check", "CITY/grids.geojson", "--minimum", "9", "--maximum", "2"],
        ["check", "CITY/grids.geojson", "--code-column", "codes"],
        ["check", "CITY/none.gpkg"],
    ],
    "exports": [
        ["export", "CITY", "--format", "csv", "--layer", "problems", "--layer", "frontages",
         "--area", "g2", "--since", "2024-01-10", "--until", "2024-02-01T12:00", "--column",
         "category", "--column", "problems.opened", "--place", "wkt", "--out", "OUT"],
        ["export", "CITY", "--format", "csv", "--layer", "responsibilities", "--privacy", "none",
         "--encoding", "gb18030", "--out", "OUT/gbk"],
        ["export", "CITY", "--format", "geojson", "--layer", "gaps", "--crs", "EPSG:3857",
         "--out", "OUT/metres", "--json"],
        ["export", "CITY", "--format", "csv", "--layer", "problems", "--area", "g7"],
        ["export", "CITY", "--format", "csv", "--layer", "problems", "--column", "colour"],
        ["export", "CITY", "--format", "csv", "--layer", "problems", "--since", "yesterday"],
        ["export", "CITY", "--format", "csv", "--append"],
        ["layers", "--city", "CITY"],
        ["layers", "grid"],
        ["map", "responsibility", "CITY", "--unmask", "--out", "OUT/map"],
        ["map", "plan", "CITY", "--out", "OUT/map"],
        ["run", "CITY", "--out", "OUT/run", "--strict", "--store", "OUT/none/s.sqlite"],
    ],
}  # fmt: skip
# Those that are told in one language, for they say it in records or take long.
_ONCE = {"run": "zh", "gallery": "en", "design": "zh", "bulletin_day": "zh", "fairness_bare": "zh",
         "dead_corners": "en", "who_datum": "zh", "overdue_bare": "zh"}  # fmt: skip
# What they say of themselves, or of the moment, is no result.
_VARIES = (
    (re.compile(re.escape(__version__)), "VERSION"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "SHA256"),
    (re.compile(r"(?<![\d.])\d+(\.\d+)? (KB|MB|kB)\b"), "SIZE"),
)
_CODE = re.compile(r"<(script|style)\b.*?</\1>", re.DOTALL)


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("towns")
    towns = {"CITY": flawed(), "BARE": flawed_bare()}
    return {name: str(town.write(folder / name)) for name, town in towns.items()}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_command_says_and_writes(
    name: str, towns: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    once = "en" if "--json" in COMMANDS[name] else _ONCE.get(name)
    for lang in (once,) if once else ("en", "zh"):
        monkeypatch.setenv("GRIDMAP_LANG", lang)
        lines += _said(COMMANDS[name], {**towns, "OUT": str(tmp_path / lang)}, lang)
        lines += _written(tmp_path / lang)
    tells(f"commands/{name}", _steady(lines))


@pytest.mark.parametrize("name", SEQUENCES)
def test_what_commands_say_one_after_the_other(
    name: str, towns: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDMAP_LANG", "en")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))  # the one question is answered by no
    lines: list[str] = []
    for command in SEQUENCES[name]:
        lines += _said(command, {**towns, "OUT": str(tmp_path)}, " ".join(command))
    tells(f"commands/{name}", _steady([*lines, *_written(tmp_path)]))


def _said(command: Sequence[str], named: dict[str, str], head: str) -> list[str]:
    def filled(part: str) -> str:
        word = next((word for word in named if part == word or part.startswith(f"{word}/")), "")
        return f"{named.get(word, '')}{part.removeprefix(word)}"

    done = run([filled(part) for part in command])
    assert not done.fault
    said = done.out + done.err
    for word, path in named.items():
        said = said.replace(path, word)
    return [f"== {head}: {done.code}", said]


def _steady(lines: Sequence[str]) -> str:
    text = plain("\n".join(lines))
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return text


def _written(folder: Path) -> Iterator[str]:
    """Yield the names of files below a folder, and what tables among them say."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"-- {path.relative_to(folder)}"
            yield from _table(path)


def _table(path: Path) -> Iterator[str]:
    if path.suffix == ".csv":
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))):
            yield " | ".join(row)
    elif path.suffix == ".xlsx":
        book = CalamineWorkbook.from_path(str(path))
        for sheet in book.sheet_names:
            yield f"[{sheet}]"
            for cells in book.get_sheet_by_name(sheet).to_python():
                yield " | ".join(str(cell) for cell in cells)
    elif path.suffix == ".json" and "manifest" not in path.name:
        yield path.read_text(encoding="utf-8")
    elif path.suffix == ".html" and path.name.startswith("tiny-"):  # a bulletin, and no map
        page = _CODE.sub("", path.read_text(encoding="utf-8"))
        yield from (
            line.strip() for line in page.replace("><", ">\n<").splitlines() if line.strip()
        )
    elif path.suffix == ".zip":
        with ZipFile(path) as archive:
            yield from sorted(archive.namelist())
