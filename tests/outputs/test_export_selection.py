"""Which rows and columns an export takes, on both sides of every limit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from export_town import STYLE, awkward, layer
from export_town import town as town_of
from shapes import grid_of
from towns import lines, squares, town

from gridmap.errors import OutputError
from gridmap.outputs.export.geopackage import styles_of
from gridmap.outputs.export.job import NAMED, Note, gathered
from gridmap.outputs.export.selection import Chosen, Selection, check_selection, chosen_layers
from gridmap.outputs.export.styles import bottom_up
from gridmap.result import Analysed


def one(selection: Selection) -> Chosen:
    (chosen,) = chosen_layers(town_of(), selection)
    return chosen


@pytest.mark.parametrize(
    ("since", "until", "first", "last"),
    [
        # The squares were seen at half past eleven at night, one a day from the first.
        (dt.datetime(2025, 1, 3, 23, 30), None, 2, 24),
        (dt.datetime(2025, 1, 3, 23, 30, 1), None, 3, 24),
        (None, dt.datetime(2025, 1, 3, 23, 30), 0, 1),
        (None, dt.datetime(2025, 1, 3, 23, 30, 1), 0, 2),
        (dt.datetime(2025, 1, 3, 15, 30, tzinfo=dt.UTC), dt.datetime(2025, 1, 5), 2, 3),
    ],
)
def test_from_a_moment_on_and_up_to_another(
    since: dt.datetime | None, until: dt.datetime | None, first: int, last: int
) -> None:
    chosen = one(Selection(since=since, until=until))
    codes = awkward()["code"].to_list()
    assert chosen.frame["code"].to_list() == codes[first : last + 1]
    assert chosen.frame.index.to_list() == list(range(last - first + 1))
    assert chosen.rows.tolist() == [first <= row <= last for row in range(25)]
    assert chosen.whole["code"].to_list() == codes


def in_area(codes: list[str], **layers: Any) -> dict[str, list[str]]:
    """Return the codes of the rows in areas of a town of two squares of 100 m, a west of b."""
    city = town(grid_of("ab"), layers.pop("buildings"), **layers)
    chosen = chosen_layers(Analysed(city, {}, {}), Selection(areas=codes))
    return {some.layer.name: some.frame["code"].to_list() for some in chosen}


def test_what_lies_in_an_area() -> None:
    """Polygons by half of their ground, lines that enter it, points that touch it."""
    places = [(50.0, 50.0), (100.0, 20.0), (101.0, 50.0), (99.0, 80.0), (500.0, 0.0)]
    buildings = squares(places, [1] * 5)
    roads = lines((0, 50, 90, 50), (90, 10, 190, 10), (100, 0, 100, 100), (100, 20, 150, 20))
    found = in_area(["a"], buildings=buildings, roads=roads)
    assert found["grids"] == ["a"]
    assert found["buildings"] == ["B000", "B001", "B003"]
    assert found["roads"] == ["L0", "L1", "L2"]
    both = in_area(["a", "b"], buildings=buildings, roads=roads)
    assert both["grids"] == ["a", "b"]
    assert both["buildings"] == ["B000", "B001", "B002", "B003"]
    assert both["roads"] == ["L0", "L1", "L2", "L3"]
    assert in_area([], buildings=buildings)["buildings"] == [f"B{k:03d}" for k in range(5)]


def test_columns_come_with_the_key_and_without_what_is_private() -> None:
    every = ["code", "name", "value", "kind", "seen", "open", "number"]
    for selection, columns in (
        (Selection(privacy="full"), [*every, "note"]),
        (Selection(privacy="none"), every),
        (Selection(columns=["value"]), ["code", "value"]),
        (Selection(columns=["places.kind", "value"]), ["code", "value", "kind"]),
        (Selection(columns=["note"], privacy="none"), ["code"]),
    ):
        assert list(one(selection).frame.columns) == [*columns, "geometry"]


def test_a_column_must_be_of_a_layer_that_is_exported() -> None:
    catalog = town_of().city.catalog
    check_selection(catalog, Selection(layers=["places"], columns=["kind", "places.value"]))
    check_selection(catalog, Selection(columns=["households"]))  # of the grids
    for selection in (
        Selection(layers=["places"], columns=["households"]),
        Selection(columns=["places.households"]),
    ):
        with pytest.raises(OutputError) as caught:
            check_selection(catalog, selection)
        assert caught.value.key == "export.column"


def test_a_layer_without_the_column_of_its_colours_has_no_style() -> None:
    assert one(Selection(columns=["value"])).styled
    assert not one(Selection(columns=["name"])).styled
    plain = layer(symbology=None)
    (chosen,) = chosen_layers(town_of((plain, awkward())), Selection())
    assert not chosen.styled


def test_notes_that_differ_by_their_layer_are_one() -> None:
    notes = [Note("export.shp_long", {"layer": f"l{k}", "count": k}) for k in range(1, NAMED + 3)]
    other = Note("export.empty", {"layer": "l1", "format": "PMTiles"})
    again = Note("export.empty", {"layer": "l2", "format": "DXF"})
    made = gathered([*notes[:1], other, *notes[1:], again], "en")
    assert [note.key for note in made] == ["export.shp_long", "export.empty", "export.empty"]
    named = ", ".join(f"l{k}" for k in range(1, NAMED + 1))
    assert made[0].params == {"layer": f"{named} (+2)", "count": sum(range(NAMED + 3))}
    assert made[1:] == (other, again)
    (just,) = gathered(notes[:NAMED], "zh")
    assert just.params["layer"] == "、".join(f"l{k}" for k in range(1, NAMED + 1))


def test_layers_are_drawn_areas_first_then_lines_outlines_and_points() -> None:
    faint = STYLE.model_copy(update={"fill_opacity": 0.02})
    layers = [
        layer("a", geometry="Point"),
        layer("b", symbology=faint),
        layer("c", geometry="LineString"),
        layer("d"),
        layer("e", symbology=STYLE.model_copy(update={"fill_opacity": 0.9})),
        layer("f", role="input"),
    ]
    frame = awkward().head(1)
    chosen = tuple(Chosen(each, frame, frame, np.ones(1, dtype=bool)) for each in layers)
    assert [each.layer.name for each in bottom_up(chosen)] == ["e", "f", "d", "c", "b", "a"]


def test_a_style_is_written_where_its_field_is() -> None:
    by_kind = STYLE.model_copy(update={"kind": "single", "field": "", "colours": ("#112233",)})
    styled = layer(
        styles={"by_number": STYLE.model_copy(update={"field": "number"}), "one": by_kind}
    )
    town = town_of((styled, awkward()))
    (every,) = chosen_layers(town, Selection())
    assert styles_of(every) == ["", "by_number", "one"]
    (without,) = chosen_layers(
        town_of((styled, awkward().drop(columns="number"))), Selection(columns=["value"])
    )
    assert styles_of(without) == ["", "one"]
