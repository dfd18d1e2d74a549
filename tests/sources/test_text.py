"""Tables of text as offices write them: encodings, separators, headings, broken rows."""

from pathlib import Path

import pytest

from gridmap.errors import SourceError
from gridmap.sources.files import read_raw
from gridmap.sources.raw import Raw
from gridmap.sources.text import detect, read_text

CHINESE = "编号,类别,地址\n" + "".join(
    f"{row},占道经营,青禾街道第{row}号店铺门前\n" for row in range(40)
)


def read(folder: Path, data: bytes | str, name: str = "cases.csv", **asked: object) -> Raw:
    file = folder / name
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_raw(file, **asked)  # type: ignore[arg-type]


def told(raw: Raw) -> list[str]:
    return [note.key for note in raw.notes]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf_8"),
        ("utf-8-sig", "utf_8_sig"),
        ("utf-16", "utf_16"),
        ("utf-32", "utf_32"),
        ("gbk", "gb18030"),
        ("gb18030", "gb18030"),
        ("ascii", "ascii"),
    ],
)
def test_an_encoding_is_found(encoding: str, found: str) -> None:
    text = "id,kind\n1,litter\n" if encoding == "ascii" else CHINESE
    assert detect(text.encode(encoding)) == found


def test_utf_16_without_a_mark_is_found() -> None:
    text = "id,kind\n1,占道\n" * 20
    assert detect(text.encode("utf-16-le")) == "utf_16_le"
    assert detect(text.encode("utf-16-be")) == "utf_16_be"


def test_traditional_and_western_files_are_told_from_those_in_gb18030() -> None:
    taiwan = "編號,類別,地址\n" + "1,道路坑洞與積水,臺南市東區裕農路與東門路口\n" * 20
    assert detect(taiwan.encode("big5")) == "big5"
    spain = "codi,nom,adreça\n" + "1,Plaça Gran,Carrer d'en Muñoz 3, Òdena\n" * 20
    assert detect(spain.encode("cp1252")) == "cp1252"
    # Few letters decide nothing: GB18030 comes first where both fit.
    assert detect("名称\n占道经营\n".encode("gbk")) == "gb18030"


def test_bytes_beyond_the_first_ones_are_judged(tmp_path: Path) -> None:
    rows = "".join(f"{row},street {row}\n" for row in range(20_000))
    raw = read(tmp_path, ("id,kind\n" + rows + "x,占道经营\n").encode("gbk"))
    assert raw.table["kind"].iloc[-1] == "占道经营"
    assert told(raw) == ["encoding"]


def test_one_bad_byte_costs_one_row(tmp_path: Path) -> None:
    good = "1,占道经营\n".encode()
    raw = read(tmp_path, b"id,kind\n" + good * 5 + "9,占道经营\n".encode("gbk") + good)
    assert raw.table["kind"].to_list()[:5] == ["占道经营"] * 5
    assert raw.table["kind"].iloc[-1] == "占道经营"
    assert {row: reason for row, (reason, _) in raw.bad.items()} == {5: "bad_bytes"}
    # Said to be UTF-8, it is so but for that row.
    assert list(read(tmp_path, (tmp_path / "cases.csv").read_bytes(), encoding="utf-8").bad) == [5]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator_is_found_and_told(tmp_path: Path, separator: str) -> None:
    text = "id,kind,note\n1,litter,a\n".replace(",", separator)
    raw = read(tmp_path, text)
    assert raw.table.to_dict("list") == {"id": ["1"], "kind": ["litter"], "note": ["a"]}
    assert told(raw) == ["separator"]


def test_commas_in_texts_are_no_separators(tmp_path: Path) -> None:
    raw = read(tmp_path, 'id;where\n1;"a, b, c, d"\n2;e, f\n', known={"id", "where"})
    assert raw.table["where"].to_list() == ["a, b, c, d", "e, f"]
    raw = read(tmp_path, "id,where\n1,a;b;c;d\n")
    assert raw.table["where"].to_list() == ["a;b;c;d"]
    assert told(raw) == []


def test_utf_16_with_tabs_is_read(tmp_path: Path) -> None:
    raw = read(tmp_path, "id\tkind\n1\t占道\n".encode("utf-16"))
    assert raw.table.to_dict("list") == {"id": ["1"], "kind": ["占道"]}


def test_commas_at_the_end_of_lines_shift_nothing(tmp_path: Path) -> None:
    raw = read(tmp_path, "code,minutes,points\nlitter,90,5,\nparking,45,8,,\n")
    assert raw.table["code"].to_list() == ["litter", "parking"]
    assert raw.table["points"].to_list() == ["5", "8"]
    assert not raw.bad
    raw = read(tmp_path, "code,minutes,\nlitter,90,\n")
    assert list(raw.table) == ["code", "minutes"]


def test_a_row_with_too_many_cells_is_bad_and_alone(tmp_path: Path) -> None:
    raw = read(tmp_path, "id,kind\n1,a\n2,b,c\n3,d\n4\n")
    assert raw.bad == {1: ("too_many_cells", "c")}
    assert raw.table["id"].to_list() == ["1", "2", "3", "4"]
    assert raw.table["kind"].isna().to_list() == [False, False, False, True]


def test_a_quote_without_an_end_costs_one_row(tmp_path: Path) -> None:
    text = 'id,kind,note,at\n1,a,"whole, text",x\n2,b,"lost,y\n3,c,z,w\n4,d,z,w\n'
    raw = read(tmp_path, text)
    assert raw.table["id"].to_list() == ["1", "2", "3", "4"]
    assert {row: reason for row, (reason, _) in raw.bad.items()} == {1: "open_quote"}
    # The next quotation mark does not end it.
    raw = read(tmp_path, text + '5,e,"fine",v\n')
    assert raw.table["id"].to_list() == ["1", "2", "3", "4", "5"]
    assert list(raw.bad) == [1]
    # In the last column the rest of the file would fit into one cell.
    raw = read(tmp_path, 'id,at\n1,"x\n2,y\n3,z\n')
    assert raw.table["id"].to_list() == ["1", "2", "3"]


def test_a_text_of_several_lines_is_one_cell(tmp_path: Path) -> None:
    raw = read(tmp_path, 'id,kind,note,at\r\n1,a,"two\r\nlines",x\r\n2,b,,y\r\n')
    assert raw.table["note"].to_list()[0] == "two\r\nlines"
    assert len(raw.table) == 2
    assert not raw.bad


def test_the_last_line_of_a_cell_has_the_cells_after_it(tmp_path: Path) -> None:
    """It may look like a whole row; a quotation mark ends only before a separator."""
    raw = read(tmp_path, 'at,id,kind,x\n"one\ntwo",A1,a,1\n"three",A2,b,2\n')
    assert raw.table["at"].to_list() == ["one\ntwo", "three"]
    raw = read(tmp_path, 'id,at,kind,x\nA1,"one\ntwo,and,so",a,1\nA2,z,b,2\n')
    assert raw.table["at"].to_list() == ["one\ntwo,and,so", "z"]
    assert not raw.bad
    raw = read(tmp_path, 'id,at,kind,x\nA1,"one,a,1\nA2,two,b,2\nA3,"three",c,3\n')
    assert raw.table["id"].to_list() == ["A1", "A2", "A3"]
    assert list(raw.bad) == [0]


@pytest.mark.parametrize("stray", [b"\x80", b"\xff"])
def test_a_stray_byte_makes_no_western_text_of_a_chinese_one(tmp_path: Path, stray: bytes) -> None:
    data = "编号,类别,金额\n1,占道,10\n".encode("gb18030") + b"2,a,100" + stray + b"\n"
    raw = read_text(tmp_path / "a.csv", data)
    assert raw.table.columns.to_list() == ["编号", "类别", "金额"]
    assert list(raw.bad) == [1]


def test_the_heading_is_found_below_a_title(tmp_path: Path) -> None:
    text = "2025年12月台账,,\n打印日期：2026-01-01,,\n编号,类别,地址\n1,占道,x\n"
    raw = read(tmp_path, text, known={"编号", "类别"})
    assert raw.table.to_dict("list") == {"编号": ["1"], "类别": ["占道"], "地址": ["x"]}
    assert [note.params for note in raw.notes] == [{"row": 3}]


def test_a_heading_that_stands_twice_is_told(tmp_path: Path) -> None:
    raw = read(tmp_path, "id,kind,kind,,\n1,litter,other,x,\n")
    assert raw.table.to_dict("list") == {
        "id": ["1"], "kind": ["litter"], "kind (2)": ["other"], "column 4": ["x"]
    }  # fmt: skip
    assert "kind" in raw.notes[0].text("zh")


def test_a_file_of_blanks_has_no_rows(tmp_path: Path) -> None:
    for text in ("", " \n\n", "id,kind\n", "id,kind\n,\n\n"):
        with pytest.raises(SourceError, match="holds no rows"):
            read(tmp_path, text)


def test_rows_beyond_a_block_keep_their_order(tmp_path: Path) -> None:
    rows = 120_001
    raw = read(
        tmp_path, "id,n\n" + "".join(f"{row},{row % 7}\n" for row in range(rows)) + "x,1,2\n"
    )
    assert raw.table["id"].iloc[[0, 50_000, 100_000, rows - 1]].to_list() == [
        "0", "50000", "100000", "120000"
    ]  # fmt: skip
    assert list(raw.bad) == [rows]
