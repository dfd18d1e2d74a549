"""What can go wrong, as one small tree.

GridmapError
├── CatalogError    a definition in layers/*.toml or maps/*.toml
├── ConfigError     a city.toml
├── SourceError     a file, table or column that cannot be read
├── ConformError    data that can be read but not used as that layer
├── CrsError        a coordinate system
├── OutputError     a file or map that cannot be written
└── StoreError      a database

Each is raised with the key of a message in ``messages.toml`` and that message's parameters, so
that one line names what, where and the remedy, in the reader's language.
"""

from __future__ import annotations

from gridmap import messages

__all__ = [
    "CatalogError",
    "ConfigError",
    "ConformError",
    "CrsError",
    "GridmapError",
    "OutputError",
    "SourceError",
    "StoreError",
]


class GridmapError(Exception):
    r"""Something that the user can mend.

    Parameters
    ----------
    key : str
        A message of ``messages.toml``.
    **params
        Values of its placeholders.

    Examples
    --------
    >>> try:
    ...     gridmap.read_city_file("nowhere")
    ... except gridmap.GridmapError as error:
    ...     print(error.key, error.text("zh"), sep="\n")
    toml.missing
    nowhere：文件不存在；请检查路径，或按 README 新建
    """

    def __init__(self, key: str, **params: object) -> None:
        self.key = key
        self.params = params
        super().__init__(self.text())

    def text(self, lang: str = "en") -> str:
        """Return the message on one line, in the language asked for."""
        said = " ".join(messages.text(self.key, lang, **self.params).split())
        return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in said)


class CatalogError(GridmapError):
    """A mistake in a layer or map definition."""


class ConfigError(GridmapError):
    """A mistake in a city file."""


class SourceError(GridmapError):
    """An input that cannot be read."""


class ConformError(GridmapError):
    """An input that is not what its layer asks for."""


class CrsError(GridmapError):
    """A coordinate system that is unknown, missing or wrong."""


class OutputError(GridmapError):
    """An output that cannot be written."""


class StoreError(GridmapError):
    """A database that cannot be reached or does not fit."""
