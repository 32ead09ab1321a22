"""Literals that no evaluation can use: patterns, durations, timestamps, numbers that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel.errors import CompileError, EvaluationError, Issue
from control_plane.api.cel.expressions import Call, Expr, Literal, children
from control_plane.api.cel.patterns import compiled
from control_plane.api.cel.times import parse_duration, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from control_plane.api.cel.checking import Checked

UNMAKEABLE: Final = "program instantiation failed: "
_CONVERSIONS: Final = frozenset(
    {"bool", "bytes", "double", "duration", "int", "string", "timestamp", "uint"}
)
_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "matches": compiled,
    "duration": parse_duration,
    "timestamp": parse_timestamp,
}


def check_literals(text: str, checked: Checked) -> None:
    """Raise CompileError for every literal that its function does not take."""
    issues = list(_issues(checked.tree))
    if issues:
        raise CompileError.of(text, issues)


def _issues(node: Expr) -> Iterator[Issue]:
    if isinstance(node, Call) and node.function in _READERS and node.arguments:
        literal = node.arguments[-1]
        if isinstance(literal, Literal) and isinstance(literal.value, str):
            try:
                _READERS[node.function](literal.value)
            except EvaluationError:
                yield Issue(literal.offset, f"invalid {node.function} argument")
    for child in children(node):
        yield from _issues(child)


def check_conversions(checked: Checked) -> None:
    """Raise CompileError where a literal is converted to what it cannot be: int("x")."""
    try:
        _convert(checked.tree, checked)
    except EvaluationError as error:
        raise CompileError(f"{UNMAKEABLE}{error}") from None


def _convert(node: Expr, checked: Checked) -> Literal | None:
    """What a node stands for when it is a literal, or the conversion of one."""
    below = [_convert(child, checked) for child in children(node)]
    if isinstance(node, Literal):
        return node
    if not isinstance(node, Call) or node.function not in _CONVERSIONS or len(below) != 1:
        return None
    literal, overloads = below[0], checked.overloads.get(id(node), ())
    if literal is None or len(overloads) != 1:
        return None
    return Literal(node.offset, overloads[0].implementation(literal.value))
