"""The main job on the sample city finds what its generator planted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from gridmap.config import read_city_file
from gridmap.errors import ConformError
from gridmap.measures.analyse import analyse
from gridmap.measures.registry import load_measures
from gridmap.model import Receipt
from gridmap.result import Analysed
from gridmap.schema import schema
from gridmap.settings import Analysis

ROOT = Path(__file__).parent.parent
REASONS = {
    "unparseable_time": "no_time:opened",
    "closed_before_reported": "order:closed",
    "repeated_id": "repeated:code",
}


def problems_receipt(sample: Analysed) -> Receipt:
    return next(receipt for receipt in sample.city.receipts if receipt.layer == "problems")


def frame(sample: Analysed, name: str) -> gpd.GeoDataFrame:
    found = sample.frame(name)
    assert isinstance(found, gpd.GeoDataFrame)
    return found


def test_every_row_is_placed_or_quarantined(sample: Analysed) -> None:
    for receipt in sample.city.receipts:
        assert receipt.rows == receipt.placed + receipt.quarantined
        assert receipt.quarantined == len(receipt.rejected)
    placed: dict[str, int] = {}
    for receipt in sample.city.receipts:
        placed[receipt.layer] = placed.get(receipt.layer, 0) + receipt.placed
    assert placed == {name: len(rows) for name, rows in sample.city.layers.items()}


@pytest.mark.parametrize("defect", sorted(REASONS))
def test_planted_dirty_rows_are_found_by_reason(
    sample: Analysed, planted: dict[str, Any], defect: str
) -> None:
    rejected = problems_receipt(sample).rejected
    found = rejected[rejected["gridmap_reason"] == REASONS[defect]]
    assert sorted(found["编号"]) == sorted(planted["dirty_rows"][defect]["ids"])


def test_rows_without_a_place_are_told_from_exchanged_ones(
    sample: Analysed, planted: dict[str, Any]
) -> None:
    rejected = problems_receipt(sample).rejected
    codes = rejected.groupby("gridmap_reason")["编号"].apply(set)
    away = set(planted["dirty_rows"]["out_of_area"]["ids"])
    # A third of those out of the city are exchanged, a third lie at (0, 0).
    assert codes["swapped"] | codes["outside"] == away - codes["no_place"]
    assert len(codes["swapped"]) == len(codes["outside"]) == len(codes["no_place"] & away) == 10
    missing = set(planted["dirty_rows"]["no_coordinates"]["ids"])
    assert codes["no_place"] == missing | (away & codes["no_place"])


def test_nothing_but_the_planted_rows_is_quarantined(
    sample: Analysed, planted: dict[str, Any]
) -> None:
    dirty = sum(entry["count"] for entry in planted["dirty_rows"].values())
    assert problems_receipt(sample).quarantined == dirty
    assert sum(receipt.quarantined for receipt in sample.city.receipts) == dirty


@pytest.mark.parametrize("kind", ["gaps", "overlaps"])
def test_planted_gaps_and_overlaps_are_found(
    sample: Analysed, planted: dict[str, Any], kind: str
) -> None:
    found = frame(sample, kind)
    assert sorted(found["area_m2"]) == pytest.approx(
        sorted(entry["area_m2"] for entry in planted[kind]), rel=1e-3
    )
    places = gpd.GeoSeries.from_xy(
        [entry["lon"] for entry in planted[kind]],
        [entry["lat"] for entry in planted[kind]],
        crs=4326,
    ).to_crs(found.crs)
    assert len(places) > 0
    assert max(found.distance(place).min() for place in places) < 1.0
    if kind == "overlaps":
        pairs = {tuple(sorted((e["grid"], e["neighbour"]))) for e in planted[kind]}
        assert set(zip(found["first"], found["second"], strict=True)) == pairs


def test_planted_problems_without_a_grid_are_found(
    sample: Analysed, planted: dict[str, Any]
) -> None:
    unassigned = frame(sample, "unassigned")
    homeless = unassigned.loc[unassigned["no_grid"], "code"]
    assert sorted(homeless) == sorted(planted["in_no_grid"]["ids"])
    assert frame(sample, "gaps")["problems"].sum() == planted["in_no_grid"]["count"]
    assert frame(sample, "overlaps")["problems"].sum() == planted["in_two_grids"]["count"]


def test_problems_in_two_grids_belong_to_the_lower_code(
    sample: Analysed, planted: dict[str, Any]
) -> None:
    problems = frame(sample, "problems").set_index("code")
    lower = {min(entry["grid"], entry["neighbour"]) for entry in planted["overlaps"]}
    assert set(problems.loc[planted["in_two_grids"]["ids"], "grid"]) <= lower


def test_the_dead_corner_is_found(sample: Analysed, planted: dict[str, Any]) -> None:
    unassigned = frame(sample, "unassigned")
    found = unassigned.loc[unassigned["no_zone"] == "subzone", "code"]
    assert sorted(found) == sorted(planted["dead_corner"]["problems"]["ids"])


def test_the_fallback_pile_is_found_and_kept_out_of_the_analysis(
    sample: Analysed, planted: dict[str, Any]
) -> None:
    pile = planted["fallback_pile"]
    piles = frame(sample, "piles")
    assert piles["problems"].to_list() == [pile["count"]]
    place = piles.to_crs(4326).geometry[0]
    assert (place.x, place.y) == pytest.approx((pile["lon"], pile["lat"]), abs=1e-5)
    problems = frame(sample, "problems").set_index("code")
    on_pile = problems.loc[pile["ids"]]
    assert on_pile["pile"].all()
    assert on_pile["grid"].isna().all()
    assert problems["pile"].sum() == pile["count"]
    counted = frame(sample, "hotspot_cells")["count"].sum()
    assert counted == len(problems) - pile["count"]


def test_planted_hot_spots_are_hot(sample: Analysed, planted: dict[str, Any]) -> None:
    cells = frame(sample, "hotspot_cells")
    hot = cells[cells["hotspot"] == "hot"]
    assert 0 < len(hot) < 0.15 * len(cells)
    for spot in planted["hot_spots"]:
        centre = shapely.Point(spot["x"], spot["y"])
        assert hot.distance(centre).min() < spot["sigma_m"] / 4, spot["name"]


def test_households_and_problems_add_up(sample: Analysed) -> None:
    loads = frame(sample, "grid_results")
    buildings = frame(sample, "buildings")
    assert buildings["grid"].notna().all()
    assert loads["households"].sum() == buildings["occupied"].sum()
    problems = frame(sample, "problems")
    assert loads["problems"].sum() == problems["grid"].notna().sum()
    assert loads["open"].sum() == ((problems["state"] == "open") & problems["grid"].notna()).sum()
    minutes = sample.city.layers["categories"].set_index("code")["minutes"]
    placed = problems[problems["grid"].notna()]
    cases = frame(sample, "fairness")["case_hours"].sum()
    assert cases == pytest.approx(placed["category"].map(minutes).sum() / 60)


def test_the_hours_of_a_grid_are_the_same_wherever_they_are_told(sample: Analysed) -> None:
    loads, fair = frame(sample, "grid_results"), frame(sample, "fairness")
    assert list(loads["code"]) == list(fair["code"])
    for name in ("hours", "hours_per_member"):
        assert loads[name].notna().all()
        pd.testing.assert_series_equal(loads[name], fair[name])
    assert sample.summary["hours"] == pytest.approx(fair["hours"].sum())
    unit = {
        layer: sample.city.catalog.layer(layer).fields["hours_per_member"].label
        for layer in ("grid_results", "fairness")
    }
    assert unit["grid_results"] == unit["fairness"]


def test_every_result_is_what_its_layer_says(sample: Analysed) -> None:
    for name, result in sample.results.items():
        schema(result.layer, derived=True).validate(result.frame)
        assert result.layer.name == name


def test_the_analysis_changes_nothing_that_it_is_given(sample: Analysed) -> None:
    before = {name: rows.copy(deep=True) for name, rows in sample.city.layers.items()}
    settings = read_city_file(ROOT / "data").analysis
    again = analyse(sample.city, settings)
    for name, rows in before.items():
        pd.testing.assert_frame_equal(sample.city.layers[name], rows)
    assert again.summary == sample.summary


def test_each_measure_is_told_once_when_it_begins(sample: Analysed) -> None:
    told: list[str] = []
    analyse(sample.city, progress=told.append, workers=1)
    makes = [measure.makes[0] for measure in load_measures().measures]
    # The sample has no micro-grids of its own; it has all else.
    assert sorted(told) == sorted(set(makes) - {"transfers"})
    before = {name: place for place, name in enumerate(told)}
    assert before["case_table"] < before["grid_results"] < before["hotspots"]


@pytest.mark.parametrize("left_out", ["problems", "zones", "buildings", "grids", "categories"])
def test_a_city_without_a_layer_is_analysed_all_the_same(sample: Analysed, left_out: str) -> None:
    layers = {name: rows for name, rows in sample.city.layers.items() if name != left_out}
    found = analyse(replace(sample.city, layers=layers))
    assert ("hotspot_cells" in found.results) == (left_out != "problems")
    assert ("grid_results" in found.results) == (left_out != "grids")


def test_a_level_that_is_not_there_is_an_error(sample: Analysed) -> None:
    with pytest.raises(ConformError, match="the levels are: district, street, community, grid"):
        analyse(sample.city, Analysis(level="yard"))


def test_the_planted_spot_of_the_last_months_emerges_and_no_other(
    sample: Analysed, planted: dict[str, Any]
) -> None:
    found = frame(sample, "emerging")
    assert set(schema(sample.results["emerging"].layer, derived=True).columns) <= set(found)
    spots = {entry["name"]: entry for entry in planted["hot_spots"]}
    places = gpd.GeoSeries.from_xy(
        [spots[name]["lon"] for name in spots], [spots[name]["lat"] for name in spots], crs=4326
    ).to_crs(found.crs)
    rising = found[found["pattern"].isin(["new_hot", "consecutive_hot", "intensifying_hot"])]
    away = {name: rising.distance(place) for name, place in zip(spots, places, strict=True)}
    assert len(rising) >= 3
    assert away["new dump"].min() < spots["new dump"]["sigma_m"]
    near = away["new dump"] < 2 * spots["new dump"]["sigma_m"]
    assert near.mean() > 0.8
    # Of twenty discoveries at this rate of false ones, one may be by chance.
    apart = pd.concat([away[name] / spots[name]["sigma_m"] for name in spots], axis=1).min(axis=1)
    assert (apart > 2.5).mean() < 0.1
    assert (away["night market"] > 2 * spots["night market"]["sigma_m"]).all()
    assert sample.summary["emerging_hot"] == len(rising)


def test_emerging_hot_spots_of_a_level_and_with_too_few_bins(sample: Analysed) -> None:
    by_grid = analyse(sample.city, Analysis(emerging_bin="14D"))
    grids = sample.city.areas(sample.city.levels[-1])
    assert list(by_grid.frame("emerging")["code"]) == list(grids["code"])
    assert by_grid.results["emerging"].parameters["emerging_bin"] == "14D"
    assert "emerging" not in analyse(sample.city, Analysis(emerging_bin="50D")).results
    assert "emerging" not in analyse(sample.city, Analysis(emerging_bin="")).results
    with pytest.raises(ConformError, match="no width of time"):
        analyse(sample.city, Analysis(emerging_bin="moon"))
    with pytest.raises(ConformError, match="No grids of level 'moon'"):
        analyse(sample.city, Analysis(emerging_level="moon"))


def test_rates_by_household_need_households(sample: Analysed) -> None:
    layers = {name: rows for name, rows in sample.city.layers.items() if name != "buildings"}
    layers["grids"] = layers["grids"].assign(
        households=pd.Series(pd.NA, index=layers["grids"].index, dtype="Int64")
    )
    with pytest.raises(ConformError, match="no unit has any; add buildings"):
        analyse(replace(sample.city, layers=layers), Analysis(exposure="households"))


def test_hot_spots_by_permutation_of_rates_with_a_minimum(sample: Analysed) -> None:
    settings = Analysis(
        h3_resolution=10, permutations=9999, exposure="households", minimum_count=40, alpha=0.2
    )
    found = analyse(sample.city, settings)
    cells = frame(found, "hotspot_cells")
    assert (cells["p"] >= 2 / 10_000).all()
    assert (cells.loc[cells["hotspot"] == "hot", "count"] >= 40).all()
    assert (cells["hotspot"] == "hot").any()
    assert (cells["hotspot"] == "too_few").any()
    counted = analyse(sample.city, Analysis(exposure="none"), want=["hotspots"])
    assert (frame(found, "hotspots")["z"] != frame(counted, "hotspots")["z"]).all()


def test_each_source_has_its_hot_spots_and_blind_spots_are_told(
    sample: Analysed, planted: dict[str, Any]
) -> None:
    settings = Analysis(
        h3_resolution=11, residents=("12345热线", "随手拍"), patrols=("巡查", "视频")
    )
    problems = sample.city.frame("problems")
    (spot,) = (one for one in planted["hot_spots"] if one["name"] == "parking")
    near = problems.distance(shapely.Point(spot["x"], spot["y"])) < 200
    sent = problems["source"].isin(settings.patrols)
    # Nobody is sent to where the parking is.
    kept = problems[~(near & sent)].reset_index(drop=True)
    city = replace(sample.city, layers={**sample.city.layers, "problems": kept})
    found = analyse(city, settings, want=["unseen"])
    by_source = frame(found, "source_hotspots")
    cells = frame(found, "hotspot_cells").set_index("code")
    counts = by_source.groupby("cell")["count"].sum()
    assert counts.reindex(cells.index).eq(cells["count"]).all()
    assert set(by_source["source"]) == {*settings.residents, *settings.patrols}
    unseen = frame(found, "unseen")
    assert len(unseen) > 0
    assert (unseen.distance(shapely.Point(spot["x"], spot["y"])) < 200).all()
    assert sample.frame("unseen").empty


def test_grids_like_their_neighbours_are_told_by_rates(sample: Analysed) -> None:
    found = frame(sample, "clusters")
    loads = frame(sample, "grid_results")
    crude = 100 * loads["problems"] / loads["households"]
    assert found["value"].between(crude.min(), crude.max()).all()
    assert found["value"].std() < crude.std()
    assert set(found["cluster"]) <= {"high_high", "low_low", "high_low", "low_high", "none"}
