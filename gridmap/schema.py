"""Pandera schemas, derived from the catalogue.

Pandera is imported where something is wrong: of most frames `holds` says that nothing is, and a
command would take half a second longer to begin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from gridmap.catalog import Field, Layer

if TYPE_CHECKING:
    import pandera.pandas as pa

__all__ = ["completed", "dtype_of", "empty", "fault", "faulty_rows", "holds", "schema", "typed"]

_DTYPES: dict[str, Any] = {
    "string": "string",
    "category": "string",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
}


def dtype_of(field: Field) -> str | None:
    """Return the type of the values of a field; None of times, which have that of their zone."""
    return _DTYPES.get(field.type)


def holds(layer: Layer, frame: pd.DataFrame) -> bool:
    """Tell whether a frame keeps the schema of its layer without any doubt.

    Pandera says what is wrong, but takes twenty times as long to find that nothing is. Where this
    is false, it is to be asked.

    Parameters
    ----------
    layer : Layer
    frame : DataFrame
        With the input fields.

    Examples
    --------
    >>> from gridmap.schema import holds
    >>> city = gridmap.read_city("data", layers=["grids"])
    >>> layer, grids = city.catalog.layer("grids"), city.frame("grids")
    >>> holds(layer, grids), holds(layer, grids.assign(code="same"))
    (True, False)
    """
    if not frame.columns.is_unique:
        return False
    return all(
        name in frame and _field_holds(field, frame[name], frame)
        for name, field in layer.inputs.items()
    )


def _field_holds(field: Field, values: pd.Series, frame: pd.DataFrame) -> bool:
    kind = dtype_of(field)
    if kind is not None and values.dtype != pd.api.types.pandas_dtype(kind):
        return False
    if (field.required and values.isna().any()) or (field.unique and values.duplicated().any()):
        return False
    if field.not_before and not (
        field.not_before in frame and not (values < frame[field.not_before]).any()
    ):
        return False
    return _known_hold(field, values.dropna())


def _known_hold(field: Field, known: pd.Series) -> bool:
    return (
        (not field.categories or bool(known.isin(list(field.categories)).all()))
        and (field.minimum is None or bool((known >= field.minimum).all()))
        and (field.maximum is None or bool((known <= field.maximum).all()))
    )


def schema(layer: Layer, *, derived: bool = False) -> pa.DataFrameSchema:
    """Return the schema of a layer's attributes.

    Parameters
    ----------
    layer : Layer
    derived : bool
        Whether the frame also holds the fields that gridmap computes itself.

    Returns
    -------
    pandera.DataFrameSchema
        One column for every field, and one check, named ``field.order``, for every pair of times
        of which one cannot come before the other. The geometry is proven by `gridmap.model.City`.
    """
    import pandera.pandas as pa  # noqa: PLC0415

    fields = layer.fields if derived else layer.inputs
    return pa.DataFrameSchema(
        {name: _column(field) for name, field in fields.items()},
        checks=[
            pa.Check(_not_before(name, field.not_before), name=f"{name}.order")
            for name, field in fields.items()
            if field.not_before
        ],
        name=layer.name,
        strict="filter",
    )


def fault(layer: Layer, frame: pd.DataFrame) -> str:
    """Return what is wrong first with a frame, in pandera's words; nothing if nothing is."""
    if holds(layer, frame):
        return ""
    import pandera.errors  # noqa: PLC0415

    try:
        schema(layer).validate(frame)
    except pandera.errors.SchemaError as error:
        return " ".join(str(error).split())
    return ""


def faulty_rows(layer: Layer, frame: pd.DataFrame) -> pd.DataFrame:
    """Return what is wrong with which rows of a frame: ``index``, ``column`` and ``check``."""
    nothing = pd.DataFrame(columns=["index", "column", "check"])
    if holds(layer, frame):
        return nothing
    import pandera.errors  # noqa: PLC0415

    try:
        schema(layer).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        faults: pd.DataFrame = error.failure_cases.dropna(subset=["index"])
        return faults
    return nothing


def empty(index: pd.Index, field: Field, timezone: str) -> pd.Series:
    """Return a field that nothing fills."""
    return pd.Series(index=index, dtype=dtype_of(field) or pd.DatetimeTZDtype("us", timezone))


def completed(layer: Layer, frame: pd.DataFrame, timezone: str) -> pd.DataFrame:
    """Return a frame of an earlier version with the fields that the layer has had since.

    Parameters
    ----------
    layer : Layer
    frame : DataFrame
    timezone : str
        Of times that nobody filled.
    """
    lacking = {
        name: empty(frame.index, field, timezone)
        for name, field in layer.inputs.items()
        if name not in frame and not field.required
    }
    return frame.assign(**lacking) if lacking else frame


def typed(layer: Layer, frame: pd.DataFrame, zone: str = "") -> pd.DataFrame:
    """Return a frame that gridmap itself has made with the types that the layer's fields have.

    Parameters
    ----------
    layer : Layer
    frame : DataFrame
        As a file holds it, which knows fewer types. Columns that are no fields stay as they are.
    zone : str, optional
        The time zone of times that nobody has filled, which have no type of their own.
    """
    kinds: dict[str, Any] = {}
    for name, field in layer.fields.items():
        if name not in frame:
            continue
        if field.type in _DTYPES:
            kinds[name] = _DTYPES[field.type]
        elif zone and field.type == "datetime" and frame[name].isna().all():
            kinds[name] = pd.DatetimeTZDtype("us", zone)
    # A time that is missing is of no number, which a time cannot be made of.
    empty = [name for name, kind in kinds.items() if isinstance(kind, pd.DatetimeTZDtype)]
    return frame.astype(dict.fromkeys(empty, object)).astype(kinds)


def _column(field: Field) -> pa.Column:
    import pandera.pandas as pa  # noqa: PLC0415

    checks = []
    if field.categories:
        checks.append(pa.Check.isin(list(field.categories)))
    if field.minimum is not None:
        checks.append(pa.Check.ge(field.minimum))
    if field.maximum is not None:
        checks.append(pa.Check.le(field.maximum))
    return pa.Column(
        dtype_of(field),
        checks,
        nullable=not field.required,
        unique=field.unique,
        report_duplicates="exclude_first",
    )


def _not_before(later: str, earlier: str) -> Any:
    def check(frame: pd.DataFrame) -> pd.Series[bool]:
        return ~(frame[later] < frame[earlier])

    return check
