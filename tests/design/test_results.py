from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from towns import joined_of

from gridmap.catalog import load_catalog
from gridmap.design import as_layers, design_grids, lock, resize_grids, split, undo
from gridmap.design.plan import Plan
from gridmap.errors import SourceError
from gridmap.outputs import draw, write_layers, write_report
from gridmap.result import Analysed
from gridmap.settings import Design
from gridmap.sources.plan import read_plan


@pytest.fixture(scope="module")
def plan(sample: Analysed) -> Plan:
    return design_grids(sample.city)


def test_a_plan_comes_back_as_it_was(sample: Analysed, plan: Plan, tmp_path: Path) -> None:
    edited = lock(split(plan, _largest(plan)).plan, [str(plan.code[0])])
    edited = resize_grids(edited, settings=Design(target=60))
    edited = split(edited, _largest(edited)).plan
    (path,) = write_layers(as_layers(edited, sample.city), tmp_path, formats=["gpkg"])
    city, back = read_plan(path, load_catalog())
    assert city.name == "qinghe"
    assert back.settings == edited.settings
    assert back.retired == edited.retired
    assert list(back.log) == list(edited.log)
    assert joined_of(back) == joined_of(edited)
    pd.testing.assert_frame_equal(back.microgrids, edited.microgrids)
    for name in ("weight", "x", "y", "starts", "neighbour", "border_m", "barrier", "together"):
        assert np.array_equal(getattr(back.graph, name), getattr(edited.graph, name)), name
    assert joined_of(undo(back)) == joined_of(undo(edited))


def _largest(plan: Plan) -> str:
    atoms = np.bincount(plan.label)
    return str(plan.code[int(np.argmax(atoms))])


def test_the_same_plan_gives_the_same_bytes(sample: Analysed, plan: Plan, tmp_path: Path) -> None:
    digests = set()
    for name, made in (("a", plan), ("b", design_grids(sample.city))):
        folder = tmp_path / name
        folder.mkdir()
        layers = as_layers(made, sample.city)
        files = [*write_layers(layers, folder, formats=["gpkg"]), *write_report(layers, folder)]
        digests.add(tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in files))
    assert len(digests) == 1


def test_both_maps_of_a_plan_can_be_drawn(sample: Analysed, plan: Plan) -> None:
    resized = resize_grids(plan, settings=Design(target=80))
    layers = as_layers(resized, sample.city)
    for name in load_catalog().maps_of("plan"):
        for lang in ("en", "zh"):
            html = draw(layers, load_catalog().map(name), lang=lang).get_root().render()
            assert load_catalog().map(name).title.get(lang) in html


def test_what_is_no_plan_is_refused(sample: Analysed, tmp_path: Path) -> None:
    (path,) = write_layers(sample, tmp_path, formats=["gpkg"])
    with pytest.raises(SourceError, match="no plan"):
        read_plan(path, load_catalog())
    with pytest.raises(SourceError, match="no such file"):
        read_plan(tmp_path / "none.gpkg", load_catalog())
