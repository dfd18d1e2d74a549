"""What the keys of a city file are: told in both languages, and as a JSON schema for editors.

The records of `gridmap.config` say which keys there are and what they take; ``keys.toml`` says what
they mean. The reference in ``docs/`` and the schema follow from both.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from gridmap.catalog import Text
from gridmap.config import CityFile
from gridmap.messages import unit_label
from gridmap.records import record_in
from gridmap.resources import packaged

__all__ = ["Meaning", "Section", "city_schema", "meanings", "sections", "toml_text"]

# What editors know; the one that most of them do.
_DRAFT = "http://json-schema.org/draft-07/schema#"
_NO_UNITS = ("number", "described")


class Meaning(Text):
    """What a key means: told in both languages, its unit where it is a quantity, an example."""

    unit: str = ""
    example: str


@dataclass(frozen=True)
class Section:
    """The keys of one record, and where in a city file they stand.

    Parameters
    ----------
    record : type
    places : tuple of str
        Such as ``[analysis.clock.soon]``; empty for the head of the file.
    """

    record: type[BaseModel]
    places: tuple[str, ...]

    @property
    def fields(self) -> dict[str, FieldInfo]:
        """The keys, by name."""
        return dict(self.record.model_fields)


@cache
def meanings() -> Mapping[str, Mapping[str, Meaning]]:
    """Return what every key means, by the name of its record and its own."""
    with packaged("keys.toml").open("rb") as file:
        told = tomllib.load(file)
    return {
        record: {name: Meaning.model_validate(each) for name, each in keys.items()}
        for record, keys in told.items()
    }


@cache
def sections() -> tuple[Section, ...]:
    """Return the records of a city file in the order in which a reader meets them."""
    places: dict[type[BaseModel], list[str]] = {}
    for record, place in _places(CityFile, ""):
        places.setdefault(record, []).append(place)
    return tuple(Section(record, tuple(where)) for record, where in places.items())


def _places(record: type[BaseModel], place: str) -> Iterator[tuple[type[BaseModel], str]]:
    yield record, place
    head = place.strip("[]")
    for name, field in record.model_fields.items():
        inner = record_in(field.annotation)
        if inner is None:
            continue
        path = f"{head}.{name}" if head else name
        kind = str(field.annotation)
        if "Mapping" in kind:
            yield from _places(inner, f"[{path}.FIELD]")
        else:
            yield from _places(inner, f"[[{path}]]" if "tuple" in kind else f"[{path}]")


def city_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 7) of a city file, its keys told in both languages.

    Examples
    --------
    >>> from gridmap.keys import city_schema
    >>> city_schema()["definitions"]["Analysis"]["properties"]["alpha"]["exclusiveMaximum"]
    1
    """
    made = _plain(CityFile.model_json_schema(ref_template="#/definitions/{model}"))
    records = made.pop("$defs")
    for section in sections():
        name = section.record.__name__
        _tell(made if name == "CityFile" else records[name], section)
    return {"$schema": _DRAFT, **made, "title": "gridmap city.toml", "definitions": records}


def _tell(schema: dict[str, Any], section: Section) -> None:
    """Give the schema of a record the meanings of its keys, in place of what Python is told."""
    schema.pop("description", None)
    for name, field in section.fields.items():
        meaning = meanings()[section.record.__name__][name]
        known = schema["properties"][name]
        known.pop("title", None)
        if isinstance(known.get("default"), dict | type(None)):
            known.pop("default", None)
        told = {"description": "\n\n".join(_said(meaning, lang) for lang in ("en", "zh"))}
        # Beside a reference, draft 7 hears nothing else.
        whole = {"allOf": [{"$ref": known.pop("$ref")}]} if "$ref" in known else {}
        schema["properties"][name] = told | whole | known
        for former in _former(field, name):
            schema["properties"][former] = {**schema["properties"][name], "deprecated": True}


def _said(meaning: Meaning, lang: str) -> str:
    unit = "" if meaning.unit in ("", *_NO_UNITS) else f" [{unit_label(meaning.unit, lang)}]"
    return f"{meaning.get(lang)}{unit}"


def _former(field: FieldInfo, name: str) -> list[str]:
    """Return the names that a key had once and is still read by."""
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else []
    return [str(choice) for choice in choices if choice != name]


def _plain(node: Any) -> Any:
    """Return a schema without what TOML does not have, nor draft 7."""
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _plain(value) for key, value in node.items()}
    if "prefixItems" in kept:
        kept["items"] = kept.pop("prefixItems")
    if isinstance(kept.get("anyOf"), list):
        some = [each for each in kept.pop("anyOf") if each != {"type": "null"}]
        kept |= some[0] if len(some) == 1 else {"anyOf": some}
    return kept


def toml_text(value: object) -> str:
    """Return a value as TOML writes it; nothing for what is empty, or is a table of defaults.

    Examples
    --------
    >>> from gridmap.keys import toml_text
    >>> toml_text({"river": float("inf"), "wall": 1.0}), toml_text(("grid",)), toml_text(None)
    ('{ river = inf, wall = 1 }', '["grid"]', '')
    """
    if isinstance(value, BaseModel):
        needed = any(field.is_required() for field in type(value).model_fields.values())
        return toml_text(value.model_dump()) if needed else ""
    return "" if value is None or value in ("", (), {}) else _written(value)


def _written(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_written(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else f'"{value}"'
