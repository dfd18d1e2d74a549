"""What was typed and is no command: told in one line, in the reader's language."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import typer

from gridmap.errors import GridmapError

__all__ = ["UsageFault", "UsageMistakeError", "asked_language", "prove_filled", "usage_mistake"]

UsageFault: type[Exception] = typer.BadParameter.__bases__[0]
"""What typer raises for whatever was typed wrong: of click, or of its own."""


# Group by nothing: the whole city alone.
_MAY_BE_EMPTY = {"--by"}


class UsageMistakeError(GridmapError):
    """A mistake in what was typed; the exit code is 2."""


def asked_language(arguments: Sequence[str]) -> str:
    """Return the language that the arguments ask for, of which nothing else is known yet."""
    apart = [value for name, value in pairwise(arguments) if name == "--lang"]
    joined = [arg.partition("=")[2] for arg in arguments if arg.startswith("--lang=")]
    return (apart + joined or [""])[-1]


def prove_filled(arguments: Sequence[str]) -> None:
    """Refuse an empty argument, such as a variable of a script that was never set leaves behind."""
    for before, given in pairwise(["", *arguments]):
        option, sign, value = given.partition("=")
        if not given.strip() or (sign and option.startswith("--") and not value.strip()):
            named = option if sign else before
            if named in _MAY_BE_EMPTY:
                continue
            key = "empty_option" if named.startswith("-") else "empty"
            raise UsageMistakeError(f"usage.{key}", option=named)


def usage_mistake(error: Any) -> UsageMistakeError:
    """Return what typer says of a command line, as a message of ours."""
    context: Any = getattr(error, "ctx", None)
    command = context.command_path if context else "gridmap"
    param = getattr(error, "param", None)
    if param is not None:
        return _of_value(error, param, command)
    if hasattr(error, "possibilities"):
        options = [name for each in context.command.params for name in each.opts]
        return _unknown("option", error.option_name, options, command)
    if hasattr(error, "option_name"):
        kind = "no_value" if "not take" in str(error.message) else "value_missing"
        return UsageMistakeError(f"usage.{kind}", option=error.option_name)
    named = re.search(r"'([^']*)'", str(error.message))
    if hasattr(getattr(context, "command", None), "commands") and named:
        return _unknown("command", named[1], context.command.commands, command)
    extra = re.search(r"\(([^()]*)\)$", str(error.message))
    shown = extra[1] if extra else " ".join(sys.argv[1:])
    return UsageMistakeError("usage.extra", command=command, extra=shown)


def _unknown(kind: str, name: str, known: Iterable[str], command: str) -> UsageMistakeError:
    bare = {each.strip("-"): each for each in known}  # dashes would make all options alike
    near = difflib.get_close_matches(name.strip("-"), list(bare), n=1)
    if near:
        like = bare[near[0]]
        return UsageMistakeError(f"usage.{kind}_near", name=name, near=like, command=command)
    return UsageMistakeError(f"usage.{kind}", name=name, command=command)


def _of_value(error: Any, param: Any, command: str) -> UsageMistakeError:
    """Return the mistake of a parameter that is missing, or whose value is none of its kind."""
    argument = param.param_type_name == "argument"
    name = (param.metavar or param.name.upper()) if argument else param.opts[0]
    value = _typed(param.opts)
    if value is None or hasattr(error, "param_type"):
        return UsageMistakeError("usage.missing", name=name, command=command)
    said = str(error.message)
    least = re.search(r"(?:equal to |>=)(-?\d+)", said)
    if least:
        return UsageMistakeError("usage.least", name=name, value=value, least=least[1])
    kind = "integer" if "integer" in said else "number"
    return UsageMistakeError(f"usage.{kind}", name=name, value=value)


def _typed(options: Sequence[str]) -> str | None:
    """Return what stands after an option on the command line."""
    apart = [value for name, value in pairwise(sys.argv) if name in options]
    parted = [arg.partition("=") for arg in sys.argv]
    joined = [value for name, sign, value in parted if sign and name in options]
    given = apart + joined
    return given[-1] if given else None
