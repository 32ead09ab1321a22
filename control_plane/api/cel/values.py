"""Values while an expression is evaluated, their types, and when two are equal.

null, bool, double, string, bytes, list and map are Python's None, bool, float, str, bytes, list and
dict: a JSON document is a value as it is. An int is an int; the classes below are the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_INT: Final = 2**63 - 1
MIN_INT: Final = -(2**63)
MAX_UINT: Final = 2**64 - 1
NANOS: Final = 1_000_000_000


class UInt(int):
    """An unsigned integer; 64 bits."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time, in nanoseconds."""

    nanos: int


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A point in time, in nanoseconds since 1970 UTC."""

    nanos: int


@dataclass(frozen=True, slots=True)
class TypeValue:
    """What type(x) is, and what the names of types are in expressions."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be absent; NONE is the one that is."""

    value: Any = None
    has_value: bool = True


class ObjectValue(dict[str, Any]):
    """What `Name{...}` makes: its fields, and the name of the type."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str, fields: Mapping[str, Any]) -> None:
        """Keep the fields."""
        super().__init__(fields)
        self.type_name = type_name


NONE: Final = Optional(None, has_value=False)

_NAMES: Final[dict[type, str]] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    tuple: "list",
    dict: "map",
    Duration: "google.protobuf.Duration",
    Timestamp: "google.protobuf.Timestamp",
    TypeValue: "type",
    Optional: "optional_type",
}


_EQUALITIES: Final[dict[type, Callable[[Any, Any], bool]]] = {}


def register(
    python_type: type, name: str, equality: Callable[[Any, Any], bool] | None = None
) -> None:
    """Say which type of expressions the instances of a library's class have.

    `equality` is for classes of lists whose order says nothing.
    """
    _NAMES[python_type] = name
    if equality is not None:
        _EQUALITIES[python_type] = equality


def type_name(value: Any) -> str:
    """Return the name of a value's type, without parameters."""
    name = _NAMES.get(type(value))
    if isinstance(value, ObjectValue):
        return value.type_name
    if name is None:  # a subclass of dict, such as lazily computed variables
        name = "map" if isinstance(value, dict) else type(value).__name__
    return name


_NUMBERS: Final = (int, UInt, float)
_PLAIN: Final = (str, bool, int, float, UInt, type(None), bytes)


def equal(left: Any, right: Any) -> bool:
    """Tell whether two values are equal: numbers across types, all others of one type only."""
    kind, other = type(left), type(right)
    if kind is other and kind in _PLAIN:
        return bool(left == right)
    if kind in _NUMBERS and other in _NUMBERS:
        return bool(left == right)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        if kind in _EQUALITIES:
            return _EQUALITIES[kind](left, right)
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return len(left) == len(right) and all(
            key in right and equal(value, right[key]) for key, value in left.items()
        )
    if kind is Optional and other is Optional:
        return left.has_value == right.has_value and equal(left.value, right.value)
    return kind is other and bool(left == right)


def checked_int(number: int) -> int:
    """Return the number; EvaluationError when 64 bits do not hold it."""
    if MIN_INT <= number <= MAX_INT:
        return number
    raise EvaluationError("integer overflow")


def checked_uint(number: int) -> UInt:
    """Return the number as an unsigned one; EvaluationError when 64 bits do not hold it."""
    if 0 <= number <= MAX_UINT:
        return UInt(number)
    raise EvaluationError("unsigned integer overflow")
