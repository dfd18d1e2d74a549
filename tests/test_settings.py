"""Defaults and limits of the settings: who leaves one out must get the same as ever."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from pydantic import ValidationError

from gridmap.settings import Analysis, Design

NUMBERS = {
    "default_minutes": 30.0, "h3_resolution": 9, "alpha": 0.05, "neighbour_m": 1.0,
    "permutations": 0, "random_state": 0, "minimum_count": 0, "lixel_m": 100.0,
    "road_bandwidth_m": 200.0, "snap_m": 50.0, "road_crossings": False, "black_spot_minimum": 3,
    "bandwidth_m": None, "pile_share": 0.01, "pile_minimum": 30, "margin_m": 1000.0,
    "gap_minimum_m2": 1.0, "recurrence.within_m": 50.0, "recurrence.days": 30.0, "kpis.small": 20,
    "alarms.days": 365.0, "alarms.most_bins": 28, "alarms.most_share": 0.1,
    "alarms.replicates": 999, "reporting.within_m": 30.0, "reporting.most_days": 90.0,
    "reporting.lifetime_days": 30.0, "reporting.confidence": 0.9,
    "responsibility.lead_share": 0.1, "responsibility.seam_m": 10.0,
    "responsibility.frontage_m": 5.0, "responsibility.road_m": 30.0,
    "responsibility.place_m": 50.0, "fairness.tolerance": 0.2, "fairness.moves": 20,
    "fairness.across": False, "clock.make_up": None, "clock.soon.amount": 8.0,
    "clock.look_back.amount": 7.0,
}  # fmt: skip
CHOICES = {
    "target": 50.0, "minimum": None, "maximum": None, "cut_large": False, "other_roads": 0.1,
    "compound_wall": 0.3, "keep_building": 4.0, "keep_compound": 0.5, "simplify_m": 1.0,
    "random_state": 0, "roads.motorway": 3.0, "roads.trunk": 2.0, "roads.primary": 1.0,
    "roads.main": 1.0, "roads.secondary": 1.0, "roads.tertiary": 0.5, "roads.residential": 0.1,
    "barriers.river": math.inf, "barriers.railway": math.inf, "barriers.wall": 1.0,
}  # fmt: skip


def numbers_of(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return every value that is no text and no list, by its dotted name."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            found |= numbers_of(value, f"{prefix}{name}.")
        elif not isinstance(value, str | tuple):
            found[f"{prefix}{name}"] = value
    return found


def test_what_is_left_out_has_its_default() -> None:
    assert numbers_of(Analysis().model_dump()) == NUMBERS
    assert numbers_of(Design().model_dump()) == CHOICES
    assert Analysis().kpis.by == ((), ("area",), ("department",), ("source",), ("category",))


def nested(name: str, value: object) -> dict[str, Any]:
    for part in reversed(name.split(".")):
        value = {part: value}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("default_minutes", 0, -0.1),
        ("h3_resolution", 0, -1),
        ("h3_resolution", 15, 16),
        ("alpha", 1e-9, 0),
        ("alpha", 0.999, 1),
        ("neighbour_m", 0, -0.1),
        ("permutations", 0, -1),
        ("random_state", 0, -1),
        ("minimum_count", 0, -1),
        ("lixel_m", 0.1, 0),
        ("road_bandwidth_m", 0.1, 0),
        ("snap_m", 0, -0.1),
        ("black_spot_minimum", 1, 0),
        ("bandwidth_m", 0.1, 0),
        ("pile_share", 1e-9, 0),
        ("pile_share", 1, 1.01),
        ("pile_minimum", 2, 1),
        ("margin_m", 0, -0.1),
        ("gap_minimum_m2", 0, -0.1),
        ("recurrence.within_m", 0.1, 0),
        ("recurrence.days", 0.1, 0),
        ("kpis.small", 0, -1),
        ("responsibility.lead_share", 0, -0.1),
        ("responsibility.lead_share", 1, 1.1),
        ("responsibility.seam_m", 0.1, 0),
        ("responsibility.frontage_m", 0.1, 0),
        ("responsibility.road_m", 0, -0.1),
        ("responsibility.place_m", 0, -0.1),
        ("fairness.tolerance", 0, -0.1),
        ("fairness.moves", 0, -1),
        (
            "clock.soon",
            {"amount": 0, "unit": "working_days"},
            {"amount": -1, "unit": "working_days"},
        ),
    ],
)
def test_a_threshold_of_the_analysis_has_its_limit(
    name: str, taken: object, refused: object
) -> None:
    Analysis.model_validate(nested(name, taken))
    with pytest.raises(ValidationError, match=name.rpartition(".")[2]):
        Analysis.model_validate(nested(name, refused))


@pytest.mark.parametrize(
    ("taken", "refused"),
    [
        ({"target": 0.1}, {"target": 0}),
        ({"minimum": 0}, {"minimum": -1}),
        ({"minimum": 50}, {"minimum": 50.1}),
        ({"maximum": 50}, {"maximum": 49.9}),
        ({"target": 1, "minimum": 0, "maximum": 1}, {"target": 1, "maximum": 0}),
        ({"counts": {"shops": 1}}, {"counts": {"shops": 0}}),
        ({"other_roads": 0}, {"other_roads": -0.1}),
        ({"compound_wall": 0}, {"compound_wall": -0.1}),
        ({"keep_building": 0}, {"keep_building": -0.1}),
        ({"keep_compound": 0}, {"keep_compound": -0.1}),
        ({"simplify_m": 0}, {"simplify_m": -0.1}),
        ({"random_state": 0}, {"random_state": -1}),
    ],
)
def test_a_choice_of_a_design_has_its_limit(taken: dict[str, Any], refused: dict[str, Any]) -> None:
    Design.model_validate(taken)
    with pytest.raises(ValidationError):
        Design.model_validate(refused)


def test_bounds_follow_from_the_target_unless_they_are_given() -> None:
    design = Design(target=100)
    assert (design.least, design.most) == pytest.approx((60, 140))
    own = Design(target=100, minimum=10, maximum=200)
    assert (own.least, own.most) == (10, 200)
    assert pickle.loads(pickle.dumps(own)) == own  # noqa: S301 - our own bytes


def test_names_of_old_are_still_read() -> None:
    step = {"source": "census", "target": "buildings", "field": "households", "onto": "occupied"}
    old = Analysis.model_validate({"transfers": [step], "duties": {"seam_m": 3.0}})
    new = Analysis.model_validate({"interpolate": [step], "responsibility": {"seam_m": 3.0}})
    assert old == new
    assert old.interpolate[0].reach_m == 50
    with pytest.raises(ValidationError, match="reach_m"):
        Analysis.model_validate({"interpolate": [{**step, "reach_m": -1}]})
