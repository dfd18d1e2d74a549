import subprocess
import sys
from pathlib import Path

import pytest

from gridmap.catalog import load_catalog
from gridmap.errors import CatalogError
from gridmap.schema import schema

ROOT = Path(__file__).parent.parent


def write(folder: Path, kind: str, name: str, text: str) -> Path:
    (folder / kind).mkdir(exist_ok=True)
    file = folder / kind / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_catalogue_has_what_the_product_needs() -> None:
    catalog = load_catalog()
    needed = {"buildings", "grids", "microgrids", "zones", "roads", "places", "problems"}
    assert needed | {"grid_results", "hotspots"} <= set(catalog.layers)
    assert {
        "battle",
        "dead_corners",
        "fairness",
        "heatmap",
        "workload",
        "coverage",
        "hotspots",
        "emerging",
        "overdue",
        "recurrence",
        "responsibility",
        "road_levels",
        "black_spots",
    } <= set(catalog.maps_of("run"))
    assert {"plan", "plan_changes"} == set(catalog.maps_of("plan"))
    for layer in catalog.in_order:
        for field in layer.fields.values():
            assert field.label.zh != field.label.en
            assert field.description.zh != field.description.en


def test_records_are_frozen() -> None:
    layer = load_catalog().layer("grids")
    with pytest.raises(Exception, match="frozen"):
        layer.name = "other"
    with pytest.raises(TypeError):
        layer.fields["code"] = None  # type: ignore[index]


def test_a_city_overrides_one_key_and_keeps_the_rest(tmp_path: Path) -> None:
    shipped = load_catalog().layer("grids")
    catalog = load_catalog(write(tmp_path, "layers", "grids", '[symbology]\nstroke = "#123456"\n'))
    changed = catalog.layer("grids")
    assert changed.symbology is not None
    assert changed.symbology.stroke == "#123456"
    assert changed.fields == shipped.fields
    assert load_catalog().layer("grids") == shipped


def test_a_city_adds_a_layer_and_a_map(tmp_path: Path) -> None:
    write(
        tmp_path,
        "layers",
        "trees",
        'title = {en="Trees", zh="树"}\ndescription = {en="Trees", zh="树"}\n'
        'geometry = "Point"\nrole = "input"\nkey = "code"\n'
        '[fields.code]\ntype = "string"\nrequired = true\nunique = true\n'
        'label = {en="Code", zh="编码"}\ndescription = {en="Code of it", zh="其编码"}\n'
        '[symbology]\nkind = "single"\ncolours = ["#00aa00"]\n',
    )
    write(
        tmp_path,
        "maps",
        "green",
        'title = {en="Green", zh="绿"}\ndescription = {en="Green", zh="绿"}\n'
        'needs = ["trees"]\n[[layers]]\nlayer = "trees"\npopup = ["code"]\n',
    )
    catalog = load_catalog(tmp_path)
    assert catalog.layer("trees").geometry == "Point"
    assert catalog.map("green").layers[0].layer == "trees"


@pytest.mark.parametrize(
    ("kind", "name", "text", "says"),
    [
        ("layers", "grids", "geometry = Polygon", "grids.toml: not valid TOML"),
        ("layers", "grids", 'geometri = "Polygon"', "did you mean 'geometry'"),
        ("layers", "grids", 'geometry = "Poly"', "geometry: must be one of"),
        ("layers", "grids", 'label = "nam"', "label names 'nam', which is no field"),
        ("layers", "grids", '[symbology]\nstroke = "red"', "symbology.stroke"),
        ("layers", "grids", '[symbology.classes]\nplanet = "#000000"', "planet"),
        ("layers", "density", "[symbology]\nbreaks = [1.0]", "one break fewer"),
        ("layers", "density", "[symbology]\nbreaks = [1.0, 3.0, 2.0, 4.0]", "rise"),
        ("layers", "grids", 'name = "other"', "the file is 'grids.toml'"),
        ("maps", "workload", '[[layers]]\nlayer = "nowhere"', "no layer 'nowhere'"),
        ("maps", "workload", 'needs = ["nowhere"]', "no layer 'nowhere'"),
        ("maps", "workload", '[[layers]]\nlayer = "grids"\npopup = ["x"]', "no field 'x'"),
    ],
)
def test_a_mistake_names_file_key_and_remedy(
    tmp_path: Path, kind: str, name: str, text: str, says: str
) -> None:
    folder = write(tmp_path, kind, name, text)
    with pytest.raises(CatalogError) as caught:
        load_catalog(folder)
    assert says in str(caught.value)
    assert f"{name}.toml" in str(caught.value)


SHOWN = 'layer = "grids"\n'


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        (SHOWN + 'counts = "nowhere"', "layers 1 (grids).counts: there is no layer 'nowhere'"),
        (SHOWN + 'style = "odd"', "layers 1 (grids).style: layer 'grids' has no style 'odd'"),
        (
            SHOWN + 'attributes = ["odd"]',
            "layers 1 (grids).attributes: layer 'grids' has no field 'odd'",
        ),
        (
            SHOWN + 'labels = ["name", "odd"]',
            "layers 1 (grids).labels: layer 'grids' has no field 'odd'",
        ),
        (SHOWN + 'split = "odd"', "layers 1 (grids).split: layer 'grids' has no field 'odd'"),
        (SHOWN + '[[layers]]\nlayer = "odd"', "layers 2 (odd).layer: there is no layer 'odd'"),
        ('layer = "roads"\ntints = true', "layers 1 (roads).tints: layer 'roads' has no areas"),
        (
            'layer = "density"\ntints = true',
            "layers 1 (density).tints: the colours of layer 'density'",
        ),
        ('layer = "plan"\ntints = true\ncounts = "problems"', "already show something"),
        ('layer = "plan"\ntints = true\nattributes = ["households"]', "already show something"),
        ('layer = "plan"\ntints = true', "already show something"),
        ('layer = "plan"\ntints = true\nsplit = "deviation"', ""),
        (SHOWN + 'popup = ["code"]\ncounts = "problems"\nlabels = ["name"]', ""),
    ],
)
def test_what_a_map_shows_must_be_there(tmp_path: Path, shown: str, says: str) -> None:
    text = (
        'title = {en="Mine", zh="我的"}\ndescription = {en="Mine", zh="我的"}\nneeds = []\n'
        f"[[layers]]\n{shown}\n"
    )
    folder = write(tmp_path, "maps", "mine", text)
    if not says:
        assert load_catalog(folder).map("mine").layers[0].show
        return
    with pytest.raises(CatalogError) as caught:
        load_catalog(folder)
    assert says in str(caught.value)


def test_a_map_adds_to_those_of_its_job_and_layers_stand_inputs_first() -> None:
    catalog = load_catalog()
    order = [(layer.role, layer.name) for layer in catalog.in_order]
    assert order == sorted(order)
    assert set(catalog.maps_of("run")) | set(catalog.maps_of("plan")) == set(catalog.maps)
    assert repr(catalog) == f"<Catalog: {len(catalog.layers)} layers, {len(catalog.maps)} maps>"


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(CatalogError, match=r"no layer 'grid'; did you mean 'grids'"):
        load_catalog().layer("grid")
    with pytest.raises(CatalogError, match=r"no layer 'xyz'; there are: .*grids"):
        load_catalog().layer("xyz")
    with pytest.raises(CatalogError, match=r"no map 'heat'; did you mean 'heatmap'"):
        load_catalog().map("heat")


def test_cities_that_define_nothing_share_one_catalogue(tmp_path: Path) -> None:
    assert load_catalog(tmp_path) is load_catalog()
    (tmp_path / "layers").mkdir()
    assert load_catalog(tmp_path) is load_catalog()
    own = (ROOT / "layers" / "piles.toml").read_text(encoding="utf-8")
    (tmp_path / "layers" / "heaps.toml").write_text(own, encoding="utf-8")
    assert "heaps" in load_catalog(tmp_path).layers
    assert "heaps" not in load_catalog().layers


def test_a_schema_has_the_catalogues_columns_and_rules() -> None:
    layer = load_catalog().layer("problems")
    made = schema(layer)
    assert list(made.columns) == list(layer.inputs)
    assert made.columns["code"].unique
    assert not made.columns["opened"].nullable
    assert made.columns["closed"].nullable
    assert "state" in schema(layer, derived=True).columns


def test_the_reference_is_made_from_the_catalogue() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
