"""The command line: arguments in, exit code out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import copy_context
from functools import cache
from typing import Annotated

import typer

from gridmap import messages
from gridmap._version import __version__
from gridmap.cli import bulletin, check, console, export, import_edits, plan, run, who, work
from gridmap.cli.common import help_of, language
from gridmap.cli.streams import steady_streams
from gridmap.cli.usage import (
    UsageFault,
    UsageMistakeError,
    asked_language,
    prove_filled,
    usage_mistake,
)
from gridmap.errors import GridmapError, OutputError

__all__ = ["main"]

app = typer.Typer(
    help=help_of("help"), no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


def _version(asked: bool) -> None:
    if asked:
        console.say(f"gridmap {__version__}")
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
    """Run the command: what the user can mend is one line, with exit code 1, or 2 if mistyped."""
    try:
        with steady_streams():
            code = _run()
    except OSError as error:  # of standard output, after all is done
        code = _refused(OutputError("output.unsaid", reason=messages.os_reason(error)))
    raise SystemExit(code)


def _run() -> int:
    try:
        prove_filled(sys.argv[1:])
        # What is shown in full is a matter of one command alone.
        ended = copy_context().run(_command(), prog_name="gridmap", standalone_mode=False)
    except typer.Abort:
        return _refused(UsageMistakeError("usage.aborted"), 1)
    except GridmapError as error:
        return _refused(error, 2 if isinstance(error, UsageMistakeError) else 1)
    except UsageFault as error:
        # Typer has shown the help already where nothing was asked.
        return _refused(usage_mistake(error), 2) if str(error) else 2
    return ended if isinstance(ended, int) else 0


@cache
def _command() -> Callable[..., object]:
    """Return all commands; Typer itself would read every signature anew at each call."""
    return typer.main.get_command(app)


def _refused(error: GridmapError, code: int = 1) -> int:
    """Tell why nothing came of a command."""
    # What failed may be the reading of the city file itself, so only the arguments are sure.
    asked = asked_language(sys.argv)
    lang = language(asked if asked in messages.TAGS else "", "")
    console.say(messages.text("cli.error", lang, message=error.text(lang)), err=True)
    return code
