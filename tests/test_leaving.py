"""What a text may hold when it leaves, and how a column is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gridmap import privacy
from gridmap.catalog import load_catalog
from gridmap.leaving import clean, guarded, json_text, leaving, restored, unmasked
from gridmap.privacy import shown_frame, shown_json, shown_table

PHONES = (
    "13800001234", "138 0000 1234", "138-0000-1234", "138.0000.1234", "1380000 1234",
    "1380 000 1234", "1 3 8 0 0 0 0 1 2 3 4", "138–0000–1234", "138\u200b0000\u200b1234",
    "+8613800001234", "+86 138 0000 1234", "008613800001234", "0086-138-0000-1234",
    "(86)13800001234", "(+86) 13800001234", "8613800001234", "１３８００００１２３４",
    "＋８６　138－0000－1234", "٠١٣٨٠٠٠٠١٢٣٤"[1:], "13800001234.0",
    "0571-88881234", "(0571)88881234", "（0571）8888 1234", "0571 88881234", "057188881234",
    "010-88881234", "01088881234", "0571-8881234", "0571-88881234-801", "0571-88881234转801",
    "+86 571 88881234", "86-571-88881234", "400-123-1234", "4001231234", "400 1231 234",
    "800-810-1234", "330499199003071236", "330499 19900307 1236",
)  # fmt: skip
OTHERS = (
    "330499001001", "330499001001001", "3304990010010010001", "330499199003071237",
    "120.13800001234", "120.13800001234,30.13900001234", "POINT (120.13800001234 30.2)",
    "2024-01-02 13:00:00", "2024010213000012", "20240102", "1704067200000", "138000012345",
    "13800001234.5", "13800001234元", "13800001234.56", "0.13800001234", "-5", "1,380,000,123.4",
    "620123138000012345", "12345678", "SJ202401150000012", "13359856.12 3512345.7",
    "1380000123", "2024-03-01 08:00 2024-03-01 20:00", "13 800 000 001",
)  # fmt: skip


@pytest.mark.parametrize("text", PHONES)
def test_a_number_of_a_person_is_masked_wherever_it_stands(text: str) -> None:
    digits = [sign for sign in text if sign.isdecimal()]
    for around in ("{}", "张三{}李四", "Tel:{};", "x, {}, y", "{} {}", "2024-01-02 {}"):
        told = around.format(text, text)
        made = leaving(told)
        assert text not in made
        hidden = (len(digits) - 6) * told.count(text)
        assert sum(map(str.isdecimal, made)) <= sum(map(str.isdecimal, told)) - hidden
        assert leaving(made) == made
        with unmasked():
            assert leaving(told) == clean(told)


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_no_number_of_a_person_stays(text: str) -> None:
    for around in ("{}", "路{}号", "a {} b"):
        assert leaving(around.format(text)) == around.format(text)


def test_two_in_a_row_are_two() -> None:
    assert leaving("13800001234.13900001234") == "138*****234.139*****234"
    assert leaving("13800001234 3号楼 13900001234") == "138*****234 3号楼 139*****234"


@pytest.mark.parametrize("many", [False, True])
def test_a_column_is_known_by_what_it_is(many: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy, "_FEW", 0 if many else 99)
    layer = load_catalog().layer("assignments")
    texts = ["13800001234", "Office 13800001234", None, "", *PHONES, *OTHERS, "a\x1b[31m\u202eb"]
    frame = pd.DataFrame(
        dict.fromkeys(("code", "target", "holder", "phone"), texts), dtype="string"
    )
    shown = shown_frame(layer, frame)
    assert shown.dtypes.to_list() == frame.dtypes.to_list()
    for name in ("code", "target"):
        assert shown[name][0] == "13800001234"
        assert shown[name][1] == "Office 138*****234"
    told = [text if text is None else leaving(text) for text in texts]
    assert shown["holder"].astype(object).where(shown["holder"].notna(), None).to_list() == told
    assert shown["phone"][1] == "Off" + "*" * 12 + "234"
    plain = frame.drop(columns="phone").assign(holder="nobody", code="a", target="b")
    plain = plain.astype("string")
    assert shown_frame(layer, plain) is plain
    # What is written in place is looked at again.
    plain.loc[0, "holder"] = "13800001234"
    assert shown_frame(layer, plain)["holder"][0] == "138*****234"
    assert plain["holder"][0] == "13800001234"


def test_numbers_of_unknown_columns_are_masked_and_amounts_are_not() -> None:
    table = pd.DataFrame(
        {
            "mobile": [13800001234, 2], "float": [13800001234.0, np.nan],
            "amount": [13800001234.5, 1.0], "code": [330499001001001, 330499199003071236],
            "mixed": pd.Series([13800001234, "x"], dtype=object), "true": [True, False],
        }
    )  # fmt: skip
    shown = shown_table(table)
    assert shown["mobile"].to_list() == ["138*****234", "2"]
    assert shown["float"][0] == "138*****234"
    assert shown["code"].to_list() == ["330499001001001", "330************236"]
    assert shown["mixed"].to_list() == ["138*****234", "x"]
    assert shown[["amount", "true"]].equals(table[["amount", "true"]])
    with unmasked():
        assert shown_table(table) is table


def test_json_has_no_controls_and_masks_by_name() -> None:
    told = {"code": "13800001234", "by": ["13800001234"], "areas": ("Gate 13800001234",)}
    assert shown_json(told, frozenset({"code", "areas"})) == {
        "code": "13800001234", "by": ["138*****234"], "areas": ("Gate 138*****234",),
    }  # fmt: skip
    assert json_text("a\x00\x1b\x7f\x9b\u2028\u202e\ud800\\u0041\tb") == '"a\\\\u0041\\tb"'


@pytest.mark.parametrize(
    "text", ["=1", "＝1", "＋1", "－1", "＠x", " =1", "\u3000@x", "+1", "\t1", "-1+1"]
)
def test_a_formula_is_guarded(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert guarded("-5") == "-5"
    assert guarded(" -1.5%") == " -1.5%"


def test_what_was_masked_comes_back() -> None:
    assert restored("138*****234", "13800001234.0") == "13800001234"
    assert (
        restored("138*****234, 139*****234", "13800001234 13900001234")
        == "13800001234, 13900001234"
    )
    assert restored("*", "13800001234") == "*"
    assert restored("8**8", "8888") == "8888"


def test_orders_to_a_terminal_go_whole() -> None:
    assert clean("a\x1b[31mb\x1b]0;title\x07c\x9b1md\x1be") == "abcde"
    assert clean("a\r\nb\rc\td") == "a\nb\nc\td"
