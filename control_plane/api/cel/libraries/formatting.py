"""`"%s".format([...])`: verbs s, d, f, e, b, o, x and X, with a precision for f and e.

Source: cel-go's string extension.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel.errors import EvaluationError
from control_plane.api.cel.libraries.conversions import text_of_double
from control_plane.api.cel.times import format_duration, format_timestamp
from control_plane.api.cel.values import Duration, Timestamp, TypeValue, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

_VERB: Final = re.compile(r"%(?:%|(\.\d*)?([a-zA-Z]?))")
_MAX_PRECISION: Final = 1000


def format_text(pattern: str, arguments: list[Any]) -> str:
    """Return the pattern with each verb replaced by the next argument."""
    given = iter(arguments)
    used = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal used
        if match[0] == "%%":
            return "%"
        formatter = _FORMATTERS.get(match[2])
        if formatter is None:
            shown = match[2] or "%"
            raise EvaluationError(
                f'could not parse formatting clause: unrecognized formatting clause "{shown}"'
            )
        try:
            value = next(given)
        except StopIteration:
            raise EvaluationError(f"index {used} out of range") from None
        used += 1
        precision = int((match[1] or ".6")[1:] or "0")
        if precision > _MAX_PRECISION:
            raise EvaluationError("precision is too large")
        return formatter(value, precision)

    return _VERB.sub(replace, pattern)


def text_of(value: Any) -> str:
    """Return a value as %s writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, dict):
        entries = sorted((text_of(key), text_of(one)) for key, one in value.items())
        return "{" + ", ".join(f"{key}: {one}" for key, one in entries) + "}"
    writer = _TEXTS.get(type(value))
    if writer is not None:
        return writer(value)
    if isinstance(value, int):
        return str(int(value))
    raise EvaluationError(
        "error during formatting: string clause can only be used on strings, bools, bytes, ints, "
        f"doubles, maps, lists, types, durations, and timestamps, was given {type_name(value)}"
    )


_TEXTS: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda _value: "null",
    bool: lambda value: "true" if value else "false",
    float: text_of_double,
    bytes: lambda value: value.decode("utf-8", "replace"),
    TypeValue: lambda value: value.name,
    Duration: format_duration,
    Timestamp: format_timestamp,
}


def _wrong(clause: str, allowed: str, value: Any) -> EvaluationError:
    return EvaluationError(
        f"error during formatting: {clause} clause can only be used on {allowed}, was given "
        f"{type_name(value)}"
    )


def _string(value: Any, _precision: int) -> str:
    return text_of(value)


def _decimal(value: Any, _precision: int) -> str:
    if isinstance(value, float):
        return text_of_double(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    raise _wrong("decimal", "integers", value)


def _fixed(value: Any, precision: int) -> str:
    return f"{_double('fixed-point', value):.{precision}f}"


def _scientific(value: Any, precision: int) -> str:
    return f"{_double('scientific', value):.{precision}e}"


def _double(clause: str, value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise _wrong(clause, "doubles", value)


def _binary(value: Any, _precision: int) -> str:
    if isinstance(value, int):
        return f"{int(value):b}"
    raise _wrong("binary", "integers and bools", value)


def _octal(value: Any, _precision: int) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{int(value):o}"
    raise _wrong("octal", "integers", value)


def _hexadecimal(value: Any, _precision: int) -> str:
    if isinstance(value, str):
        return value.encode().hex()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{int(value):x}"
    raise _wrong("hex", "integers, byte buffers, and strings", value)


_FORMATTERS: Final[dict[str, Callable[[Any, int], str]]] = {
    "s": _string,
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "b": _binary,
    "o": _octal,
    "x": _hexadecimal,
    "X": lambda value, precision: _hexadecimal(value, precision).upper(),
}
