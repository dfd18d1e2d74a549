from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import CRS, EAST, NORTH, grid_of

from gridmap.design.audit.checks import audit
from gridmap.design.audit.mend import mend

DATA = Path(__file__).parents[2] / "data"


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """Return a rectangle in metres from the south-west corner of a drawing."""
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def plain(drawing: str) -> gpd.GeoDataFrame:
    """Return drawn areas without the corners of the squares inside their edges."""
    frame = grid_of(drawing)
    return frame.set_geometry(frame.simplify(0))


def town(**columns: object) -> gpd.GeoDataFrame:
    return plain("aabb aabb ccdd").assign(
        parent=["P", "P", "Q", "Q"], households=[20, 75, 50, 50], **columns
    )


def parents() -> gpd.GeoDataFrame:
    return plain("PPPP PPPP QQQQ")


def changed(frame: gpd.GeoDataFrame, row: int, shape: object) -> gpd.GeoDataFrame:
    shapes = frame.geometry.to_numpy().copy()
    shapes[row] = shape
    return frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs, index=frame.index))


def test_a_clean_layer_stays_as_it_is() -> None:
    areas = town(extra=["x", "y", None, "z"]).set_index(pd.Index([5, 3, 9, 1]))
    mended, log = mend(areas, parents())
    assert log.empty
    pd.testing.assert_frame_equal(pd.DataFrame(mended), pd.DataFrame(areas))
    assert mended.crs == areas.crs
    assert mend(areas.iloc[:0], parents())[0].empty


def test_a_sliver_of_a_gap_goes_to_the_longest_shared_border() -> None:
    # The strip of 0.2 m has 200 m in common with b, 100 m with c and 100 m with d.
    areas = plain("bbb cd.").assign(parent="P")
    areas = changed(areas, 0, box(0, 100, 300, 200))
    areas = changed(areas, 1, box(0, 0, 100, 99.8))
    areas = changed(areas, 2, box(100, 0, 300, 99.8))
    over = plain("PPP PPP")
    mended, log = mend(areas, over)
    assert log["fix"].tolist().count("close_gap") == 1
    assert log.loc[log["fix"] == "close_gap", "areas"].tolist() == ["b"]
    assert mended.geometry.area.tolist() == pytest.approx([30_060, 9_980, 19_960])
    assert audit(mended, over).empty


def test_a_sliver_of_an_overlap_stays_with_one_area() -> None:
    areas = changed(town(), 0, box(0, 100, 200.3, 300))
    mended, log = mend(areas, parents())
    assert "settle_overlap" in log["fix"].tolist()
    assert mended.geometry.area.sum() == pytest.approx(120_000)
    assert audit(mended, parents()).empty
    assert audit(mended).empty


@pytest.mark.parametrize(
    ("row", "tongue", "loser"),
    [
        (0, (199, 200, 210, 200.3), "a"),
        (1, (190, 200, 201, 200.3), "b"),
    ],
)
def test_a_tongue_into_another_area_is_given_up(
    row: int, tongue: tuple[float, float, float, float], loser: str
) -> None:
    areas = town()
    areas = changed(areas, row, shapely.union(areas.geometry[row], box(*tongue)))
    mended, log = mend(areas, parents())
    assert log.loc[log["fix"] == "settle_overlap", "areas"].tolist() == [loser]
    assert mended.geometry.area.tolist()[:2] == pytest.approx([40_000, 40_000])


def test_of_two_that_share_alike_the_later_gives_up() -> None:
    mended, log = mend(changed(town(), 0, box(0, 100, 200.3, 300)), parents())
    assert log.loc[log["fix"] == "settle_overlap", "areas"].tolist() == ["b"]
    assert mended.geometry.area.tolist()[:2] == pytest.approx([40_060, 39_940])


@pytest.mark.parametrize(("row", "other", "shape"), [
    (2, 0, (0, 0, 200, 100.3)), (0, 2, (0, 99.7, 200, 300)),
])  # fmt: skip
def test_the_area_that_is_at_home_keeps_what_two_cover(
    row: int, other: int, shape: tuple[float, float, float, float]
) -> None:
    areas = changed(town(), row, box(*shape))
    mended, _ = mend(areas, parents())
    assert mended.geometry.area.tolist() == pytest.approx([40_000, 40_000, 20_000, 20_000])
    assert mended.geometry[other].equals(areas.geometry[other])


def test_what_is_not_safe_to_mend_is_left() -> None:
    """A broad reach over the parent, a broad overlap, a broad gap and a broad stray part."""
    stray = box(200, 280, 215, 295)
    loose = changed(town(), 2, shapely.union(box(0, 0, 200, 100), stray))
    loose = changed(loose, 1, shapely.difference(loose.geometry[1], stray))
    for areas in (
        changed(town(), 0, box(-8, 100, 200, 300)),
        changed(town(), 0, box(0, 100, 208, 300)),
        changed(town(), 0, box(0, 100, 192, 300)),
        loose,
    ):
        found = audit(areas, parents())
        assert not found.loc[0, "safe"]
        mended, log = mend(areas, parents())
        assert set(log["fix"]) <= {"match_nodes"}
        assert mended.geometry.area.tolist() == pytest.approx(areas.geometry.area.tolist())


def test_a_gap_between_parents_is_closed_inside_each() -> None:
    areas = changed(changed(town(), 0, box(0, 100.2, 200, 300)), 2, box(0, 0, 200, 99.9))
    mended, _ = mend(areas, parents())
    assert audit(mended, parents()).empty
    assert mended.geometry.area.tolist() == pytest.approx([40_000, 40_000, 20_000, 20_000])


def test_a_thin_reach_over_the_parent_is_cut_off() -> None:
    areas = changed(town(), 0, box(-0.3, 100, 200, 300))
    mended, log = mend(areas, parents())
    assert log["fix"].tolist()[-1] == "cut_at_parent"
    assert audit(mended, parents()).empty
    assert set(mend(areas)[1]["fix"]) == {"match_nodes"}


def test_a_stray_sliver_goes_to_its_neighbour_and_an_islet_stays() -> None:
    stray = box(200, 290, 210, 290.3)
    areas = changed(town(), 2, shapely.union(box(0, 0, 200, 100), stray))
    areas = changed(areas, 1, shapely.difference(areas.geometry[1], stray))
    assert audit(areas)["kind"].tolist()[0] == "orphan"
    mended, log = mend(areas)
    assert log.loc[log["fix"] == "give_to_neighbour", "areas"].tolist() == ["b"]
    assert mended.geometry.area.sum() == pytest.approx(120_000)
    assert audit(mended).empty
    islet = changed(town(), 2, shapely.union(box(0, 0, 200, 100), box(500, 0, 500.5, 1)))
    assert audit(islet)["safe"].tolist() == [False]
    assert mend(islet)[1].empty


def test_lacking_nodes_are_put_in_and_no_ground_moves() -> None:
    areas = plain("aab aac")
    assert not shapely.coverage_is_valid(areas.geometry.to_numpy())
    mended, log = mend(areas)
    assert log["fix"].tolist() == ["match_nodes"]
    assert shapely.coverage_is_valid(mended.geometry.to_numpy())
    assert mended.geometry.geom_equals(areas.geometry).all()


def test_invalid_shapes_are_made_valid() -> None:
    bow = shapely.Polygon([(EAST, NORTH + 100), (EAST + 200, NORTH + 300),
                           (EAST + 200, NORTH + 100), (EAST, NORTH + 300)])  # fmt: skip
    mended, log = mend(changed(town(), 0, bow), parents())
    assert log.loc[0, ["fix", "areas"]].tolist() == ["make_valid", "a"]
    assert mended.geometry.is_valid.all()
    assert mended.geometry[0].area == pytest.approx(20_000)


def test_what_needs_a_decision_stays_and_is_told() -> None:
    areas = changed(changed(town(), 0, box(0, 150, 200, 300)), 3, box(190, 0, 400, 100))
    areas.loc[1, "code"] = "a"
    mended, log = mend(areas, parents())
    left = audit(mended, parents())
    assert set(log["fix"]) <= {"match_nodes"}
    assert left["kind"].tolist() == ["gap", "overlap", "code_repeated"]
    assert not left["safe"].any()
    assert mended.geometry.area.tolist() == areas.geometry.area.tolist()


def test_an_area_is_never_eaten_up() -> None:
    strip = box(50, 150, 50.3, 180)
    areas = pd.concat([town(), town().iloc[:1].assign(code="e")], ignore_index=True)
    mended, _ = mend(changed(areas, 4, strip), parents())
    assert len(mended) == 5
    assert (mended.geometry.area > 1).all()


@pytest.mark.parametrize("nothing", [None, shapely.Polygon()])
def test_a_row_without_a_shape_stays(nothing: object) -> None:
    mended, _ = mend(changed(town(), 2, nothing), parents())
    assert mended["code"].tolist() == ["a", "b", "c", "d"]
    assert mended["households"].tolist() == [20, 75, 50, 50]
    assert mended.geometry.iloc[2] is None or mended.geometry.iloc[2].is_empty


def test_codes_are_tidied_unless_that_repeats_one() -> None:
    areas = town().assign(code=["０１", " 02", "３ ", "3"])
    mended, log = mend(areas)
    assert mended["code"].tolist() == ["01", "02", "３ ", "3"]
    assert log["fix"].tolist() == ["tidy_code", "tidy_code"]


def test_a_copy_is_dropped_and_a_namesake_is_not() -> None:
    areas = pd.concat([town(), town().iloc[1:2]], ignore_index=True)
    mended, log = mend(areas)
    assert mended.index.tolist() == [0, 1, 2, 3]
    assert log[["fix", "areas"]].to_numpy().tolist() == [["drop_copy", "b"]]
    areas.loc[4, "households"] = 76
    assert len(mend(areas)[0]) == 5


def test_the_faults_of_the_sample_need_a_decision() -> None:
    areas = gpd.read_file(DATA / "areas.gpkg", layer="grids").to_crs(4549)
    over = gpd.read_file(DATA / "areas.gpkg", layer="communities").to_crs(4549)
    mended, log = mend(areas, over)
    assert log.empty
    assert mended.geometry.to_wkb().equals(areas.geometry.to_wkb())


def mosaic(side: int, random_state: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return areas that tile a square without any right angle inside, and their parents."""
    random = np.random.default_rng(random_state)
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    sites = np.column_stack([x.ravel(), y.ravel()]) * 100 + random.uniform(-35, 35, (side**2, 2))
    sites += (EAST, NORTH)
    whole = box(-50, -50, side * 100 - 50, side * 100 - 50)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(sites)))
    cells = shapely.intersection(cells, whole)
    west = shapely.get_x(shapely.centroid(cells)) < EAST + side * 50 - 50
    areas = gpd.GeoDataFrame(
        {
            "code": [f"{k:02d}" for k in range(len(cells))],
            "parent": np.where(west, "W", "E"),
            "households": random.integers(1, 99, len(cells)),
        },
        geometry=cells,
        crs=CRS,
    )
    over = areas.dissolve("parent").reset_index()[["parent", "geometry"]]
    return areas, over.rename(columns={"parent": "code"})


@settings(max_examples=40)
@given(
    random_state=st.integers(0, 50),
    moves=st.lists(
        st.tuples(st.integers(0, 15), st.floats(-0.1, 0.1), st.floats(-0.1, 0.1)),
        max_size=8,
        unique_by=lambda move: move[0],
    ),
)
def test_random_slivers_are_mended_to_a_valid_coverage(
    random_state: int, moves: list[tuple[int, float, float]]
) -> None:
    areas, over = mosaic(4, random_state)
    shapes = areas.geometry.to_numpy().copy()
    for row, east, north in moves:
        shapes[row] = shapely.affinity.translate(shapes[row], east, north)
    dirty = areas.set_geometry(gpd.GeoSeries(shapes, crs=CRS))
    mended, _ = mend(dirty, over)
    made = mended.geometry.to_numpy()
    assert audit(mended, over)["kind"].tolist() == []
    assert shapely.coverage_is_valid(made)
    assert shapely.area(made).sum() == pytest.approx(shapely.area(over.geometry).sum(), abs=1e-3)
    assert mended["households"].sum() == areas["households"].sum()
    assert mended["code"].tolist() == areas["code"].tolist()
    # No area moved by more than what was done to it and its neighbours.
    change = shapely.area(shapely.symmetric_difference(made, areas.geometry.to_numpy()))
    assert (change < len(moves) * 0.3 * shapely.length(made) + 1e-6).all()
    again, log = mend(mended, over)
    assert log.empty
    assert again.geometry.to_wkb().equals(mended.geometry.to_wkb())
