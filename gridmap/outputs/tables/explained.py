"""What a finding says, and what would make it vanish: a paragraph for whoever is no statistician.

It tells the model of chance, what is held against what, how many places were tested at once and
how that was corrected for, and how close the weakest finding is to being none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gridmap import messages
from gridmap.outputs.numbers import number_text
from gridmap.outputs.tables.words import exact_text
from gridmap.result import Result

__all__ = ["Explained", "explained"]


@dataclass(frozen=True)
class Explained:
    """What is to be said of a result.

    Parameters
    ----------
    brief : str
        What is held against what, in a few words for a legend.
    text : str
        The paragraph.
    """

    brief: str
    text: str


def explained(result: Result, frame: pd.DataFrame, lang: str) -> Explained | None:
    """Return what is to be said of a result of statistics; None of any other.

    Parameters
    ----------
    result : Result
    frame : DataFrame
        Its rows, or those that are shown.
    lang : str

    Examples
    --------
    >>> from gridmap.outputs.tables.explained import explained
    >>> city = gridmap.read_city("data")
    >>> result = gridmap.analyse(city, want=["hotspots"]).results["hotspots"]
    >>> said = explained(result, result.frame, "en")
    >>> said.brief
    'Held against households'
    >>> said.text.split(". ")[0]
    'None of 38 units stands out'
    """
    teller = _TELLERS.get(result.layer.name)
    return None if teller is None or frame.empty else teller(result, frame, lang)


def _units(result: Result, frame: pd.DataFrame, lang: str) -> Explained:
    asked = result.parameters
    named = result.layer.fields["held_against"].categories[str(frame["held_against"].iloc[0])]
    by = named.get(lang).lower()
    counts = frame["held_against"].iloc[0] == "counts"
    brief = _said("brief_cube", lang) if counts else _said("held", lang, by=by)
    if asked.get("permutations"):
        model = _said("model_permuted", lang, permutations=number_text(asked["permutations"]))
    elif asked.get("hotspot_p") == "normal":
        model = _said("model_normal", lang)
    else:
        model = _said("model_counts" if counts else "model_rates", lang, by=by)
    return Explained(brief, _paragraph(frame, "hotspot", ("hot", "cold"), asked, [model], lang))


def _clusters(result: Result, frame: pd.DataFrame, lang: str) -> Explained:
    alike = ("high_high", "low_low", "high_low", "low_high", "other_alike", "unlike")
    beside = result.layer.name == "bivariate"
    model = _said("model_beside" if beside else "model_alike", lang)
    text = _paragraph(frame, "cluster", alike, result.parameters, [model], lang)
    return Explained(_said("alike", lang), text)


def _stretches(result: Result, frame: pd.DataFrame, lang: str) -> Explained:
    model = _said("model_roads", lang)
    text = _paragraph(frame, "hotspot", ("hot",), result.parameters, [model], lang)
    return Explained(_said("held_roads", lang), text)


def _black_spots(result: Result, frame: pd.DataFrame, lang: str) -> Explained:
    said = [
        _said("black_spots", lang, count=number_text(len(frame))),
        _said("model_roads", lang),
        _corrected(result.parameters, None, lang),
        _vanishing(frame["q"], result.parameters, lang),
    ]
    return Explained(_said("held_roads", lang), _joined(said, lang))


def _emerging(result: Result, frame: pd.DataFrame, lang: str) -> Explained:
    asked = result.parameters
    against = str(asked.get("emerging_against") or "city")
    found = int((frame["pattern"] != "no_pattern").sum())
    said = [
        _standing(found, len(frame), lang),
        _said(f"against_{against}", lang),
        _said("model_bins", lang, bin=str(asked.get("emerging_bin"))),
        _corrected(asked, None, lang),
        _said("emerging_vanish", lang),
    ]
    return Explained(_said(f"brief_{against}", lang), _joined(said, lang))


def _alarms(result: Result, frame: pd.DataFrame, lang: str) -> Explained:
    asked = result.parameters["alarms"]
    suffix = "_exposure" if asked["model"] == "exposure" else ""
    alpha = float(result.parameters["alpha"])
    said = [
        _said(f"alarms{suffix}", lang, count=number_text(len(frame))),
        _said(f"model_scan{suffix}", lang, replicates=number_text(asked["replicates"])),
        _said("scan_tests", lang, share=exact_text(100.0 * alpha)),
        _said(
            "scan_vanish", lang,
            weakest=number_text(float(frame["p"].max()), 3), level=exact_text(alpha),
        ),
    ]  # fmt: skip
    return Explained(_said(f"brief_scan{suffix}", lang), _joined(said, lang))


def _reporting(result: Result, frame: pd.DataFrame, lang: str) -> Explained:
    asked = result.parameters["reporting"]
    verdicts = frame["verdict"].value_counts()
    known = frame["need"].notna()
    numbers = {
        "seldom": verdicts.get("seldom", 0), "readily": verdicts.get("readily", 0),
        "count": len(frame), "found": frame["found"][known].sum(),
        "need": frame["need"][known].sum(), "known": known.sum(),
    }  # fmt: skip
    said = [
        _said("reporting", lang, **{name: number_text(round(n)) for name, n in numbers.items()}),
        _said(
            "reporting_model", lang, within=exact_text(float(asked["within_m"])),
            confidence=exact_text(100.0 * float(asked["confidence"])),
        ),
        _said("reporting_vanish", lang, lifetime=exact_text(float(asked["lifetime_days"]))),
    ]  # fmt: skip
    return Explained(_said("brief_reporting", lang), _joined(said, lang))


def _unseen(result: Result, frame: pd.DataFrame, lang: str) -> Explained:
    said = [
        _said("unseen", lang, count=number_text(len(frame))),
        _corrected(result.parameters, None, lang),
        _said("unseen_vanish", lang),
    ]
    return Explained(_said("brief_unseen", lang), _joined(said, lang))


_TELLERS: Mapping[str, Callable[[Result, pd.DataFrame, str], Explained]] = {
    "hotspots": _units,
    "hotspot_cells": _units,
    "source_hotspots": _units,
    "clusters": _clusters,
    "geary": _clusters,
    "bivariate": _clusters,
    "network_hotspots": _stretches,
    "black_spots": _black_spots,
    "emerging": _emerging,
    "alarms": _alarms,
    "reporting": _reporting,
    "unseen": _unseen,
}


def _paragraph(
    frame: pd.DataFrame,
    field: str,
    shown: tuple[str, ...],
    asked: Mapping[str, Any],
    models: list[str],
    lang: str,
) -> str:
    found = frame[field].isin(shown)
    tested = int(frame["q"].notna().sum())
    left_out = len(frame) - tested
    said = [_standing(int(found.sum()), tested, lang), *models, _corrected(asked, tested, lang)]
    if left_out:
        said.append(_said("left_out", lang, count=number_text(left_out)))
    if found.any():
        said.append(_vanishing(frame["q"][found], asked, lang))
    return _joined(said, lang)


def _standing(found: int, tested: int, lang: str) -> str:
    key = "standing" if found else "none"
    numbers = {"count": number_text(found), "tests": number_text(tested)}
    return _said(key, lang, **numbers)


def _corrected(asked: Mapping[str, Any], tested: int | None, lang: str) -> str:
    share = exact_text(100.0 * float(asked["alpha"]))
    if tested is None:
        return _said("corrected", lang, share=share)
    return _said("corrected_of", lang, share=share, tests=number_text(tested))


def _vanishing(found: pd.Series, asked: Mapping[str, Any], lang: str) -> str:
    alpha = float(asked["alpha"])
    return _said(
        "vanish", lang, level=exact_text(alpha),
        weakest=number_text(float(found.max()), 3),
        strict=exact_text(alpha / 10.0),
        left=number_text(int((found <= alpha / 10.0).sum())),
    )  # fmt: skip


def _said(key: str, lang: str, **params: object) -> str:
    return messages.text(f"explained.{key}", lang, **params)


def _joined(sentences: list[str], lang: str) -> str:
    return ("" if lang == "zh" else " ").join(sentences)
