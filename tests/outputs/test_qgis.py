"""Styles for QGIS: as XML, and as a real QGIS applies them."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gridmap.outputs import write_layers
from gridmap.outputs.qgis import qml
from gridmap.outputs.symbology import paint
from gridmap.result import Analysed

PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("qgis_colours.py")


def colours_of(analysed: Analysed, name: str) -> dict[str, str]:
    """The colour of every feature's fill, by its code, as the HTML map paints it."""
    layer = analysed.city.catalog.layer(name)
    frame = analysed.frame(name)
    assert frame is not None
    painted = paint(layer, frame)
    fills = [painted.styles[key].fill for key in painted.keys]
    return {str(code): fill for code, fill in zip(frame["code"], fills, strict=True)}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_layer_has_a_style_with_its_labels(sample: Analysed, lang: str) -> None:
    for layer in sample.city.catalog.in_order:
        frame = sample.frame(layer.name)
        if frame is None or layer.symbology is None:
            continue
        root = ET.fromstring(qml(layer, frame, lang))
        assert root.find("renderer-v2") is not None
        aliases = {alias.get("field"): alias.get("name") for alias in root.iter("alias")}
        assert aliases["code"] == layer.fields["code"].label.get(lang)
        if layer.symbology.kind == "categorised":
            labels = {category.get("label") for category in root.iter("category")}
            field = layer.fields[layer.symbology.field]
            assert {label.get(lang) for label in field.categories.values()} <= labels


def test_a_heat_map_leaves_the_fallback_points_out(sample: Analysed) -> None:
    frame = sample.frame("problems")
    assert frame is not None
    renderer = ET.fromstring(qml(sample.city.catalog.layer("problems"), frame)).find("renderer-v2")
    assert renderer is not None
    assert '"pile"' in str(renderer.get("weight_expression"))


@pytest.mark.qgis
def test_qgis_opens_every_layer_with_the_colours_of_the_map(
    sample: Analysed, tmp_path: Path
) -> None:
    known = shutil.which(PYTHON) and subprocess.run(
        [PYTHON, "-c", "import qgis.core"], capture_output=True, check=False
    )
    if not known or known.returncode:
        pytest.skip("QGIS is not installed: apt-get install qgis python3-qgis")
    (path,) = write_layers(sample, tmp_path, formats=["gpkg"], lang="zh")
    done = subprocess.run(
        [PYTHON, SCRIPT, path],
        capture_output=True,
        text=True,
        check=True,
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "PATH": os.environ["PATH"]},
    )
    seen = json.loads(done.stdout)
    spatial = {name for name, frame in sample.city.layers.items() if "geometry" in frame}
    spatial |= {name for name, result in sample.results.items() if "geometry" in result.frame}
    assert set(seen) == spatial
    for name in sorted(spatial):
        assert seen[name]["crs"] == "EPSG:4549"
        assert seen[name]["alias"] == sample.city.catalog.layer(name).fields["code"].label.zh
        if name == "problems":
            assert seen[name]["renderer"] == "heatmapRenderer"
        elif name == "roads":
            assert set(seen[name]["colours"].values()) == {"#a0aec0"}
        else:
            assert seen[name]["colours"] == colours_of(sample, name), name
