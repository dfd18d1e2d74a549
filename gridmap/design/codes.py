"""Codes and names of areas, by profiles that are data: ``gridmap/design/profiles.toml``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, ValidationError

from gridmap import messages
from gridmap.catalog import Text
from gridmap.errors import ConfigError, ConformError
from gridmap.records import Record, problems_of, read_toml, short_path
from gridmap.resources import AnyPath, packaged

__all__ = [
    "CodeLevel",
    "CodeProblem",
    "CodeProfile",
    "assign_codes",
    "check_codes",
    "load_profiles",
    "micro_grid_names",
    "number_west_east_north_south",
]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")


class CodeLevel(Record):
    """One level of a code, with the digits that are its own."""

    name: str
    digits: Annotated[int, Field(gt=0, le=9)]


class CodeProfile(Record):
    """How the codes of areas are built.

    Parameters
    ----------
    name : str
    title : Text
    source : str
        The standard that asks for it.
    levels : tuple of CodeLevel
        The outermost first; the last is numbered inside its parent.
    parent : {"levels", "any"}
        Whether the parent's code is the digits of the levels before the last, or any text.
    separator : str
        Stands between levels.
    undivided : bool
        Whether the number zero is a code too, that of a parent which is not divided.
    """

    name: str
    title: Text
    source: str = ""
    levels: Annotated[tuple[CodeLevel, ...], Field(min_length=1)]
    parent: Literal["levels", "any"] = "levels"
    separator: str = ""
    undivided: bool = False

    @property
    def most(self) -> int:
        """The highest number that the digits of the last level hold."""
        return int(10 ** self.levels[-1].digits) - 1

    @property
    def parent_pattern(self) -> str:
        """A regular expression for the codes of parents."""
        if self.parent == "any":
            return r"\S(?:.*\S)?"
        return self._pattern(self.levels[:-1])

    @property
    def pattern(self) -> str:
        """A regular expression for the codes."""
        last = self._pattern(self.levels[-1:])
        head = f"(?:{self.parent_pattern}){re.escape(self.separator)}" if self._has_parent else ""
        return head + last

    @property
    def layout(self) -> str:
        """How many digits there are, such as ``6+3+3+3``."""
        widths = "+".join(str(level.digits) for level in self.levels)
        return f"*+{widths}" if self.parent == "any" else widths

    @property
    def _has_parent(self) -> bool:
        return self.parent == "any" or len(self.levels) > 1

    def _pattern(self, levels: Sequence[CodeLevel]) -> str:
        return re.escape(self.separator).join(f"[0-9]{{{level.digits}}}" for level in levels)

    def code(self, parent: str, number: int) -> str:
        """Return the code of the area with a number inside its parent."""
        joint = self.separator if parent else ""
        return f"{parent}{joint}{number:0{self.levels[-1].digits}d}"

    def parent_of(self, code: str) -> str:
        """Return the part of a code that is its parent's; empty if there is none."""
        return code[: -self.levels[-1].digits].removesuffix(self.separator)


@dataclass(frozen=True)
class CodeProblem:
    """What is wrong with the code of one row.

    Parameters
    ----------
    row : int
        Position of the row, from 0.
    code : str
        Empty if it is missing.
    kind : {"missing", "wrong", "repeated"}
    reason : str
        Of the section ``codes`` of the messages: ``missing``, ``pattern``, ``zero``, ``parent``
        or ``repeated``.
    """

    row: int
    code: str
    kind: Literal["missing", "wrong", "repeated"]
    reason: str


class _Profiles(dict[str, CodeProfile]):
    """Profiles by name; asking for one that is not there tells those that are."""

    def __missing__(self, name: str) -> CodeProfile:
        raise ConfigError("codes.unknown", name=name, known=", ".join(sorted(self)))


def load_profiles(path: AnyPath | None = None) -> Mapping[str, CodeProfile]:
    """Read code profiles.

    Parameters
    ----------
    path : path, optional
        A file like ``gridmap/design/profiles.toml``, whose profiles come over those that ship.

    Returns
    -------
    mapping of str to CodeProfile
        Asking it for a profile that is not there raises ConfigError with those that are.

    Raises
    ------
    ConfigError
        If the file cannot be read or holds a mistake.
    """
    shipped = _shipped()
    return (
        shipped if path is None else MappingProxyType(_Profiles({**shipped, **_read(Path(path))}))
    )


@cache
def _shipped() -> Mapping[str, CodeProfile]:
    return _read(packaged("design/profiles.toml"))


def _read(path: Path) -> Mapping[str, CodeProfile]:
    profiles = _Profiles()
    for name, data in read_toml(path, ConfigError).items():
        given = {"name": name, **data} if isinstance(data, dict) else data
        try:
            profiles[name] = CodeProfile.model_validate(given)
        except ValidationError as error:
            problem = problems_of(error, CodeProfile, given)
            where = f"{short_path(path)}: {name}"
            raise ConfigError("config.invalid", file=where, problem=problem) from None
    return MappingProxyType(profiles)


def number_west_east_north_south(x: npt.ArrayLike, y: npt.ArrayLike, group: npt.ArrayLike) -> Longs:
    """Rank the places of each group from west to east and from north to south.

    Parameters
    ----------
    x, y : array_like of float, shape (n,), metres
        One place for each part, such as its centroid.
    group : array_like, shape (n,)

    Returns
    -------
    ndarray of int64, shape (n,)
        From 1 in each group. On one place the order of the rows decides.

    Notes
    -----
    The order is that of the standards for unit grids: rows from north to south, inside a row from
    west to east. They do not say what a row is. Here it begins at the northernmost part that is
    left and takes in all that lie less than half a part's side further south; the side is
    that of `n` squares over the extent of the group, ``(w + s)(h + s) = n s^2`` with `w` and
    `h` the extent of the places themselves.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    member = np.unique(np.asarray(group), return_inverse=True)[1]
    row = _rows(x, y, member)
    order = np.lexsort((np.arange(len(x)), -y, x, row, member))
    first = np.searchsorted(member[order], np.arange(int(member.max(initial=-1)) + 1))
    rank = np.empty(len(x), dtype=np.int64)
    rank[order] = np.arange(1, len(x) + 1) - first[member[order]]
    return rank


def _rows(x: Floats, y: Floats, member: Longs) -> Longs:
    """Return the row of each place inside its group, 0 for the northernmost."""
    half = _half_side(x, y, member)
    order = np.lexsort((-y, member))
    rows = np.empty(len(x), dtype=np.int64)
    group, top, row = -1, 0.0, 0
    sequence = zip(order.tolist(), member[order].tolist(), y[order].tolist(), strict=True)
    for at, mine, north in sequence:
        if mine != group:
            group, top, row = mine, north, 0
        elif top - north > half[mine]:
            top, row = north, row + 1
        rows[at] = row
    return rows


def _half_side(x: Floats, y: Floats, member: Longs) -> list[float]:
    """Return half the side of a typical part of each group."""
    count = np.bincount(member)
    width, height = (
        np.array(pd.Series(values).groupby(member).max() - pd.Series(values).groupby(member).min())
        for values in (x, y)
    )
    both = width + height
    others = np.maximum(count - 1, 1)
    side = (both + np.sqrt(both**2 + 4 * others * width * height)) / (2 * others)
    halves: list[float] = (side / 2).tolist()
    return halves


def assign_codes(
    parent_codes: pd.Series | Sequence[str],
    order: npt.ArrayLike,
    profile: CodeProfile,
    *,
    taken: Iterable[str] = (),
    retired: Iterable[str] = (),
) -> pd.Series:
    """Give new areas a code each: that of their parent and a number.

    Parameters
    ----------
    parent_codes : Series or sequence of str, shape (n,)
    order : array_like of int, shape (n,)
        The order of the areas inside their parent; the first gets the lowest number.
    profile : CodeProfile
    taken, retired : iterable of str
        Codes in use, and codes that were in use once. None of them is given.

    Returns
    -------
    Series of string, shape (n,)
        On the index of the parents' codes.

    Raises
    ------
    ConformError
        If the code of a parent does not fit the profile, or it has more areas than the digits
        hold.
    """
    parents = pd.Series(parent_codes, dtype="string")
    _check_parents(parents, profile)
    names = parents.to_numpy(dtype=object)
    used = frozenset(taken) | frozenset(retired)
    sequence = np.lexsort((np.arange(len(names)), np.asarray(order), parents.factorize()[0]))
    codes = np.empty(len(names), dtype=object)
    parent, number = None, 0
    for at in sequence.tolist():
        if names[at] != parent:
            parent, number = names[at], 0
        number += 1
        while (code := profile.code(names[at], number)) in used:
            number += 1
        if number > profile.most:
            raise ConformError(
                "codes.full",
                parent=parent,
                count=int((names == parent).sum()),
                most=profile.most,
                profile=profile.name,
            )
        codes[at] = code
    return pd.Series(codes, index=parents.index, dtype="string")


def _check_parents(parents: pd.Series, profile: CodeProfile) -> None:
    fits = parents.str.fullmatch(profile.parent_pattern).fillna(False).to_numpy(dtype=bool)
    if fits.all():
        return
    odd = parents[~fits].drop_duplicates()
    raise ConformError(
        "codes.parent_odd",
        code=", ".join(f"'{code}'" for code in odd.fillna("")[:5]),
        profile=profile.name,
        layout=profile.layout,
        known=", ".join(sorted(load_profiles())),
    )


def micro_grid_names(parent_names: Iterable[str], numbers: Iterable[int], lang: str) -> list[str]:
    """Name micro-grids after their grid and their number in it.

    Parameters
    ----------
    parent_names : iterable of str
    numbers : iterable of int
    lang : str
        ``zh`` gives names such as 第二网格第三微网格.

    Returns
    -------
    list of str
    """
    # Reading the message once matters for a province of micro-grids.
    template = messages.section("codes", lang)["micro_grid"]
    said = _numeral if lang == "zh" else str
    return [
        template.format(parent=parent, number=said(int(number)))
        for parent, number in zip(parent_names, numbers, strict=True)
    ]


def _numeral(number: int) -> str:
    """Return a number up to 9999 in Chinese numerals; a higher one in digits."""
    if not 0 < number < 10 ** len(_PLACES):
        return str(number)
    places = [int(digit) for digit in str(number)][::-1]
    said = ""
    for place, digit in enumerate(places):
        if digit:
            said = _DIGITS[digit] + _PLACES[place] + said
        elif said and not said.startswith(_DIGITS[0]):
            said = _DIGITS[0] + said
    return said.removeprefix("一") if said.startswith("一十") else said


def check_codes(
    codes: pd.Series | Sequence[str],
    parent_codes: pd.Series | Sequence[str] | None,
    profile: CodeProfile | None,
) -> list[CodeProblem]:
    """Find codes that are missing, repeated, or not built as their profile asks.

    Parameters
    ----------
    codes : Series or sequence of str, shape (n,)
    parent_codes : Series or sequence of str, optional, shape (n,)
        Missing where the parent is not known.
    profile : CodeProfile, optional
        Without it, codes may be any text.

    Returns
    -------
    list of CodeProblem
        At most one for each row, by row. Of equal codes every one but the first is a problem.
    """
    said = pd.Series(codes, dtype="string").reset_index(drop=True)
    missing = (said.isna() | (said.str.strip() == "")).to_numpy(dtype=bool)
    reason = pd.Series("", index=said.index, dtype=object)
    if profile is not None:
        reason = _built_wrong(said.fillna(""), parent_codes, profile)
    reason = reason.mask((reason == "") & said.duplicated().to_numpy(dtype=bool), "repeated")
    reason[missing] = "missing"
    return [
        CodeProblem(row, "" if missing[row] else str(said[row]), _kind(reason[row]), reason[row])
        for row in np.flatnonzero(reason != "").tolist()
    ]


def _kind(reason: str) -> Literal["missing", "wrong", "repeated"]:
    return reason if reason in ("missing", "repeated") else "wrong"  # type: ignore[return-value]


def _built_wrong(
    codes: pd.Series, parent_codes: pd.Series | Sequence[str] | None, profile: CodeProfile
) -> pd.Series:
    """Return for each code why it is not as the profile asks; empty if it is."""
    reason = pd.Series("", index=codes.index, dtype=object)
    fits = codes.str.fullmatch(profile.pattern).to_numpy(dtype=bool)
    reason[~fits] = "pattern"
    zero = (codes.str[-profile.levels[-1].digits :].str.strip("0") == "").to_numpy(dtype=bool)
    if not profile.undivided:
        reason[fits & zero] = "zero"
    if parent_codes is not None:
        parents = pd.Series(parent_codes, dtype="string").reset_index(drop=True)
        head = codes.str[: -profile.levels[-1].digits].str.removesuffix(profile.separator)
        known = parents.notna().to_numpy(dtype=bool)
        strange = known & (head != parents.fillna("")).to_numpy(dtype=bool)
        reason[fits & strange] = "parent"
    return reason
