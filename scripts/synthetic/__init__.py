"""A synthetic Chinese town for tests, benchmarks and the sample that ships with gridmap."""

from synthetic.city import SyntheticCity, make_city
from synthetic.governance import SAMPLE_GOVERNANCE, Governance
from synthetic.write import FILES, made_with, write_sample

SAMPLE_HOUSEHOLDS = 14_000
SAMPLE_RANDOM_STATE = 20250101

__all__ = [
    "FILES",
    "SAMPLE_GOVERNANCE",
    "SAMPLE_HOUSEHOLDS",
    "SAMPLE_RANDOM_STATE",
    "Governance",
    "SyntheticCity",
    "made_with",
    "make_city",
    "write_sample",
]
