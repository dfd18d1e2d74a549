"""What the catalogue and the city file share: frozen records, read from TOML."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Self, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, ValidationError
from pydantic import Field as Key
from pydantic_core import ErrorDetails

from gridmap import messages
from gridmap.errors import GridmapError
from gridmap.messages import Message

__all__ = [
    "COLOUR",
    "DEVICES",
    "FileName",
    "FrozenMap",
    "MistakeError",
    "Problem",
    "Problems",
    "Record",
    "near_or_all",
    "nothing",
    "place_of",
    "problems_of",
    "read_toml",
    "record_in",
    "short_path",
]

K = TypeVar("K")
V = TypeVar("V")

FrozenMap = Annotated[Mapping[K, V], AfterValidator(MappingProxyType), PlainSerializer(dict)]


def nothing() -> Mapping[Any, Any]:
    """Return an empty mapping, frozen: the default of a `FrozenMap`."""
    return MappingProxyType({})


class Record(BaseModel):
    """A frozen record that knows every key it may have."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # pydantic copies defaults; what is frozen is its own copy, and a mappingproxy has none.
        return self


def read_toml(file: Path, error: type[GridmapError]) -> dict[str, Any]:
    """Read a TOML file.

    Parameters
    ----------
    file : pathlib.Path
    error : type of GridmapError
        What to raise, with the file, and the line of a mistake in it.
    """
    try:
        with file.open("rb") as opened:
            return tomllib.load(opened)
    except FileNotFoundError:
        raise error("toml.missing", file=file) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as reason:
        said = syntax_of(reason, file.read_bytes())
        raise error("toml.syntax", file=short_path(file), reason=said) from None
    except OSError as reason:
        raise error("toml.unreadable", file=file, reason=messages.os_reason(reason)) from None
    except ValueError:  # a name that no file can have
        raise error("toml.missing", file=file) from None


# What `tomllib` says, and the message of section ``syntax`` that says it in both languages.
_SYNTAX = {
    "Invalid value": "value",
    "Expected '=' after": "equals",
    "Invalid statement": "statement",
    "Expected newline": "newline",
    "Expected ']": "table",
    "Invalid initial character": "key",
    "Unclosed array": "array",
    "Unclosed inline": "inline",
    "Unterminated string": "string",
    "Expected '\"": "string",
    "Expected \"'": "string",
    "Unescaped": "escape",
    "Invalid hex": "escape",
    "Escaped character": "escape",
    "Cannot": "twice",
    "Duplicate": "twice",
    "Invalid date": "date",
    "Found invalid": "character",
    "Illegal": "character",
}
_AT = re.compile(r"\(at line (\d+), column (\d+)\)$")


# Punctuation of a Chinese keyboard, and what TOML asks for.
_FULL_WIDTH = dict(zip("“”‘’＝，［］｛｝＃．", "\"\"''=,[]{}#.", strict=True))


def syntax_of(error: ValueError, data: bytes) -> Message:
    """Return what is wrong with the form of a TOML file of these bytes, and where."""
    if isinstance(error, UnicodeDecodeError):
        return Message("syntax.encoding", {"byte": error.start + 1})
    said = str(error)
    kind = next((name for start, name in _SYNTAX.items() if said.startswith(start)), "other")
    what, at = Message(f"syntax.{kind}"), _AT.search(said)
    if at is None:
        return Message("syntax.at_end", {"what": what})
    line = data.decode("utf-8").splitlines()[int(at[1]) - 1 :][:1]
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", "".join(line))
    wide = next((letter for letter in bare if letter in _FULL_WIDTH), "")
    if wide:
        what = Message("syntax.full_width", {"letter": wide, "plain": _FULL_WIDTH[wide]})
    return Message("syntax.at", {"what": what, "line": at[1], "column": at[2]})


class MistakeError(ValueError):
    """A mistake that a validator of ours finds, by its message of section ``invalid``."""

    def __init__(self, key: str, **params: Any) -> None:
        self.key, self.params = key, params
        super().__init__(messages.text(f"invalid.{key}", **params))


_PORTS = {f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)}
DEVICES = frozenset({"con", "prn", "aux", "nul", *_PORTS})
"""Names that no file of Windows can have, whatever its ending."""
_NAME = r"^[a-z][a-z0-9_]*$"


def _no_device(name: str) -> str:
    if name in DEVICES:
        raise MistakeError("device", name=name)
    return name


FileName = Annotated[str, Key(pattern=_NAME), AfterValidator(_no_device)]
"""A name that files are called by."""

Problem = tuple[str, str, Mapping[str, object]]
"""Where something is wrong, and the message of section ``invalid`` that says what."""


@dataclass(frozen=True)
class Problems:
    """Everything that is wrong with a file."""

    found: tuple[Problem, ...]

    def text(self, lang: str = "en") -> str:
        """Return all of it on one line, in a language."""
        said = [
            messages.text(
                "invalid.one",
                lang,
                at=at or messages.text("invalid.file", lang),
                what=Message(f"invalid.{key}", params),
            )
            for at, key, params in self.found
        ]
        if len(said) == 1:
            return said[0]
        numbered = enumerate(said, start=1)
        return " ".join(
            messages.text("invalid.of", lang, no=no, what=what) for no, what in numbered
        )

    __str__ = text


def problems_of(error: ValidationError, record: type[BaseModel], given: object) -> Problems:
    """Return every problem of a validation, each with its key and what would be right.

    Parameters
    ----------
    error : ValidationError
    record : type
    given : mapping
        What was read.
    """
    found: dict[str, Problem] = {}
    for one in error.errors(include_url=False):
        problem = _problem(one, record, given)
        found.setdefault(problem[0], problem)  # each branch of a choice tells of one mistake
    return Problems(tuple(found.values()))


def _problem(one: ErrorDetails, record: type[BaseModel], given: object) -> Problem:
    loc, kind = _loc(one, given), one["type"]
    where, found = place_of(loc, given), one["input"]
    context = one.get("ctx", {})
    if "expected" in context:
        context = {**context, "expected": ", ".join(context["expected"].split(" or "))}
    reason = context.get("error")
    if isinstance(reason, MistakeError):
        return where, reason.key, reason.params
    if kind == "extra_forbidden":
        return where, *_unknown_key(loc, record)
    if len(loc) + 1 == len(one["loc"]):  # the last part names a branch
        return where, _CHOICES.get(str(loc[-1]), "scalar"), {"found": found}
    if kind == "string_pattern_mismatch":
        kind = _PATTERNS[context["pattern"]]
    key = kind if kind in messages.written("invalid") else _ALIKE.get(kind, "other")
    return where, key, {**context, "found": found}


def _loc(one: ErrorDetails, given: object) -> tuple[int | str, ...]:
    """Return where a problem is, without the names of branches that a choice of types has."""
    kept: list[int | str] = []
    absent = one["type"] in ("missing", "extra_forbidden")
    for position, part in enumerate(one["loc"], start=1):
        inner = _entry(given, part)
        if inner is not None or (absent and position == len(one["loc"])):
            kept.append(part)
            given = inner
    return tuple(kept)


def _entry(given: object, part: int | str) -> object:
    if isinstance(given, Mapping):
        return given.get(part)
    listed = isinstance(given, list | tuple) and isinstance(part, int) and part < len(given)
    return given[part] if listed else None  # type: ignore[index]


def place_of(loc: Sequence[int | str], given: object = None) -> str:
    """Return how a message names a place: with entries of lists counted from 1, as people do.

    Examples
    --------
    >>> from gridmap.records import place_of
    >>> place_of(("inputs", 0, "x"), {"inputs": [{"path": "cases.csv"}]})
    'inputs 1 (cases.csv).x'
    """
    said = ""
    for part in loc:
        given = _entry(given, part)
        if isinstance(part, str):
            said += f".{part}" if said else part
            continue
        name = _name_of(given)
        said += f" {part + 1}" + (f" ({name})" if name else "")
    return said


def _name_of(entry: object) -> str:
    named = entry if isinstance(entry, Mapping) else {}
    return next((named[key] for key in ("path", "layer") if isinstance(named.get(key), str)), "")


def near_or_all(
    key: str, name: str, known: Iterable[str], meant: Sequence[str] = (), **params: object
) -> tuple[str, Mapping[str, object]]:
    """Return the message on a name that there is not: the one it should be, or all that are.

    Parameters
    ----------
    key : str
        Of section ``invalid``, which also has it with ``_near`` at its end.
    name : str
    known : iterable of str
    meant : sequence of str, optional
        Those that are known to be meant.
    **params
        Other values of the message.
    """
    names = list(known)
    near = meant or difflib.get_close_matches(name, names, n=1)
    said = {**params, "name": name, "known": ", ".join(names)}
    return (f"{key}_near", {**said, "near": near[0]}) if near else (key, said)


def _unknown_key(
    loc: tuple[int | str, ...], record: type[BaseModel]
) -> tuple[str, Mapping[str, object]]:
    """Return the message of a key that there is not: the key it should be, or all that are."""
    beside = sorted(_record_at(record, loc[:-1]).model_fields)
    for names in (beside, _keys_beside(record)):
        near = difflib.get_close_matches(str(loc[-1]), names, n=1)
        if near and near[0] != loc[-1]:  # what stands elsewhere by that name is no misspelling
            return "misspelt", {"near": near[0]}
    return "unknown_key", {"known": ", ".join(beside)}


def _record_at(record: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the record that stands at a place of another."""
    for part in loc:
        field = record.model_fields.get(str(part))
        found = None if field is None else record_in(field.annotation)
        record = found or record
    return record


def record_in(annotation: object) -> type[BaseModel] | None:
    """Return the record that an annotation asks for, alone or among others."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (record_in(each) for each in get_args(annotation))
    return next((found for found in inner if found), None)


# Kinds of pydantic that one message serves.
_ALIKE = {
    "int_parsing": "int_type", "int_from_float": "int_type", "float_parsing": "float_type",
    "bool_parsing": "bool_type", "datetime_parsing": "datetime_type",
    "datetime_from_date_parsing": "datetime_type", "list_type": "tuple_type",
    "model_attributes_type": "model_type", "dict_type": "model_type", "mapping_type": "model_type",
    "int_parsing_size": "int_type", "datetime_object_invalid": "datetime_type",
}  # fmt: skip
COLOUR = r"^#[0-9a-fA-F]{6}$"
_PATTERNS = {_NAME: "name_pattern", COLOUR: "colour_pattern"}
# Keys that take one of several types, else a text, a number or a truth, and what is said of them.
_CHOICES = {"balance": "balance"}


def _keys_beside(record: type[BaseModel]) -> list[str]:
    """Return every key of the records in the modules of a record and of its fields."""
    every: Sequence[type[BaseModel]] = Record.__subclasses__()
    kinds = [record, *(field.annotation for field in record.model_fields.values())]
    modules = {getattr(kind, "__module__", "") for kind in kinds}
    beside = [part for part in every if part.__module__ in modules]
    return sorted({name for part in beside for name in part.model_fields})


def short_path(file: Path) -> str:
    """Return a file with its folder, enough to find it by in a message."""
    return "/".join(file.parts[-2:])
