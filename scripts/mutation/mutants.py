"""The changes that can be made to a module, each an edit of its text."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mutation.operators import Edit, edits

__all__ = ["Mutant", "is_real", "mutants"]

# Arguments that guard against mistakes of ours, or speak to a person.
_GUARDS = {"strict", "help", "metavar"}
# Calls that say something to a person while the work goes on.
_SAYING = {"progress", "tell", "warn", "debug", "info", "warning", "print", "echo"}


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    Parameters
    ----------
    path : pathlib.Path
        Of the module, below the root of the project.
    line : int
        Where the change begins, from 1.
    kind : str
        Of the change.
    before, after : str
        The changed lines, without the blanks around them.
    source : bytes
        The whole module after the change.
    """

    path: Path
    line: int
    kind: str
    before: str
    after: str
    source: bytes


def mutants(root: Path, path: Path) -> list[Mutant]:
    """Return all that can be changed in a module, in the order of its text.

    Parameters
    ----------
    root : pathlib.Path
        Of the project.
    path : pathlib.Path
        Of the module, below the root.

    Returns
    -------
    list of Mutant
        Among them some that Python cannot parse, or that say the same as before: see `is_real`.
    """
    source = (root / path).read_bytes()
    tree = ast.parse(source)
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: dict[tuple[int, int, bytes], Mutant] = {}
    for node in _meaningful(tree):
        for edit in edits(node, source, starts):
            found[edit.start, edit.stop, edit.text] = _mutant(path, source, starts, edit)
    return [found[key] for key in sorted(found)]


def is_real(root: Path, mutant: Mutant) -> bool:
    """Tell whether a mutant is a program, and another one than before."""
    try:
        tree = ast.parse(mutant.source)
    except SyntaxError:
        return False
    return ast.dump(tree) != ast.dump(ast.parse((root / mutant.path).read_bytes()))


def _mutant(path: Path, source: bytes, starts: list[int], edit: Edit) -> Mutant:
    changed = source[: edit.start] + edit.text + source[edit.stop :]
    first = bisect_right(starts, edit.start) - 1
    last = bisect_left(starts, edit.stop) - 1
    begin, end = starts[first], starts[last + 1]
    after = changed[begin : end + len(changed) - len(source)]
    return Mutant(path, first + 1, edit.kind, _shown(source[begin:end]), _shown(after), changed)


def _shown(text: bytes) -> str:
    return " ".join(text.decode().split())


def _meaningful(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree that compute something: no annotation, docstring or message."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_params", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_idle(child):
                yield child
                yield from _meaningful(child)


def _is_idle(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
            idle = True
        case ast.Raise():
            idle = True  # its guard is changed, not what it says
        case ast.Expr(value=ast.Call(func=function)):
            idle = getattr(function, "attr", getattr(function, "id", "")) in _SAYING
        case ast.Assign(targets=[ast.Name(id=name)]):
            # The name of a type begins with a capital and is no constant.
            idle = name == "__all__" or (isinstance(node.value, ast.Subscript) and name.istitle())
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            idle = True
        case ast.keyword(arg=name):
            idle = name in _GUARDS
        case _:
            idle = False
    return idle
