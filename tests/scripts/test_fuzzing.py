"""Damaged files of every format end in a city or in one line (`scripts/fuzz` is the long form)."""

from pathlib import Path

import pytest
from fuzzing.__main__ import run
from fuzzing.damage import damaged
from fuzzing.seeds import FORMATS, write_city

import gridmap

# Of each format; 9 formats and 230 files are 2,070.
FILES = 230


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_a_good_file_is_read_and_damage_is_the_same_for_a_seed(tmp_path: Path, form: str) -> None:
    data = write_city(tmp_path, form).read_bytes()
    assert len(gridmap.read_city(tmp_path).frame("problems")) == 60
    some = [damaged(data, seed) for seed in range(20)]
    assert some == [damaged(data, seed) for seed in range(20)]
    assert sum(one != data for one in some) > 15


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_damaged_files_end_in_a_city_or_in_one_line(form: str) -> None:
    counts, faults = run(form, 5000, FILES)
    assert faults == []
    assert sum(counts.values()) == FILES
    # Damage is gentle enough that some files are read, and hard enough that some are not.
    assert counts["city"] > 2
    assert counts["line"] > 0
