"""The one catalogue of texts that a person reads, in English and Chinese.

Texts are written in English and in simplified Chinese. Traditional Chinese follows from the
simplified by OpenCC, unless a text has one of its own under the key ``zh-Hant``.
"""

from __future__ import annotations

import errno
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from gridmap.resources import packaged

if TYPE_CHECKING:
    from opencc import OpenCC

__all__ = [
    "LANGUAGES",
    "TAGS",
    "Lang",
    "Message",
    "Say",
    "Spoken",
    "Words",
    "default_language",
    "in_each",
    "os_reason",
    "pick",
    "reason_text",
    "section",
    "text",
    "traditional",
    "unit_label",
    "words",
    "written",
]

Lang = Literal["en", "zh", "zh-Hant"]
LANGUAGES: tuple[Lang, ...] = ("en", "zh", "zh-Hant")
TAGS = {"en": "en", "zh": "zh-Hans", "zh-Hans": "zh-Hans", "zh-Hant": "zh-Hant"}
"""What a browser calls each language, ``zh-Hans`` being another name of ``zh``."""

Words = str | Mapping[str, str]
"""One text for all languages, or a text by language."""

Say = Callable[[str], str]
"""What says something in the language that it is given."""


@runtime_checkable
class Spoken(Protocol):
    """What says itself in any language: a part of a message that is a message too."""

    def text(self, lang: str = "en") -> str:
        """Return it in a language."""


@dataclass(frozen=True)
class Message:
    """A message with its parameters, to be said later, as a part of another one.

    Examples
    --------
    >>> from gridmap.messages import Message
    >>> Message("invalid.misspelt", {"near": "alpha"}).text("zh")
    '没有该键；是否为“alpha”？'
    """

    key: str
    params: Mapping[str, object] = field(default_factory=dict)

    def text(self, lang: str = "en") -> str:
        """Return it in a language."""
        return text(self.key, lang, **self.params)

    __str__ = text


@cache
def _catalogue() -> dict[str, dict[str, dict[str, str]]]:
    with packaged("messages/messages.toml").open("rb") as file:
        return tomllib.load(file)


@cache
def traditional(simplified: str) -> str:
    """Return simplified Chinese in traditional characters (OpenCC, ``s2tw``)."""
    converted: str = _converter().convert(simplified)
    return converted


@cache
def _converter() -> OpenCC:
    # Its dictionaries take a while to load and only traditional Chinese needs them.
    from opencc import OpenCC  # noqa: PLC0415

    return OpenCC("s2tw")


def pick(texts: Mapping[str, str], lang: str) -> str:
    """Return a text in one language, out of those that it is written in."""
    if lang == "zh-Hant" and lang not in texts:
        return traditional(texts["zh"])
    return texts["zh" if lang == "zh-Hans" else lang]


def in_each(say: Say) -> dict[str, str]:
    """Return what a function says in each language, by language."""
    return {lang: say(lang) for lang in LANGUAGES}


def words(given: Words) -> str | dict[str, str]:
    """Return a text as a page holds it: by the browser's name of each language.

    Parameters
    ----------
    given : str or mapping of str to str
        By ``"en"``, ``"zh"`` (or ``"zh-Hans"``) and ``"zh-Hant"``. What is missing is made from
        what is there: traditional from simplified Chinese, any other from the first given.

    Returns
    -------
    str or dict
        A plain string if the text is the same in every language.
    """
    if isinstance(given, str):
        return given
    texts = {("zh" if lang == "zh-Hans" else lang): said for lang, said in given.items()}
    first = next(iter(texts.values()))
    chinese = texts.get("zh", texts.get("zh-Hant", first))
    texts = {"en": first, "zh": chinese} | texts
    by_tag = {TAGS[lang]: pick(texts, lang) for lang in LANGUAGES}
    return first if len(set(by_tag.values())) == 1 else by_tag


def text(key: str, lang: str = "en", **params: object) -> str:
    """Return one message.

    Parameters
    ----------
    key : str
        ``"section.name"`` as in ``messages.toml``.
    lang : str
        One of `LANGUAGES`, or ``"zh-Hans"``.
    **params
        Values of the message's ``{placeholders}``.

    Raises
    ------
    KeyError
        If the catalogue has no such message: a mistake in the code, not in the input.
    """
    head, _, name = key.partition(".")
    said = {
        each: value.text(lang) if isinstance(value, Spoken) else value
        for each, value in params.items()
    }
    if isinstance(params.get("reason"), str):
        said["reason"] = reason_text(str(params["reason"]), lang)
    return pick(_catalogue()[head][name], lang).format(**said)


def reason_text(code: str, lang: str = "en") -> str:
    """Return why a row was left out, such as ``no_time:opened``, in words; other texts as they are.

    Examples
    --------
    >>> from gridmap import messages
    >>> messages.reason_text("no_time:opened"), messages.reason_text("disk full")
    ('opened is no time', 'disk full')
    """
    reason, _, field = code.partition(":")
    told = section("reason", lang).get(reason)
    return code if told is None else f"{field} {told}".strip()


def os_reason(error: OSError) -> str | Message:
    """Return why the system refused something, in words that can be said in any language.

    Examples
    --------
    >>> from gridmap import messages
    >>> messages.os_reason(PermissionError(13, "Permission denied")).text("zh")
    '没有权限'
    """
    name = errno.errorcode.get(error.errno or 0, "")
    if name in written("os"):
        return Message(f"os.{name}")
    return error.strerror or str(error) or type(error).__name__


def section(name: str, lang: str = "en") -> dict[str, str]:
    """Return every message of a section as ``{name: template}``, for the texts of a page."""
    return {key: pick(texts, lang) for key, texts in _catalogue()[name].items()}


def written(name: str) -> dict[str, dict[str, str]]:
    """Return a section as it is written: by key, each text by language."""
    return _catalogue()[name]


def unit_label(unit: str, lang: str = "en") -> str:
    """Return how a unit of the catalogue is written; one that is not known, as it is."""
    return section("unit", lang).get(unit, unit)


def default_language() -> Lang:
    """Return the language of this session: ``GRIDMAP_LANG``, else the locale's, else English."""
    for variable in ("GRIDMAP_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "").lower().replace("_", "-")
        if value.startswith(("zh-hant", "zh-tw", "zh-hk", "zh-mo")):
            return "zh-Hant"
        if value:
            return "zh" if value.startswith("zh") else "en"
    return "en"
