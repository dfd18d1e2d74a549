"""What proves a frame at once says the same as pandera, which tells what is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pandera.errors
import pytest
from written_town import ROW, write_town

from gridmap import schema as schemas
from gridmap.model import City
from gridmap.result import Analysed
from gridmap.schema import holds, schema

ROOT = Path(__file__).parent.parent
Change = Callable[[pd.DataFrame], pd.DataFrame]


def kept(city: City, name: str, frame: pd.DataFrame) -> bool:
    try:
        schema(city.catalog.layer(name)).validate(frame)
    except pandera.errors.SchemaError:
        return False
    return True


def test_every_layer_of_the_sample_holds(sample: Analysed) -> None:
    for name, frame in sample.city.layers.items():
        assert holds(sample.city.catalog.layer(name), frame)
        assert kept(sample.city, name, frame)


CHANGES: dict[str, Change] = {
    "a code that stands twice": lambda frame: frame.assign(code="same"),
    "a code that is missing": lambda frame: frame.assign(code=pd.Series(dtype="string")),
    "a time that is missing": lambda frame: frame.assign(
        opened=frame["opened"].where(frame.index > 0)
    ),
    "no such column": lambda frame: frame.drop(columns="closed"),
    "another type": lambda frame: frame.assign(category=1),
    "an end before the beginning": lambda frame: frame.assign(
        closed=frame["opened"] - pd.Timedelta(days=1)
    ),
}
OF_GRIDS: dict[str, Change] = {
    "a level that there is not": lambda frame: frame.assign(
        level=pd.Series("galaxy", frame.index, dtype="string")
    ),
    "less than nobody": lambda frame: frame.assign(
        households=pd.Series(-1, frame.index, dtype="Int64")
    ),
    "a number that is no whole one": lambda frame: frame.assign(households=1.5),
}
EVERY = [("problems", name) for name in CHANGES] + [("grids", name) for name in OF_GRIDS]


@pytest.mark.parametrize(("layer", "name"), EVERY, ids=[name for _, name in EVERY])
def test_what_pandera_refuses_does_not_hold(sample: Analysed, layer: str, name: str) -> None:
    frame = (CHANGES | OF_GRIDS)[name](pd.DataFrame(sample.city.layers[layer]))
    assert not kept(sample.city, layer, frame)
    assert not holds(sample.city.catalog.layer(layer), frame)


def test_the_least_and_the_most_that_a_field_may_have_hold(sample: Analysed) -> None:
    layer, frame = sample.city.catalog.layer("grids"), pd.DataFrame(sample.city.layers["grids"])
    field = layer.fields["households"].model_copy(update={"minimum": 3, "maximum": 7})
    bounded = layer.model_copy(update={"fields": {**layer.fields, "households": field}})
    for value, good in ((2, False), (3, True), (7, True), (8, False)):
        valued = frame.assign(households=pd.Series(value, frame.index, dtype="Int64"))
        assert holds(bounded, valued) == good
        try:
            schema(bounded).validate(valued)
        except pandera.errors.SchemaError:
            assert not good
        else:
            assert good


def test_pandera_is_not_asked_where_all_is_well(
    sample: Analysed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object, **__: object) -> None:
        raise AssertionError("pandera takes long to find nothing")

    monkeypatch.setattr(schemas, "schema", asked)
    replace(sample.city)


def test_a_city_without_faults_is_read_without_pandera(tmp_path: Path) -> None:
    write_town(tmp_path, [ROW])
    code = "import sys, gridmap; gridmap.read_city(sys.argv[1]); sys.exit('pandera' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, check=True)
