import pandas as pd
from shapes import points_at

from gridmap.analysis import find_fallback_points


def reports(same: int, elsewhere: int, addresses: int) -> object:
    places = [(10.0, 10.0)] * same + [(float(x), 50.0) for x in range(elsewhere)]
    texts = [f"street {n % addresses}" for n in range(len(places))]
    return points_at(*places, address=pd.array(texts, dtype="string"))


def test_many_addresses_on_one_coordinate_are_a_pile() -> None:
    on_pile, piles = find_fallback_points(reports(60, 500, 40))
    assert on_pile.sum() == 60
    assert piles["problems"].to_list() == [60]
    assert piles["addresses"].to_list() == [40]


def test_a_busy_place_with_one_address_is_none() -> None:
    on_pile, piles = find_fallback_points(reports(60, 500, 1))
    assert piles.empty
    assert not on_pile.any()


def test_without_addresses_the_count_decides() -> None:
    problems = reports(60, 500, 40)
    problems["address"] = pd.array([pd.NA] * len(problems), dtype="string")
    assert find_fallback_points(problems)[0].sum() == 60


def test_few_or_a_small_share_are_none() -> None:
    assert not find_fallback_points(reports(29, 10, 29))[0].any()
    assert not find_fallback_points(reports(60, 500, 40), share=0.5)[0].any()
    assert find_fallback_points(reports(0, 0, 1))[1].empty
