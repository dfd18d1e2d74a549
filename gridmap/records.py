"""What the catalogue and the city file share: frozen records, read from TOML."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Self, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, ValidationError
from pydantic_core import ErrorDetails

from gridmap import messages
from gridmap.errors import GridmapError

__all__ = [
    "FrozenMap",
    "MistakeError",
    "Problems",
    "Record",
    "nothing",
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
        raise error("toml.syntax", file=short_path(file), reason=reason) from None
    except OSError as reason:
        raise error("toml.unreadable", file=file, reason=reason.strerror) from None


class MistakeError(ValueError):
    """A mistake that a validator of ours finds, by its message of section ``invalid``."""

    def __init__(self, key: str, **params: Any) -> None:
        self.key, self.params = key, params
        super().__init__(messages.text(f"invalid.{key}", **params))


@dataclass(frozen=True)
class Problems:
    """Everything that is wrong with a file: where, and the message that says what."""

    found: tuple[tuple[str, str, Mapping[str, object]], ...]

    def text(self, lang: str = "en") -> str:
        """Return all of it on one line, in a language."""
        said = (
            f"{at or messages.text('invalid.file', lang)}: {messages.text(key, lang, **params)}"
            for at, key, params in self.found
        )
        return "; ".join(said)

    __str__ = text


def problems_of(error: ValidationError, record: type[BaseModel]) -> Problems:
    """Return every problem of a validation, each with its key and what would be right."""
    return Problems(tuple(_problem(one, record) for one in error.errors(include_url=False)))


def _problem(one: ErrorDetails, record: type[BaseModel]) -> tuple[str, str, Mapping[str, object]]:
    where, kind = ".".join(map(str, one["loc"])), one["type"]
    if kind == "extra_forbidden":
        return where, *_unknown_key(one["loc"], record)
    context = one.get("ctx", {})
    reason = context.get("error")
    if isinstance(reason, MistakeError):
        return where, f"invalid.{reason.key}", reason.params
    known = messages.written("invalid")
    key = kind if kind in known else _ALIKE.get(kind, "other")
    return where, f"invalid.{key}", {**context, "found": one["input"], "reason": one["msg"]}


def _unknown_key(
    loc: tuple[int | str, ...], record: type[BaseModel]
) -> tuple[str, Mapping[str, object]]:
    """Return the message of a key that there is not: the key it should be, or all that are."""
    beside = sorted(_record_at(record, loc[:-1]).model_fields)
    for names in (beside, _keys_beside(record)):
        near = difflib.get_close_matches(str(loc[-1]), names, n=1)
        if near:
            return "invalid.misspelt", {"near": near[0]}
    return "invalid.unknown_key", {"known": ", ".join(beside)}


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
}  # fmt: skip


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
