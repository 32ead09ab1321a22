"""Arithmetic: on two values of one type, checked for overflow.

Source: the CEL language definition, "Overloads"; error texts as cel-go's.
"""

from __future__ import annotations

import math
from typing import Any, Final

from control_plane.api.cel.errors import EvaluationError, no_such_overload
from control_plane.api.cel.values import (
    NANOS,
    Duration,
    Timestamp,
    UInt,
    checked_int,
    checked_uint,
)

_TEXTS: Final = (str, bytes)
_MIN_SECONDS: Final = -62_135_596_800
_MAX_SECONDS: Final = 253_402_300_799
_MAX_NANOS: Final = 2**63 - 1


def checked_timestamp(nanos: int) -> Timestamp:
    """Return the time; EvaluationError outside of the years 1 to 9999."""
    if _MIN_SECONDS <= nanos // NANOS <= _MAX_SECONDS:
        return Timestamp(nanos)
    raise EvaluationError("timestamp overflow")


def checked_duration(nanos: int) -> Duration:
    """Return the duration; EvaluationError beyond about 292 years."""
    if -_MAX_NANOS - 1 <= nanos <= _MAX_NANOS:
        return Duration(nanos)
    raise EvaluationError("duration overflow")


def add(left: Any, right: Any) -> Any:
    """Return left + right."""
    kind = type(left)
    if kind is type(right):
        if kind is int:
            return checked_int(left + right)
        if kind is float or kind in _TEXTS:
            return left + right
        if kind is UInt:
            return checked_uint(int(left) + int(right))
        if kind is Duration:
            return checked_duration(left.nanos + right.nanos)
    if isinstance(left, list) and isinstance(right, list):
        return left + right  # sets and maps of schemas merge instead: keyed_lists.py
    if {kind, type(right)} == {Timestamp, Duration}:
        return checked_timestamp(left.nanos + right.nanos)
    raise no_such_overload()


def subtract(left: Any, right: Any) -> Any:
    """Return left - right."""
    kind, other = type(left), type(right)
    if kind is other:
        if kind is int:
            return checked_int(left - right)
        if kind is float:
            return left - right
        if kind is UInt:
            return checked_uint(int(left) - int(right))
        if kind is Duration or kind is Timestamp:
            return checked_duration(left.nanos - right.nanos)
    if kind is Timestamp and other is Duration:
        return checked_timestamp(left.nanos - right.nanos)
    raise no_such_overload()


def multiply(left: Any, right: Any) -> Any:
    """Return left * right."""
    kind = type(left)
    if kind is type(right):
        if kind is int:
            return checked_int(left * right)
        if kind is float:
            return left * right
        if kind is UInt:
            return checked_uint(int(left) * int(right))
    raise no_such_overload()


def divide(left: Any, right: Any) -> Any:
    """Return left / right; integers are cut towards zero."""
    kind = type(left)
    if kind is not type(right):
        raise no_such_overload()
    if kind is float:
        return _divide_doubles(left, right)
    if kind in (int, UInt):
        if right == 0:
            raise EvaluationError("division by zero")
        quotient = abs(int(left)) // abs(int(right))
        signed = quotient if (left < 0) == (right < 0) else -quotient
        return checked_int(signed) if kind is int else UInt(signed)
    raise no_such_overload()


def _divide_doubles(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def modulo(left: Any, right: Any) -> Any:
    """Return the rest of the division; it has the sign of `left`."""
    kind = type(left)
    if kind is not type(right) or kind not in (int, UInt):
        raise no_such_overload()
    if right == 0:
        raise EvaluationError("modulus by zero")
    rest = abs(int(left)) % abs(int(right))
    return kind(rest if left >= 0 else -rest)


def negate(operand: Any) -> Any:
    """Return -operand."""
    if type(operand) is int:
        return checked_int(-operand)
    if type(operand) is float:
        return -operand
    raise no_such_overload()
