"""From JSON to the values of declared types: 1 as a double, a date-time as a timestamp."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final

from control_plane.api.cel.errors import EvaluationError
from control_plane.api.cel.keyed_lists import MapList, SetList
from control_plane.api.cel.times import parse_duration, parse_timestamp
from control_plane.api.cel.types import ListType, Type

Convert = Callable[[Any], Any]


def _double(value: Any) -> Any:
    return float(value) if type(value) is int else value


def _bytes(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise EvaluationError("error converting value to bytes") from None


def _timestamp(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return parse_timestamp(value if "T" in value.upper() else f"{value}T00:00:00Z")


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


_CONVERTERS: Final[dict[str, Convert]] = {
    "double": _double,
    "bytes": _bytes,
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
}


def converter(declared: Type) -> Convert | None:
    """Return what makes a value of a type of what JSON has; None when that is the value."""
    if declared.name == "wrapper":
        return converter(declared.parameters[0])
    if declared.name == "list":
        return _list_converter(declared)
    if declared.name == "map":
        convert = converter(declared.parameters[1])
        return None if convert is None else lambda value: _each_value(convert, value)
    return _CONVERTERS.get(declared.name)


def _list_converter(declared: Type) -> Convert | None:
    convert, made = converter(declared.parameters[0]), _list_maker(declared)
    if convert is None and made is None:
        return None

    def convert_list(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        elements = value if convert is None else [convert(one) for one in value]
        return elements if made is None else made(elements)

    return convert_list


def _list_maker(declared: Type) -> Convert | None:
    if not isinstance(declared, ListType) or declared.kind == "atomic":
        return None
    return SetList if declared.kind == "set" else lambda value: MapList(value, declared.keys)


def _each_value(convert: Convert, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: convert(one) for key, one in value.items()}
