"""The command line: arguments in, exit code out."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Annotated

import typer

from gridmap import messages
from gridmap._version import __version__
from gridmap.cli import bulletin, check, export, import_edits, plan, run, who, work
from gridmap.cli.common import help_of, language
from gridmap.errors import GridmapError

__all__ = ["main"]

app = typer.Typer(
    help=help_of("help"), no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


def _version(asked: bool) -> None:
    if asked:
        print(f"gridmap {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help=help_of("version"), callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Hold the options that come before a command."""


for commands in (
    run.app,
    plan.app,
    check.app,
    who.app,
    bulletin.app,
    work.app,
    export.app,
    import_edits.app,
):
    app.add_typer(commands)


def main() -> None:
    """Run the command and turn what the user can mend into one line and exit code 1."""
    try:
        app()
    except GridmapError as error:
        # What failed may be the reading of the city file itself, so only the arguments are sure.
        asked = [value for name, value in pairwise(sys.argv) if name == "--lang"]
        lang = language(asked[-1] if asked else "", "")
        print(messages.text("cli.error", lang, message=error.text(lang)), file=sys.stderr)
        raise SystemExit(1) from None
