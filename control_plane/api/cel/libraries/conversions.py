"""The language's own conversions: int("1"), string(1.5), timestamp("..."), type(x), dyn(x)."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from control_plane.api.cel.errors import EvaluationError, unconvertible
from control_plane.api.cel.functions import Function, Overload
from control_plane.api.cel.times import (
    format_duration,
    format_timestamp,
    parse_duration,
    parse_timestamp,
)
from control_plane.api.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    A,
    type_of,
)
from control_plane.api.cel.values import (
    MAX_INT,
    MAX_UINT,
    NANOS,
    Timestamp,
    TypeValue,
    UInt,
    checked_int,
    checked_uint,
    type_name,
)

_INTEGER: Final = re.compile(r"[+-]?\d+", re.ASCII)
_DOUBLE: Final = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|nan)", re.A)
_TRUE: Final = ("true", "TRUE", "True", "t", "1")
_FALSE: Final = ("false", "FALSE", "False", "f", "0")


def _same(value: Any) -> Any:
    return value


def _int_of_text(text: str) -> int:
    if not _INTEGER.fullmatch(text) or len(text) > 20 or not -MAX_INT - 1 <= int(text) <= MAX_INT:
        raise unconvertible("int")
    return int(text)


def _int_of_double(value: float) -> int:
    if not math.isfinite(value) or abs(value) >= MAX_INT:
        raise EvaluationError("integer overflow")
    return int(value)


def _uint_of_text(text: str) -> UInt:
    if not _INTEGER.fullmatch(text) or text[0] in "+-" or len(text) > 20 or int(text) > MAX_UINT:
        raise unconvertible("uint")
    return checked_uint(int(text))


def _uint_of_double(value: float) -> UInt:
    if not math.isfinite(value):
        raise EvaluationError("unsigned integer overflow")
    return checked_uint(int(value))


def _double_of_text(text: str) -> float:
    if not _DOUBLE.fullmatch(text.lower()):
        raise unconvertible("double")
    return float(text)


def text_of_double(value: float) -> str:
    """Return a double as Go's shortest form: 1e+10 for 1e10, 1 for 1.0."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits, _, exponent = f"{value!r}".partition("e")
    if not exponent and value == int(value) and abs(value) < 1e16:
        return _with_exponent(str(int(value)), value)
    return digits.removesuffix(".0") if not exponent else f"{digits.removesuffix('.0')}e{exponent}"


def _with_exponent(digits: str, value: float) -> str:
    """Go's %g with the shortest precision turns to exponents from 1e21 on."""
    return "-0" if digits == "0" and math.copysign(1, value) < 0 else digits


def _text_of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise EvaluationError("invalid UTF-8 in bytes, cannot convert to string") from None


def _bool_of_text(text: str) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise unconvertible("bool")


def _type(value: Any) -> TypeValue:
    return TypeValue(type_name(value))


def _size_cost(text: Any) -> int:
    return len(text) // 10


def _conversions(name: str, *overloads: tuple[Any, Any, Any]) -> Function:
    made = (Overload((takes,), gives, run) for takes, gives, run in overloads)
    return Function(name, tuple(made))


LIBRARY: Final = (
    _conversions("dyn", (A, DYN, _same)),
    _conversions("type", (A, type_of(A), _type)),
    _conversions("bool", (BOOL, BOOL, _same), (STRING, BOOL, _bool_of_text)),
    _conversions("bytes", (BYTES, BYTES, _same), (STRING, BYTES, str.encode)),
    _conversions(
        "int",
        (INT, INT, _same),
        (UINT, INT, lambda value: checked_int(int(value))),
        (DOUBLE, INT, _int_of_double),
        (STRING, INT, _int_of_text),
        (TIMESTAMP, INT, lambda value: value.nanos // NANOS),
        (DURATION, INT, lambda value: value.nanos // NANOS),
    ),
    _conversions(
        "uint",
        (UINT, UINT, _same),
        (INT, UINT, checked_uint),
        (DOUBLE, UINT, _uint_of_double),
        (STRING, UINT, _uint_of_text),
    ),
    _conversions(
        "double",
        (DOUBLE, DOUBLE, _same),
        (INT, DOUBLE, float),
        (UINT, DOUBLE, float),
        (STRING, DOUBLE, _double_of_text),
    ),
    _conversions(
        "string",
        (STRING, STRING, _same),
        (BOOL, STRING, lambda value: "true" if value else "false"),
        (INT, STRING, str),
        (UINT, STRING, str),
        (DOUBLE, STRING, text_of_double),
        (BYTES, STRING, _text_of_bytes),
        (TIMESTAMP, STRING, format_timestamp),
        (DURATION, STRING, format_duration),
    ),
    _conversions(
        "timestamp",
        (TIMESTAMP, TIMESTAMP, _same),
        (STRING, TIMESTAMP, parse_timestamp),
        (INT, TIMESTAMP, lambda value: Timestamp(value * NANOS)),
    ),
    _conversions("duration", (DURATION, DURATION, _same), (STRING, DURATION, parse_duration)),
)
