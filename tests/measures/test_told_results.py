"""Every result of a small flawed town, row by row, as it was judged right."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from any_city import AnyCity, settled
from flawed_city import flawed, flawed_bare
from told import plain, table_lines, tells

from gridmap.config import read_city_file
from gridmap.measures.analyse import analyse, why_nothing
from gridmap.measures.registry import load_measures
from gridmap.result import Analysed
from gridmap.sources import read_city

# With every setting and with none; and what is left to say of the little that all cities have.
TOWNS = {
    "set": flawed(),
    "bare": flawed_bare(),
    "few": settled().only("grids", "problems", "roads").unset("analysis", "interpolate"),
}


@pytest.fixture(scope="module", params=TOWNS)
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Analysed:
    made: AnyCity = TOWNS[request.param]
    file = read_city_file(made.write(tmp_path_factory.mktemp("town") / request.param))
    return analyse(read_city(file), file.analysis)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["town"])


def test_every_result_and_how_it_came_about(town: Analysed, name: str) -> None:
    lines = []
    for layer, result in town.results.items():
        used = json.dumps(dict(result.parameters), ensure_ascii=False, sort_keys=True)
        lines += [f"== {layer}", result.method, used, *table_lines(result.frame)]
    tells(f"results_{name}", "\n".join(lines))


def test_figures_why_there_is_nothing_of_others_and_what_became_of_every_row(
    town: Analysed, name: str
) -> None:
    lines = [f"{key}: {plain(str(value))}" for key, value in town.summary.items()]
    for result in load_measures().makers:
        frame = town.frame(result)
        if frame is None or frame.empty:
            lines += [f"{result}: {why_nothing(town, result).text(lang)}" for lang in ("en", "zh")]
    for each in town.city.receipts:
        told = [note.text("en") for note in each.notes]
        lines.append(f"{each.layer}: {each.rows} {each.placed} {each.quarantined} {told}")
        kept = [column for column in each.rejected if column.startswith("gridmap_")]
        lines += list(table_lines(pd.DataFrame(each.rejected[kept])))[1:]
    tells(f"figures_{name}", "\n".join(lines))
