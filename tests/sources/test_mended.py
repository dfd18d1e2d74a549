"""What a person mends in the quarantine counts in every command, once, and is never lost."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest
from sources.test_city import ROW, write_town
from written_town import CASES, GRIDS, HEAD

from gridmap import cli
from gridmap.digests import row_marks
from gridmap.errors import SourceError
from gridmap.sources import read_city
from gridmap.sources.mended import Done, mend_rows, mends_in

BAD = [
    "2,litter,yesterday,,,120.905,30.705",
    "3,litter,2025-03-01,,,,",
    "4,,2025-03-01,,,120.905,30.705",
]
QUARANTINE = "quarantine/02-problems-cases.csv"


def gridmap(*arguments: object) -> int:
    """Run the command in this process and return its exit code."""
    saved, sys.argv = sys.argv, ["gridmap", *map(str, arguments)]
    try:
        cli.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1 if end.code else 0
    finally:
        sys.argv = saved
    return 0


def run(folder: Path, capsys: pytest.CaptureFixture[str], lang: str = "en") -> tuple[str, str]:
    assert gridmap("run", folder, "--out", folder / "out", "--lang", lang) == 0
    said = capsys.readouterr()
    return said.out, said.err


def mend(path: Path, changes: dict[str, dict[str, str]]) -> None:
    """Change cells by the code of their row, as a person does."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False).set_index("id", drop=False)
    for code, cells in changes.items():
        for column, text in cells.items():
            table.loc[code, column] = text
    table.to_csv(path, index=False, encoding="utf-8-sig")


def quarantined(path: Path) -> list[str]:
    return pd.read_csv(path, dtype=str)["id"].to_list() if path.exists() else []


def test_mended_rows_are_read_back_and_what_is_still_wrong_comes_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_town(tmp_path, [ROW, *BAD])
    quarantine = tmp_path / "out" / QUARANTINE
    _, said = run(tmp_path, capsys)
    assert "3 rows were left out; mend them in" in said
    assert quarantined(quarantine) == ["2", "3", "4"]
    mend(quarantine, {"2": {"from": "2025-03-01"}, "3": {"lon": "120.905", "from": "never"}})
    mine = quarantine.read_bytes()
    shown, said = run(tmp_path, capsys)
    assert "1 files of mended rows were copied to" in said
    assert "2 rows were read as somebody mended them" in shown
    assert "kept" not in said
    assert quarantined(quarantine) == ["3", "4"]
    assert "never" in quarantine.read_text(encoding="utf-8-sig")
    assert (tmp_path / "mended" / quarantine.name).read_bytes() == mine
    # Twice is the same as once.
    left = quarantine.read_bytes()
    shown, said = run(tmp_path, capsys)
    assert "copied" not in said
    assert "2 rows were read as somebody mended them" in shown
    assert quarantine.read_bytes() == left
    # What was mended is mended further, and the rest too.
    mend(quarantine, {"3": {"from": "2025-03-01", "lat": "30.705"}, "4": {"kind": "noise"}})
    shown, said = run(tmp_path, capsys, "zh")
    assert "有 3 行按 mended/ 中人工修正的内容读取" in shown
    assert "未采用" not in said
    assert len(mends_in(tmp_path / "mended")) == 2
    assert quarantine.exists()  # a person changed it, and its name is not needed
    shown, said = run(tmp_path, capsys)
    assert len(mends_in(tmp_path / "mended")) == 2
    assert "3 rows were read" in shown


def test_every_command_tells_the_same_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_town(tmp_path, [ROW, *BAD])
    run(tmp_path, capsys)
    mend(tmp_path / "out" / QUARANTINE, {"2": {"from": "2025-03-01"}})
    assert gridmap("run", tmp_path, "--out", tmp_path / "out", "--json") == 0
    said = json.loads(capsys.readouterr().out)["inputs"][-1]
    assert (said["rows"], said["placed"], said["quarantined"]) == (4, 2, 2)
    assert (said["mended"], said["stale"]) == (1, 0)
    gridmap("check", tmp_path, "--json")
    assert json.loads(capsys.readouterr().out)["inputs"][-1] == said
    assert gridmap("run", tmp_path, "--out", tmp_path / "elsewhere", "--json") == 0
    assert json.loads(capsys.readouterr().out)["inputs"][-1] == said
    assert read_city(tmp_path).frame("problems")["code"].to_list() == ["1", "2"]


def test_a_persons_files_in_quarantine_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_town(tmp_path, [ROW, *BAD])
    run(tmp_path, capsys)
    quarantine = tmp_path / "out" / QUARANTINE
    notes = quarantine.with_name("notes.csv")
    notes.write_text("who,when\nli,today\n")
    other = quarantine.with_name("mine.xlsx")
    table = pd.read_csv(quarantine, dtype=str, keep_default_na=False)
    table.loc[table["id"] == "2", "from"] = "2025-03-01"
    with pd.ExcelWriter(other, engine="xlsxwriter") as book:
        table.to_excel(book, index=False)
    quarantine.write_text("id\n2\n")
    (tmp_path / "cases.csv").write_text("id,kind,from,due,to,lon,lat\n" + f"{ROW}\n{BAD[0]}\n")
    shown, said = run(tmp_path, capsys)
    assert "was changed but cannot be read back" in said
    assert "1 rows were read as somebody mended them" in shown
    assert notes.read_text() == "who,when\nli,today\n"
    assert other.exists()
    assert quarantine.read_text() == "id\n2\n"
    assert [path.name for path in mends_in(tmp_path / "mended")] == ["mine.xlsx"]


def test_a_mend_follows_its_row_and_meets_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_town(tmp_path, [ROW, *BAD])
    run(tmp_path, capsys)
    mend(tmp_path / "out" / QUARANTINE, {"2": {"from": "2025-03-01"}})
    run(tmp_path, capsys)
    head = "id,kind,from,due,to,lon,lat\n"
    (tmp_path / "cases.csv").write_text(head + "\n".join([BAD[2], ROW, BAD[0]]) + "\n")
    city = read_city(tmp_path)
    assert city.frame("problems")["code"].to_list() == ["1", "2"]
    (tmp_path / "cases.csv").write_text(
        head + "\n".join([ROW, BAD[0].replace("yesterday", "2025-03-03")]) + "\n"
    )
    shown, _ = run(tmp_path, capsys)
    assert "1 mended rows in mended/ belong to no row of the sources any more" in shown
    opened = read_city(tmp_path).frame("problems")["opened"]
    assert opened.dt.day.to_list() == [1, 3]


def mended_as(table: pd.DataFrame, cells: dict[str, list[object]]) -> pd.DataFrame:
    rows = range(1, len(table) + 1)
    known = {"行号": rows, "字段": "", "gridmap 来源": "a.csv"}
    return pd.DataFrame({**known, **cells, "gridmap 校验码": row_marks(table)})


@pytest.mark.parametrize(
    ("was", "now", "left"),
    [
        ("330499001001001001", "3.30499E+17", True),  # Excel saves long numbers so
        ("330499001001001001", "330499001001001002", True),  # as numbers they are one
        ("0571", "571", True),
        ("571", "0571", False),
        ("30.70", "30.7", True),
        ("30.7", "30.8", False),
        ("2025-03-01 08:00", "2025/3/1 8:00", True),
        ("2025-03-01 08:00", "2025/3/1 9:00", False),
        ("2025-02-30", "2025-02-28", False),
        ("2025-03-01", "2025-13-01", False),
        ("2025-03-01 25:00", "2025-03-01 5:00", False),
        ("=1+1", "'=1+1", True),
        ("a\x00b", "ab", True),
        ("a\x1b[31mb\u202e\r\nc", "ab\nc", True),
        ("Gate 13800001234", "Gate 138*****234", True),
        ("13800001234", "138*****234", True),
        (" ＝1+1", "' ＝1+1", True),
        ("+86 138 0000 1234", "'+86***********234", True),
        ("", None, True),
        ("x", None, False),
        (None, "x", False),
    ],
)
def test_a_cell_that_a_spreadsheet_wrote_in_another_way_is_as_it_was(
    was: object, now: object, left: bool
) -> None:
    table = pd.DataFrame({"a": [was, "other"], "b": ["1", "2"]}, dtype="string")
    mended = mended_as(table, {"a": [now, "other"], "b": ["1", "9"]})
    made, done = mend_rows(table, mended, "a.csv")
    assert made["b"].to_list() == ["1", "9"]
    assert done.rows == ({1} if left else {0, 1})
    expected = was if left else now
    assert made["a"].fillna("").iloc[0] == ("" if expected is None else expected)
    assert made.dtypes.to_list() == table.dtypes.to_list()
    other, done = mend_rows(table, mended, "b.csv")
    assert other is table
    assert done == Done()


def test_types_and_names_of_the_source_are_kept() -> None:
    table = pd.DataFrame({"行号": [7, 8], "n": [1.5, None], "=f": ["x", "y"]})
    mended = mended_as(table, {"行号.1": [7, 8], "n": ["1.5", "2.5"], "'=f": ["x", "z"]})
    made, done = mend_rows(table, mended, "a.csv")
    assert made["行号"].to_list() == [7, 8]
    assert made["n"].to_list() == [1.5, 2.5]
    assert made["n"].dtype == "float64"
    assert made["=f"].to_list() == ["x", "z"]
    assert done == Done(frozenset({1}))
    again, _ = mend_rows(made, mended, "a.csv", first=table)
    assert again.equals(made)


def test_a_file_that_is_none_of_the_quarantine_is_refused(tmp_path: Path) -> None:
    write_town(tmp_path, [ROW])
    (tmp_path / "mended").mkdir()
    (tmp_path / "mended" / "notes.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match=r"notes\.csv: is no file of the quarantine"):
        read_city(tmp_path)
    (tmp_path / "mended" / "notes.csv").write_text("garbage\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"notes\.csv: mended rows cannot be read .* quarantine/"):
        read_city(tmp_path)
    (tmp_path / "mended" / "notes.csv").write_text("row,gridmap source,x\n1,a,b\n")
    with pytest.raises(SourceError, match=r"lacks the columns: gridmap mark;"):
        read_city(tmp_path)


@pytest.mark.parametrize(
    ("was", "now", "made"),
    [
        ("Gate 13800001234", "Gate 2, 138*****234", "Gate 2, 13800001234"),
        ("13800001234/13900001234", "139*****234/138*****234", "13900001234/13800001234"),
        ("13800001234", "13900000000", "13900000000"),
        ("=1+1", "'=1+2", "=1+2"),
        ("8888", "8**8", "8888"),
    ],
)
def test_what_was_masked_or_guarded_is_as_it_was_where_a_cell_was_changed(
    was: str, now: str, made: str
) -> None:
    table = pd.DataFrame({"a": [was], "b": ["1"]}, dtype="string")
    mended = mended_as(table, {"a": [now], "b": ["9"]})
    got, _ = mend_rows(table, mended, "a.csv")
    assert got.to_numpy().tolist() == [[made, "9"]]


def test_a_mask_never_takes_the_place_of_what_it_hides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = "id,kind,from,due,to,lon,lat,where,tel 13800001234,=note\n"
    rows = [f"{ROW},Gate 1,13800001234,x",
            '2,litter,yesterday,,,120.905,30.705,"Gate 2, 13800001234",13900001234,=1 13700001234',
            "13800001111,litter,never,,,120.905,30.705,Gate 3,13900001234,"]  # fmt: skip
    text = (HEAD + GRIDS + CASES).replace('closed = "to"', 'closed = "to", address = "where"')
    write_town(tmp_path, [], text)
    source = "cases 13800001234.csv"
    (tmp_path / "city.toml").write_text(text.replace("cases.csv", source), encoding="utf-8")
    (tmp_path / source).write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    run(tmp_path, capsys)
    [quarantine] = (tmp_path / "out" / "quarantine").iterdir()
    written = quarantine.read_text(encoding="utf-8-sig")
    assert quarantine.name == "02-problems-cases 138xxxxx234.csv"
    assert "'=1 137*****234" in written
    assert "13800001111" in written  # a code, by which rows are found
    for phone in ("13800001234", "13900001234", "13700001234"):
        assert phone not in written
    mend(quarantine, {"2": {"from": "2025-03-01"}, "13800001111": {"from": "2025-03-02"}})
    run(tmp_path, capsys)
    city = read_city(tmp_path)
    assert city.receipts[-1].mended == 2
    addresses = city.frame("problems").set_index("code")["address"].to_dict()
    assert addresses["2"] == "Gate 2, 13800001234"
    assert list(addresses) == ["1", "2", "13800001111"]


def test_one_row_mended_in_two_ways_is_refused_and_a_row_left_as_it_was_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_town(tmp_path, [ROW, BAD[0]])
    run(tmp_path, capsys)
    path = tmp_path / "out" / QUARANTINE
    twice = pd.read_csv(path, dtype=str, keep_default_na=False)
    (tmp_path / "mended").mkdir()
    kept = tmp_path / "mended" / path.name
    good = twice.assign(**{"from": "2025-03-02"})
    pd.concat([twice, good, good]).to_csv(kept, index=False, encoding="utf-8-sig")
    assert len(read_city(tmp_path).layers["problems"]) == 2
    pd.concat([good, twice.assign(**{"from": "2025-03-03"})]).to_csv(kept, index=False)
    with pytest.raises(SourceError, match=r"csv: row 3 of .* is mended twice, and from differs"):
        read_city(tmp_path)
