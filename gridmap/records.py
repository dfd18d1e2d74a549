"""What the catalogue and the city file share: frozen records, read from TOML."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, ValidationError

from gridmap.errors import GridmapError

__all__ = ["FrozenMap", "Record", "nothing", "problem_line", "read_toml", "short_path"]

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


def problem_line(error: ValidationError, record: type[BaseModel]) -> str:
    """Return the first problem of a validation as ``key: what is wrong``, with the nearest name."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(first["loc"][-1]), _keys_beside(record), n=1)
        what = f"no such key; did you mean '{near[0]}'?" if near else "no such key; remove it"
    elif first["type"] != "value_error" and not isinstance(first["input"], dict):
        what = f"{what} (found {first['input']!r})"
    others = error.error_count() - 1
    return f"{where or 'file'}: {what}" + (f" (and {others} more)" if others else "")


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
