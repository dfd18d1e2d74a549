"""What the command shows in a terminal: progress, and tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from gridmap import messages
from gridmap.leaving import clean, json_text, leaving

__all__ = ["Tell", "counting", "fitting", "print_table", "progress", "say", "say_json"]

_FILE_WIDTH = 1000
Tell = Callable[..., None]


def say(text: str, *, err: bool = False) -> None:
    """Print a text, as it may be shown; on standard error if it is not what was asked for."""
    print(leaving(text), file=sys.stderr if err else sys.stdout)


def say_json(value: Any, *, indent: int | None = None) -> None:
    """Print a value as JSON; what stands under the name of a code may be one."""
    from gridmap.catalog import load_catalog
    from gridmap.privacy import shown_json

    layers = load_catalog().layers.values()
    codes = frozenset(n for layer in layers for n, field in layer.fields.items() if field.code)
    print(json_text(shown_json(value, codes), indent=indent))


@contextmanager
def progress(steps: int, lang: str, *, quiet: bool) -> Iterator[Tell]:
    """Show a bar on standard error while steps are told.

    Parameters
    ----------
    steps : int
        How many there will be.
    lang : str
    quiet : bool
        Show nothing; nor is anything shown where standard error is no terminal.

    Yields
    ------
    callable
        Takes the name of a step, of section ``step`` of the messages, and its parameters.
    """
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    hidden = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        # A step is told when it begins, so that many have ended but one.
        task = bar.add_task("", total=steps, completed=-1)

        def tell(step: str, **params: str) -> None:
            text = messages.text(f"step.{step}", lang, **params)
            bar.update(task, description=escape(leaving(text)), advance=1)

        yield tell


@contextmanager
def counting(lang: str, *, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on standard error while things of a number that is not known yet are done.

    Parameters
    ----------
    lang : str
    quiet : bool
        Show nothing; nor is anything shown where standard error is no terminal.

    Yields
    ------
    callable
        Takes the name of a step, of section ``step`` of the messages, how many things of it are
        done, and of how many.
    """
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    console = Console(stderr=True)
    hidden = quiet or not console.is_terminal
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=hidden) as bar:
        task = bar.add_task("", total=None)

        def tell(step: str, done: int, of: int) -> None:
            text = messages.text(f"step.{step}", lang)
            bar.update(task, description=text, completed=done, total=of)

        yield tell


def fitting(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return how many columns of a table the terminal has room for; all where there is none."""
    if not sys.stdout.isatty():
        return len(heads)
    room = Console().width
    for position, head in enumerate(heads):
        room -= 3 + max(cell_len(cell) for cell in (head, *(row[position] for row in rows)))
        if room < 0:
            return max(1, position)
    return len(heads)


def print_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "", numbers: int = 0
) -> None:
    """Print a table; the last columns, as many as there are `numbers`, stand to the right.

    Parameters
    ----------
    heads, rows : sequences of str
        As they may be shown: what is a code and what a text, only who made them knows.
    title : str
    numbers : int
    """
    table = Table(title=escape(leaving(title)) or None, box=SIMPLE_HEAD, title_justify="left")
    for position, head in enumerate(heads):
        numeric = position >= len(heads) - numbers
        table.add_column(
            escape(clean(head)), justify="right" if numeric else "left", no_wrap=numeric
        )
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    # A file has no width; what is cut off in one cannot be found again.
    Console(width=None if sys.stdout.isatty() else _FILE_WIDTH).print(table)
