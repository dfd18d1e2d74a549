"""What is changed at one node of a syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Edit", "edits"]

_COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Mod: "*",
    ast.Pow: "*",
    ast.BitAnd: "|",
    ast.BitOr: "&",
    ast.LShift: ">>",
    ast.RShift: "<<",
}
_WORDS = {
    "left": "right",
    "right": "left",
    "first": "last",
    "last": "first",
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "argmin": "argmax",
    "argmax": "argmin",
    "any": "all",
    "all": "any",
    "floor": "ceil",
    "ceil": "floor",
    "sum": "max",
    "union": "intersection",
    "intersection": "union",
    "ffill": "bfill",
    "bfill": "ffill",
}
# Methods whose answer has the type of what they are called on.
_SAME_TYPE = {
    "strip", "lower", "upper", "copy", "drop_duplicates", "dropna", "sort_values", "sort_index",
    "reset_index", "fillna", "clip", "round", "ravel", "to_crs", "mask", "where", "replace",
    "rstrip", "lstrip", "casefold", "normalize", "fill", "head", "tail",
}  # fmt: skip
# Arguments that guard against mistakes of ours, or say what follows without them as a rule.
_IDLE = {"strict", "dtype", "copy", "na_action"}
# Below it a number says what counts as nothing: half as much again is the same to everybody, a
# million times as much is not.
_TOLERANCE, _COARSER = 1e-5, 1e6
_MANY = 1000
_WRAPPERS = {"sorted": "list", "set": "list", "abs": "", "reversed": "list"}


@dataclass(frozen=True)
class Edit:
    """Bytes of a text to be replaced.

    Parameters
    ----------
    start, stop : int
    text : bytes
    kind : str
    """

    start: int
    stop: int
    text: bytes
    kind: str


class _Place:
    """Where the nodes of a text stand in its bytes."""

    def __init__(self, source: bytes, starts: Sequence[int]) -> None:
        self.source, self.starts = source, starts

    def span(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        end = node.end_lineno, node.end_col_offset
        assert end[0] is not None and end[1] is not None  # noqa: S101, PT018 - for the types
        return self.starts[node.lineno - 1] + node.col_offset, self.starts[end[0] - 1] + end[1]

    def text(self, node: ast.expr | ast.stmt | ast.keyword) -> bytes:
        start, stop = self.span(node)
        return self.source[start:stop]

    def instead(self, node: ast.expr | ast.stmt, text: bytes, kind: str) -> Edit:
        return Edit(*self.span(node), text, kind)

    def between(self, left: ast.expr, right: ast.expr, old: str, new: str, kind: str) -> Edit:
        """Return the edit of an operator; brackets beside it stay."""
        start, stop = self.span(left)[1], self.span(right)[0]
        at = self.source.index(old.encode(), start, stop)
        return Edit(at, at + len(old), new.encode(), kind)


def edits(node: ast.AST, source: bytes, starts: Sequence[int]) -> Iterator[Edit]:
    """Yield the changes at a node.

    Parameters
    ----------
    node : ast.AST
    source : bytes
        The text that it is parsed from.
    starts : sequence of int
        Where each line of the text begins.
    """
    change = _CHANGES.get(type(node))
    if change is not None:
        yield from change(node, _Place(source, starts))


def _comparison(node: ast.Compare, place: _Place) -> Iterator[Edit]:
    sides = [node.left, *node.comparators]
    for (left, right), operator in zip(pairwise(sides), node.ops, strict=True):
        old = ast.unparse(ast.Compare(ast.Name("a"), [operator], [ast.Name("b")]))[2:-2]
        for new in _COMPARISONS[type(operator)]:
            yield place.between(left, right, old, new, "comparison")


def _arithmetic(node: ast.BinOp, place: _Place) -> Iterator[Edit]:
    new = _ARITHMETIC.get(type(node.op))
    if new is None or any(_is_text(side) for side in (node.left, node.right)):
        return
    old = ast.unparse(ast.BinOp(ast.Name("a"), node.op, ast.Name("b")))[2:-2]
    yield place.between(node.left, node.right, old, new, "arithmetic")


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))
    )


def _connective(node: ast.BoolOp, place: _Place) -> Iterator[Edit]:
    old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    for left, right in pairwise(node.values):
        yield place.between(left, right, old, new, "connective")
    for value in node.values:
        yield place.instead(value, b"True" if old == "and" else b"False", "condition dropped")


def _unary(node: ast.UnaryOp, place: _Place) -> Iterator[Edit]:
    if not isinstance(node.op, ast.UAdd):
        yield place.instead(node, b"(" + place.text(node.operand) + b")", "negation dropped")


def _constant(node: ast.Constant, place: _Place) -> Iterator[Edit]:
    value = node.value
    if isinstance(value, bool):
        yield place.instead(node, repr(not value).encode(), "constant")
    elif isinstance(value, int):
        # One more of thousands, in a limit or a budget, is no other meaning.
        other = value + 1 if value < _MANY else value * 3 // 2
        yield place.instead(node, repr(other).encode(), "constant")
    elif isinstance(value, float) and value:
        factor = _COARSER if abs(value) < _TOLERANCE else 1.5
        yield place.instead(node, repr(value * factor).encode(), "constant")
    elif isinstance(value, str) and value in _WORDS:
        yield place.instead(node, repr(_WORDS[value]).encode(), "word")


def _call(node: ast.Call, place: _Place) -> Iterator[Edit]:
    for keyword in node.keywords:
        if keyword.arg in _IDLE:
            continue
        start, stop = place.span(keyword)
        comma = place.source[stop : stop + 1] == b","
        yield Edit(start, stop + comma, b"", "argument dropped")
    if isinstance(node.func, ast.Attribute):
        name, value = node.func.attr, place.text(node.func.value)
        if name in _SAME_TYPE and value not in (b"np", b"shapely", b"pd"):
            yield place.instead(node, value, "call dropped")
        if name in _WORDS and not name[0].isupper():
            stop = place.span(node.func)[1]
            yield Edit(stop - len(name), stop, _WORDS[name].encode(), "word")
    elif isinstance(node.func, ast.Name):
        name = node.func.id
        if name in _WRAPPERS and node.args:
            yield place.instead(node.func, _WRAPPERS[name].encode(), "call dropped")
        if name in _WORDS:
            yield place.instead(node.func, _WORDS[name].encode(), "word")


def _members(node: ast.Tuple | ast.List | ast.Set, place: _Place) -> Iterator[Edit]:
    """Drop one member of a list that is written out: of constants, such as known words."""
    if len(node.elts) < 2 or not all(isinstance(one, ast.Constant) for one in node.elts):  # noqa: PLR2004 - one stays
        return
    for one in node.elts:
        start, stop = place.span(one)
        comma = place.source[stop : stop + 1] == b","
        if comma:
            yield Edit(start, stop + 1, b"", "member dropped")


def _statement(node: ast.Expr, place: _Place) -> Iterator[Edit]:
    if isinstance(node.value, ast.Call):
        yield place.instead(node, b"pass", "statement dropped")


def _assignment(node: ast.Assign | ast.AugAssign, place: _Place) -> Iterator[Edit]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if isinstance(node, ast.AugAssign) or isinstance(targets[0], (ast.Subscript, ast.Attribute)):
        yield place.instead(node, b"pass", "statement dropped")


def _leave(node: ast.Continue | ast.Break, place: _Place) -> Iterator[Edit]:
    yield place.instead(node, b"pass", "statement dropped")


def _if(node: ast.If, place: _Place) -> Iterator[Edit]:
    leaves = isinstance(node.body[-1], (ast.Raise, ast.Return, ast.Continue, ast.Break))
    if leaves and not node.orelse:
        yield place.instead(node.test, b"False", "guard dropped")
    else:
        yield from _negated(node, place)


def _negated(node: ast.If | ast.IfExp | ast.While, place: _Place) -> Iterator[Edit]:
    yield place.instead(node.test, b"not (" + place.text(node.test) + b")", "condition negated")


def _filter(node: ast.comprehension, place: _Place) -> Iterator[Edit]:
    for test in node.ifs:
        yield place.instead(test, b"True", "filter dropped")


def _return(node: ast.Return, place: _Place) -> Iterator[Edit]:
    if node.value is not None and not isinstance(node.value, ast.Constant):
        yield place.instead(node.value, b"None", "answer dropped")


def _subscript(node: ast.Subscript, place: _Place) -> Iterator[Edit]:
    match node.slice:
        case ast.Constant(value=0):
            yield place.instead(node.slice, b"-1", "first for last")
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)):
            yield place.instead(node.slice, b"0", "last for first")


_Change = Callable[..., Iterator[Edit]]
_CHANGES: dict[type[ast.AST], _Change] = {
    ast.Compare: _comparison,
    ast.BinOp: _arithmetic,
    ast.BoolOp: _connective,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.Call: _call,
    ast.Tuple: _members,
    ast.List: _members,
    ast.Set: _members,
    ast.Expr: _statement,
    ast.Assign: _assignment,
    ast.AugAssign: _assignment,
    ast.Continue: _leave,
    ast.Break: _leave,
    ast.If: _if,
    ast.IfExp: _negated,
    ast.While: _negated,
    ast.comprehension: _filter,
    ast.Return: _return,
    ast.Subscript: _subscript,
}
