"""Operators: what they take, and closures that evaluate them without a call where they can.

`&&` and `||` look at their second operand even when the first one failed. Whether two values are
equal can always be asked. Source: the CEL language definition, "Logical Operators", "Equality".
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel import arithmetic
from control_plane.api.cel.errors import CostExceeded, EvaluationError, no_such_overload
from control_plane.api.cel.functions import Function, Overload
from control_plane.api.cel.indexing import contains, index, optional_index
from control_plane.api.cel.ordering import compare
from control_plane.api.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    A,
    B,
    Type,
    list_of,
    map_of,
    optional_of,
)
from control_plane.api.cel.values import equal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control_plane.api.cel.selecting import Closure


@dataclass(frozen=True, slots=True)
class Operator:
    """How the closure of an operator is made of those of its operands, and what it costs."""

    build: Callable[[list[Closure]], Closure]
    signatures: tuple[tuple[tuple[Type, ...], Type], ...]
    cost: int = 1


def weight(value: Any) -> int:
    """Return what looking at the whole of a value costs: a tenth of its characters and elements."""
    if isinstance(value, str | bytes):
        return len(value) // 10
    if isinstance(value, list | tuple):
        return len(value) + sum(map(weight, value))
    if isinstance(value, dict):
        return len(value) + sum(map(weight, value.values()))
    return 0


def _as_bool(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise no_such_overload()


def _logical(deciding: bool) -> Callable[[list[Closure]], Closure]:
    """`||` decides on true, `&&` on false: then the other operand does not matter."""

    def build(operands: list[Closure]) -> Closure:
        left, right = operands

        def decide(frame: list[Any]) -> bool:
            try:
                value = left(frame)
                if _as_bool(value) is deciding:
                    return deciding
            except CostExceeded:
                raise
            except EvaluationError as error:
                return _after_failure(error, right, frame, deciding)
            return _as_bool(right(frame))

        return decide

    return build


def _after_failure(
    failure: EvaluationError, right: Closure, frame: list[Any], deciding: bool
) -> bool:
    try:
        if _as_bool(right(frame)) is deciding:
            return deciding
    except CostExceeded:
        raise
    except EvaluationError:
        pass
    raise failure


def _conditional(operands: list[Closure]) -> Closure:
    condition, when_true, when_false = operands
    return lambda frame: when_true(frame) if _as_bool(condition(frame)) else when_false(frame)


def _not(operands: list[Closure]) -> Closure:
    (operand,) = operands
    return lambda frame: not _as_bool(operand(frame))


_SMALL: Final = (int, bool, float, type(None))


def _equality(wanted: bool) -> Callable[[list[Closure]], Closure]:
    def build(operands: list[Closure]) -> Closure:
        left, right = operands

        def compare_values(frame: list[Any]) -> bool:
            one, other = left(frame), right(frame)
            if type(one) not in _SMALL and type(other) not in _SMALL:
                frame[0].charge(min(weight(one), weight(other)))
            return equal(one, other) is wanted

        return compare_values

    return build


def _relation(holds: Callable[[Any, Any], bool]) -> Callable[[list[Closure]], Closure]:
    def build(operands: list[Closure]) -> Closure:
        left, right = operands

        def relate(frame: list[Any]) -> bool:
            one, other = left(frame), right(frame)
            if type(one) is int and type(other) is int:
                return holds(one, other)
            _check_order(one, other, frame)
            return holds(one, other)

        return relate

    return build


def _check_order(one: Any, other: Any, frame: list[Any]) -> None:
    compare(one, other)
    if isinstance(one, str | bytes):
        frame[0].charge(min(len(one), len(other)) // 10)


def _charging(function: Callable[[Any, Any], Any]) -> Callable[[list[Closure]], Closure]:
    """An operator that goes through its right operand."""

    def build(operands: list[Closure]) -> Closure:
        left, right = operands

        def apply(frame: list[Any]) -> Any:
            one, other = left(frame), right(frame)
            if type(other) is not int:
                frame[0].charge(_length(other))
            return function(one, other)

        return apply

    return build


def _length(value: Any) -> int:
    if isinstance(value, str | bytes):
        return len(value) // 10
    return len(value) if isinstance(value, list) else 0


def _binary(function: Callable[[Any, Any], Any]) -> Callable[[list[Closure]], Closure]:
    def build(operands: list[Closure]) -> Closure:
        left, right = operands
        return lambda frame: function(left(frame), right(frame))

    return build


def _unary(function: Callable[[Any], Any]) -> Callable[[list[Closure]], Closure]:
    def build(operands: list[Closure]) -> Closure:
        (operand,) = operands
        return lambda frame: function(operand(frame))

    return build


def _same(*kinds: Type) -> tuple[tuple[tuple[Type, ...], Type], ...]:
    """Signatures of an operator that keeps the type of its two operands."""
    return tuple(((kind, kind), kind) for kind in kinds)


_ORDERED: Final = (BOOL, INT, UINT, DOUBLE, STRING, BYTES, TIMESTAMP, DURATION)
_NUMBERS: Final = (INT, UINT, DOUBLE)
_RELATIONS: Final = (
    *(((kind, kind), BOOL) for kind in _ORDERED),
    *(((one, other), BOOL) for one in _NUMBERS for other in _NUMBERS if one is not other),
)
_LISTS: Final = ((list_of(A), list_of(A)), list_of(A))
_KEYED: Final = (((list_of(A), INT), A), ((map_of(A, B), A), B))
_OPTIONALLY_KEYED: Final = (
    ((list_of(A), INT), optional_of(A)),
    ((map_of(A, B), A), optional_of(B)),
    ((optional_of(list_of(A)), INT), optional_of(A)),
    ((optional_of(map_of(A, B)), A), optional_of(B)),
)

OPERATORS: Final[Mapping[str, Operator]] = {
    "_&&_": Operator(_logical(deciding=False), (((BOOL, BOOL), BOOL),), 0),
    "_||_": Operator(_logical(deciding=True), (((BOOL, BOOL), BOOL),), 0),
    "!_": Operator(_not, (((BOOL,), BOOL),)),
    "_?_:_": Operator(_conditional, (((BOOL, A, A), A),), 0),
    "_==_": Operator(_equality(wanted=True), (((A, A), BOOL),)),
    "_!=_": Operator(_equality(wanted=False), (((A, A), BOOL),)),
    "_<_": Operator(_relation(operator.lt), _RELATIONS),
    "_<=_": Operator(_relation(operator.le), _RELATIONS),
    "_>_": Operator(_relation(operator.gt), _RELATIONS),
    "_>=_": Operator(_relation(operator.ge), _RELATIONS),
    "_+_": Operator(
        _charging(arithmetic.add),
        (
            *_same(INT, UINT, DOUBLE, STRING, BYTES),
            _LISTS,
            ((TIMESTAMP, DURATION), TIMESTAMP),
            ((DURATION, TIMESTAMP), TIMESTAMP),
            *_same(DURATION),
        ),
    ),
    "_-_": Operator(
        _binary(arithmetic.subtract),
        (
            *_same(INT, UINT, DOUBLE),
            ((TIMESTAMP, TIMESTAMP), DURATION),
            ((TIMESTAMP, DURATION), TIMESTAMP),
            *_same(DURATION),
        ),
    ),
    "_*_": Operator(_binary(arithmetic.multiply), _same(INT, UINT, DOUBLE)),
    "_/_": Operator(_binary(arithmetic.divide), _same(INT, UINT, DOUBLE)),
    "_%_": Operator(_binary(arithmetic.modulo), _same(INT, UINT)),
    "-_": Operator(_unary(arithmetic.negate), (((INT,), INT), ((DOUBLE,), DOUBLE))),
    "_[_]": Operator(
        _binary(index),
        (
            *_KEYED,
            ((optional_of(list_of(A)), INT), optional_of(A)),
            ((optional_of(map_of(A, B)), A), optional_of(B)),
        ),
    ),
    "_[?_]": Operator(_binary(optional_index), _OPTIONALLY_KEYED),
    "@in": Operator(_charging(contains), (((A, list_of(A)), BOOL), ((A, map_of(A, B)), BOOL))),
}


def _declared(name: str, one: Operator) -> Function:
    """The declaration that the checker looks at; evaluation goes by `build`."""
    return Function(
        name, tuple(Overload(takes, gives, _never_called) for takes, gives in one.signatures)
    )


def _never_called(*_values: Any) -> Any:
    raise AssertionError("operators are built, not called")


DECLARATIONS: Final = tuple(_declared(name, one) for name, one in OPERATORS.items())
