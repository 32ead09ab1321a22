"""What calls cost beside their operands, and how large their results are.

A row of CALLS is about all overloads of a function, or leaves it to the default by returning None:
one unit. Costs of text are a tenth of a unit for each character.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from control_plane.api.cel.estimation.sizes import (
    MOST,
    NOTHING,
    ONE,
    UNKNOWN,
    Size,
    plus,
    scaled,
    times,
)
from control_plane.api.cel.expressions import Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control_plane.api.cel.expressions import Expr
    from control_plane.api.cel.functions import Overload
    from control_plane.api.cel.types import Type

_CHARACTER: Final = 0.1
_PATTERN: Final = 0.25
_LIST: Final = 10
_ADDRESS: Final = Size(4, 16)  # bytes
_NAME_PATTERN: Final = 128 * _PATTERN
_FORMAT: Final = 64
_TEXTS: Final = ("string", "bytes")


class Cost(NamedTuple):
    """What a call costs, and how large its result is; None when that is not known."""

    units: int
    size: Size | None = None


@dataclass(frozen=True, slots=True)
class Called:
    """A call of one overload; `sizes` are those of the arguments, without the target's.

    `target` is None where there is none. `element` is the size of the target's elements, whose
    type is `element_type` ("" when the target is no list).
    """

    overload: Overload
    arguments: tuple[Expr, ...]
    types: tuple[Type, ...]
    sizes: tuple[Size, ...]
    target: Size | None
    element_type: str
    element: Size


def cost_of(name: str, called: Called) -> Cost:
    """Return the cost of a call, without its operands."""
    row = CALLS.get(name)
    found = row(called) if row is not None else None
    return found or Cost(1)


def _text(size: Size, factor: float = _CHARACTER) -> int:
    return scaled(size.most, factor)


def _over_target(called: Called) -> Cost | None:
    """Like trim: a pass over the target, whose size the result has."""
    return None if called.target is None else Cost(_text(called.target), called.target)


def _over_argument(called: Called) -> Cost:
    return Cost(_text(called.sizes[0]))


def _url(called: Called) -> Cost:
    return Cost(_text(called.sizes[0]), called.sizes[0])


def _is_canonical(called: Called) -> Cost:
    return Cost(_text(called.sizes[0], 2 * _CHARACTER))


def _over_elements(called: Called) -> Cost | None:
    """Like min and indexOf: each element is compared; a text is one pass."""
    if called.target is None:
        return None
    if not called.element_type:
        return Cost(_text(called.target))
    each = 1
    if called.element_type in _TEXTS:
        each = plus(each, _text(called.element))
    return Cost(times(called.target.most, each))


def _replace(called: Called) -> Cost | None:
    if called.target is None:
        return None
    text, (sought, put) = called.target, called.sizes[:2]
    least = _replaced(text.least, sought.most, put.least, changes=sought.most > put.least)
    most = _replaced(text.most, sought.least, put.most, changes=put.most > sought.least)
    return Cost(_text(text, 2 * _CHARACTER), Size(least, most))


def _replaced(text: int, sought: int, put: int, *, changes: bool) -> int:
    """The size of a text after replacing; `changes` says whether its size may."""
    if sought == 0:
        return plus(times(plus(text, 1), put), text)
    if not changes:
        return text
    return times(math.ceil(float(text) / float(sought)), put)


def _split(called: Called) -> Cost | None:
    if called.target is None:
        return None
    most = called.target.most
    if len(called.arguments) > 1:
        most = _literal(called.arguments[1], most)
    return Cost(_text(called.target, 2 * _CHARACTER), Size(0, most))


def _join(called: Called) -> Cost | None:
    if called.target is None:
        return None
    size = called.target.times(called.element) if called.element_type else NOTHING
    if called.sizes:
        between = Size(*(max(count - 1, 0) for count in called.target))
        size = size.plus(called.sizes[0].times(between))
    return Cost(_text(size), size)


def _pattern_cost(text: Size, pattern: Size) -> int:
    return times(_text(text.plus(ONE)), _text(pattern, _PATTERN))


def _find(called: Called) -> Cost | None:
    if called.target is None:
        return None
    return Cost(_pattern_cost(called.target, called.sizes[0]), Size(0, called.target.most))


def _matches(called: Called) -> Cost | None:
    if called.target is None:
        return None
    return Cost(_pattern_cost(called.target, called.sizes[0]))


def _contains(called: Called) -> Cost | None:
    if called.target is None:
        return None
    return Cost(times(_text(called.target), _text(called.sizes[0])))


def _format(called: Called) -> Cost | None:
    return None if called.target is None else Cost(_text(called.target))


def _quote(called: Called) -> Cost:
    (size,) = called.sizes
    result = Size(plus(size.least, 2), plus(times(size.most, 2), 2))
    return Cost(_text(size), result)


def _bytes(called: Called) -> Cost | None:
    if _parameter(called) != "string":
        return None
    (size,) = called.sizes
    return Cost(_text(size), Size(size.least, times(size.most, 4)))


def _string(called: Called) -> Cost | None:
    if _parameter(called) != "bytes":
        return None
    (size,) = called.sizes
    return Cost(_text(size), Size(size.least // 4, size.most))


def _parameter(called: Called, index: int = 0) -> str:
    declared = called.overload.parameters[index]
    return declared.parameters[0].name if declared.name == "wrapper" else declared.name


def _ip(called: Called) -> Cost:
    return Cost(1) if called.target is not None else _over_argument(called)


def _contains_ip(called: Called) -> Cost:
    return Cost(plus(_text(_ADDRESS.plus(_ADDRESS)), _parsed(called)))


def _contains_cidr(called: Called) -> Cost:
    masked = plus(_text(_ADDRESS), 1)
    return Cost(plus(_contains_ip(called).units, masked))


def _parsed(called: Called) -> int:
    """What reading the argument costs when it is text."""
    return _text(called.sizes[0]) if _parameter(called, 1) == "string" else 0


def _validate(called: Called) -> Cost:
    return Cost(scaled(_text(called.sizes[0]), _NAME_PATTERN))


def _set(factor: int) -> Callable[[Called], Cost]:
    return lambda called: Cost(plus(scaled(called.sizes[0].times(called.sizes[1]).most, factor), 1))


def allocating(size: Size, factor: float) -> Cost:
    """Return the cost of making a list of a size."""
    return Cost(plus(scaled(size.most, factor), 1 + _LIST), size)


def sorting(keys: Size, key_type: str) -> Cost:
    """Return the cost of sorting by keys of a type."""
    factor = 2 + _CHARACTER if key_type in _TEXTS else 2.0
    return allocating(keys.times(keys), factor)


def _sort(called: Called) -> Cost | None:
    return None if called.target is None else sorting(called.target, called.element_type)


def _distinct(called: Called) -> Cost | None:
    return None if called.target is None else allocating(called.target.times(called.target), 2)


def _reverse(called: Called) -> Cost | None:
    return None if called.target is None else allocating(called.target, 1)


def _flatten(called: Called) -> Cost | None:
    if called.target is None:
        return None
    depth = _literal(called.arguments[0], MOST) if called.arguments else 1
    return allocating(called.target, depth)


def _slice(called: Called) -> Cost | None:
    if called.target is None:
        return None
    start, end = called.arguments
    count = (_literal(end, called.target.most) - _literal(start, 0)) % (MOST + 1)
    return allocating(Size(count, count), 1)


def _range(called: Called) -> Cost:
    count = _literal(called.arguments[0], MOST)
    return allocating(Size(count, count), 1)


def _literal(node: Expr, otherwise: int) -> int:
    """The number that a node is."""
    if isinstance(node, Literal) and isinstance(node.value, int) and node.value is not True:
        return max(int(node.value), 0)
    return otherwise


def _add(called: Called) -> Cost | None:
    kind = _parameter(called)
    if kind not in (*_TEXTS, "list"):
        return None
    size = called.sizes[0].plus(called.sizes[1])
    return Cost(1 if kind == "list" else _text(size), size)


def _compare(called: Called) -> Cost | None:
    return _smaller(called) if _parameter(called) in _TEXTS else None


def _smaller(called: Called) -> Cost:
    """Comparing goes to the end of the shorter."""
    return Cost(scaled(min(one.most for one in called.sizes), _CHARACTER))


def _equal(called: Called) -> Cost:
    one, other = called.types
    if one == other and one.name in _EQUAL:
        return _EQUAL[one.name](called)
    return _smaller(called)


def _equal_urls(called: Called) -> Cost:
    size = called.sizes[1]
    return Cost(scaled(1 if size == UNKNOWN else size.most, _CHARACTER))


_EQUAL: Final[Mapping[str, Callable[[Called], Cost]]] = {
    **dict.fromkeys(
        ("net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.Semver"), lambda _called: Cost(1)
    ),
    "kubernetes.NamedFormat": lambda _called: Cost(scaled(_FORMAT, _CHARACTER)),
    "kubernetes.URL": _equal_urls,
}


def _in(called: Called) -> Cost | None:
    return Cost(called.sizes[1].most) if _parameter(called, 1) == "list" else None


CALLS: Final[Mapping[str, Callable[[Called], Cost | None]]] = {
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _over_elements),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _over_target),
    **dict.fromkeys(
        ("cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"), _over_argument
    ),
    **dict.fromkeys(("startsWith", "endsWith"), _over_argument),
    **dict.fromkeys(("find", "findAll"), _find),
    **dict.fromkeys(("_<_", "_<=_", "_>_", "_>=_"), _compare),
    "_==_": _equal,
    "_!=_": _smaller,
    "_+_": _add,
    "@in": _in,
    "url": _url,
    "replace": _replace,
    "split": _split,
    "join": _join,
    "matches": _matches,
    "contains": _contains,
    "format": _format,
    "strings.quote": _quote,
    "bytes": _bytes,
    "string": _string,
    "ip": _ip,
    "ip.isCanonical": _is_canonical,
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "validate": _validate,
    "sets.contains": _set(1),
    "sets.intersects": _set(1),
    "sets.equivalent": _set(2),
    "sort": _sort,
    "distinct": _distinct,
    "reverse": _reverse,
    "flatten": _flatten,
    "slice": _slice,
    "lists.range": _range,
}
