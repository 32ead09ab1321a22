"""Fields that an object always has, because they are no pointers in Go, and scalars that vanish.

Upstream compares objects as its structs hold them. A struct within a struct is there even when
nobody set it, so setting one of its fields does not make the struct itself somebody's; a false or
empty optional scalar is not there at all when it is no pointer. The schema does not say which
fields these are: struct_fields.json does, by definition, made of the Go types' JSON tags
(tests/clients/managed_fields). Called by shapes.py.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import orjson

from control_plane.api.schema import INT_OR_STRING, QUANTITY, REFERENCE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE: Final = "struct_fields.json"
_SCALAR_ZEROS: Final = {"string": "", "integer": 0, "number": 0, "boolean": False}


@functools.cache
def _described() -> Mapping[str, Mapping[str, str]]:
    """Return, by definition, the fields that are "zero", "null" or, when set at all, "nonzero"."""
    source = (resources.files(__package__) / _FILE).read_bytes()
    found: dict[str, dict[str, str]] = orjson.loads(source)
    return found


def zeros_of(name: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that an object of this definition always has, with their zero values."""
    properties = definition.get("properties") or {}
    known = _described().get(name)
    if known is None:
        required = definition.get("required") or ()
        return {field: _zero(properties[field]) for field in required if field in properties}
    zeros = {field: _zero(properties[field]) for field in _fields(known, "zero", properties)}
    return {**zeros, **dict.fromkeys(_fields(known, "null", properties))}


def nonzero_of(name: str, definition: Mapping[str, Any]) -> frozenset[str]:
    """Return the optional scalars that are not there when they are zero."""
    known = _described().get(name) or {}
    return frozenset(_fields(known, "nonzero", definition.get("properties") or {}))


def _fields(known: Mapping[str, str], what: str, properties: Mapping[str, Any]) -> list[str]:
    return [field for field in known.get(what, "").split() if field in properties]


def _zero(node: Mapping[str, Any]) -> Any:
    """Return the zero of a field; {} for structs, None for lists and maps."""
    reference = str(node.get("$ref", "")).removeprefix(REFERENCE_PREFIX)
    if reference == QUANTITY:
        return "0"
    if reference == INT_OR_STRING:
        return 0
    return {} if reference else _SCALAR_ZEROS.get(str(node.get("type")))
