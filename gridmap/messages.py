"""The one catalogue of texts that a person reads, in English and Chinese."""

from __future__ import annotations

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

__all__ = ["LANGUAGES", "Lang", "default_language", "section", "text", "unit_label"]

Lang = Literal["en", "zh"]
LANGUAGES: tuple[Lang, ...] = ("en", "zh")


@cache
def _catalogue() -> dict[str, dict[str, dict[str, str]]]:
    with Path(__file__).with_name("messages.toml").open("rb") as file:
        return tomllib.load(file)


def text(key: str, lang: str = "en", **params: object) -> str:
    """Return one message.

    Parameters
    ----------
    key : str
        ``"section.name"`` as in ``messages.toml``.
    lang : str
        ``"en"`` or ``"zh"``.
    **params
        Values of the message's ``{placeholders}``.

    Raises
    ------
    KeyError
        If the catalogue has no such message: a mistake in the code, not in the input.
    """
    head, _, name = key.partition(".")
    return _catalogue()[head][name][lang].format(**params)


def section(name: str, lang: str = "en") -> dict[str, str]:
    """Return every message of a section as ``{name: template}``, for the texts of a page."""
    return {key: texts[lang] for key, texts in _catalogue()[name].items()}


def unit_label(unit: str, lang: str = "en") -> str:
    """Return how a unit of the catalogue is written; one that is not known, as it is."""
    return section("unit", lang).get(unit, unit)


def default_language() -> Lang:
    """Return the language of this session: ``GRIDMAP_LANG``, else the locale's, else English."""
    for variable in ("GRIDMAP_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "").lower()
        if value:
            return "zh" if value.startswith("zh") else "en"
    return "en"
