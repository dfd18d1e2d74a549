import pandas as pd
from shapes import EAST, NORTH, points_at

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


def test_the_least_that_is_a_pile() -> None:
    """Thirty on one place, a hundredth of all, ten addresses: each just enough, or one short."""
    for same, elsewhere, found in ((30, 100, 1), (29, 100, 0), (40, 3960, 1), (40, 3961, 0)):
        assert len(find_fallback_points(reports(same, elsewhere, 40))[1]) == found
    for addresses, found in ((10, 1), (9, 0)):
        assert len(find_fallback_points(reports(60, 500, addresses))[1]) == found


def test_piles_are_told_the_largest_first() -> None:
    places = [(0.0, 0.0)] * 30 + [(9.0, 0.0)] * 50 + [(9.0, 9.0)] * 30
    problems = points_at(*places, address=[f"street {n}" for n in range(110)])
    on_pile, piles = find_fallback_points(problems)
    assert piles["code"].to_list() == ["pile-1", "pile-2", "pile-3"]
    assert piles["problems"].to_list() == [50, 30, 30]
    assert piles["share"].to_list() == [50 / 110, 30 / 110, 30 / 110]
    west = [(point.x - EAST, point.y - NORTH) for point in piles.geometry]
    assert west == [(9, 0), (0, 0), (9, 9)]
    assert on_pile.all()
