"""The responsibility map holds everyone who answers, phones masked unless asked."""

from __future__ import annotations

import pandas as pd
import pytest

from gridmap.analysis.responsibility.asking import ORDER
from gridmap.leaving import masked
from gridmap.measures.ownership import ownership
from gridmap.outputs import draw
from gridmap.result import Analysed


@pytest.fixture(scope="module")
def phones(sample: Analysed) -> list[str]:
    found = sample.results["responsibilities"].frame["phone"].dropna()
    return found.drop_duplicates().to_list()


def test_phones_are_masked_unless_they_are_asked_for(sample: Analysed, phones: list[str]) -> None:
    spec = sample.city.catalog.map("responsibility")
    hidden = draw(sample, spec, lang="zh").get_root().render()
    shown = draw(sample, spec, lang="zh", unmask=True).get_root().render()
    assert len(phones) > 100
    assert not any(phone in hidden for phone in phones)
    assert all(phone in shown for phone in phones)
    assert all(masked(phone) in hidden for phone in phones)


def test_everyone_in_force_is_known_with_what_he_answers_for(sample: Analysed) -> None:
    known = ownership(sample)
    assert len(known.holders) == len(sample.results["responsibilities"].frame)
    assert not (known.holders["valid_to"] <= pd.Timestamp(sample.city.as_of)).any()
    targets = {(g.layer, code) for g in known.groups for code in g.frame["code"]}
    there = set(zip(known.holders["layer"], known.holders["target"], strict=True))
    # The register names one zone and one road that there is not; the findings tell it.
    assert len(there - targets) <= 3
    kinds = {(group.layer, group.kind) for group in known.groups}
    assert {("zones", "frontage"), ("zones", "subzone"), ("grids", "grid"), ("roads", "")} <= kinds


def test_every_role_of_the_register_has_a_place_in_the_order(sample: Analysed) -> None:
    roles = sample.city.catalog.layer("assignments").fields["role"].categories
    assert list(ORDER.roles) == list(roles)


def test_the_settings_of_the_analysis_reach_the_page(sample: Analysed) -> None:
    reach = {group.layer: group.reach_m for group in ownership(sample).groups}
    assert (reach["roads"], reach["places"], reach["grids"]) == (30.0, 50.0, 0.0)
