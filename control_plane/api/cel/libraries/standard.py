"""The language's own functions on strings, bytes, lists and maps."""

from __future__ import annotations

from typing import Any, Final

from control_plane.api.cel.functions import Function, Overload
from control_plane.api.cel.patterns import compiled
from control_plane.api.cel.types import BOOL, BYTES, INT, STRING, A, B, list_of, map_of

_SIZED: Final = (STRING, BYTES, list_of(A), map_of(A, B))


def _tenth(text: Any) -> int:
    return (len(text) + 9) // 10


def _ends_cost(_text: str, part: str) -> int:
    return _tenth(part)


def _contains_cost(text: str, part: str) -> int:
    return _tenth(text) * _tenth(part)


def matches_cost(text: str, pattern: str) -> int:
    """Return what a search costs: the text times a quarter of the pattern."""
    return _tenth(text + " ") * ((len(pattern) + 3) // 4)


def matches(text: str, pattern: str) -> bool:
    """Tell whether a pattern is found anywhere in a text."""
    return compiled(pattern).search(text) is not None


def _both_ways(name: str, takes: tuple[Any, ...], gives: Any, run: Any, cost: Any) -> Function:
    """A function that may be called with or without a target."""
    return Function(
        name, tuple(Overload(takes, gives, run, is_member, cost) for is_member in (True, False))
    )


LIBRARY: Final = (
    *(_both_ways("size", (sized,), INT, len, None) for sized in _SIZED),
    _both_ways("matches", (STRING, STRING), BOOL, matches, matches_cost),
    Function(
        "contains",
        (Overload((STRING, STRING), BOOL, lambda text, part: part in text, True, _contains_cost),),
    ),
    Function("startsWith", (Overload((STRING, STRING), BOOL, str.startswith, True, _ends_cost),)),
    Function("endsWith", (Overload((STRING, STRING), BOOL, str.endswith, True, _ends_cost),)),
)
