"""The responsibility map lists everyone who answers for an area, phones masked unless asked."""

from __future__ import annotations

import pandas as pd
import pytest

from gridmap.outputs import draw
from gridmap.outputs._people import people_in, people_of
from gridmap.privacy import masked
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
    told = [phone for phone in phones if phone in shown]
    assert len(told) > 100
    assert {phone for phone in told if masked(phone) in hidden} == set(told)


def test_everyone_in_force_is_listed_in_order(sample: Analysed) -> None:
    people = people_of(sample)
    rows = sample.results["responsibilities"].frame
    assert sum(map(len, people.values())) == len(rows)
    now = pd.Timestamp(sample.city.as_of)
    assert not (rows["valid_to"] <= now).any()
    community = sample.city.areas("community")["code"].iloc[-1]
    listed = people["grids", community]
    roles = [person["role"]["en"] for person in listed if isinstance(person["role"], dict)]
    assert roles == sorted(roles, key=["Lead", "Sponsor", "Fallback"].index)
    assert {person.get("line", "") for person in listed} >= {"", "占道经营"}


def test_corridors_and_frontages_take_those_of_their_road_and_front(sample: Analysed) -> None:
    people = people_of(sample)
    corridors = sample.frame("corridors")
    fronts = sample.frame("frontages")
    chiefs = people_in(people, "corridors", corridors)
    assert set(chiefs) == set(corridors["code"])
    for code, lead in zip(corridors["code"], corridors["lead"], strict=True):
        assert lead in {person["name"] for person in chiefs[code]}
    signed = fronts.loc[fronts["holder"].notna(), "code"]
    assert set(people_in(people, "frontages", fronts)) == set(signed)
