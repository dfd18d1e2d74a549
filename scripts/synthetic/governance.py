"""How many communities, sub-zones and road chiefs a town has."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SAMPLE_GOVERNANCE", "Governance", "usual_governance"]

HOUSEHOLDS_PER_COMMUNITY = 2_450


@dataclass(frozen=True)
class Governance:
    """The sizes of a town's administration.

    Attributes
    ----------
    communities, subzones, chiefs : int
        Of chiefs there is one to a road.
    registers : bool
        Whether the registers of responsibility and the log of cases are written as well.
    """

    communities: int
    subzones: int
    chiefs: int
    registers: bool = True


# A town of 12 communities with 19 sub-zones, and 39 roads with a chief.
SAMPLE_GOVERNANCE = Governance(communities=12, subzones=19, chiefs=39)


def usual_governance(households: int) -> Governance:
    """Return an administration that grows with the town, without registers."""
    communities = max(1, round(households / HOUSEHOLDS_PER_COMMUNITY))
    return Governance(communities, max(2, round(communities / 2)), 0, registers=False)
