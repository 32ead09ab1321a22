"""JSON read into the fields of a definition, as Go's decoder reads it into structs.

`read_typed` walks a value along its schema once: fields the schema does not know are dropped and
noted, repeated keys are noted, nulls become absence (or zero, inside lists and maps), quantities
and times take their canonical form, and a value of the wrong JSON type stops the reading with the
text Go would give. The result shares nothing but free-form subtrees with its input.

Definitions are compiled to readers once, at first use. Called by field_validation.py. Pure.
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from control_plane.api.json_syntax import RepeatedKeys
from control_plane.api.schema import INT_OR_STRING, META_V1, QUANTITY, REFERENCE_PREFIX, schema
from control_plane.api.typed_scalars import (
    MICRO_TIME,
    SECOND_TIME,
    Place,
    Reader,
    mismatch,
    read_anything,
    read_boolean,
    read_bytes,
    read_int_or_string,
    read_integer,
    read_number,
    read_quantity,
    read_text,
    read_time,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAX_FINDINGS = 100


class Typed(NamedTuple):
    """What came of a reading: the clean value, and what strict decoding objects to, in order."""

    value: Any
    findings: tuple[str, ...]


def read_typed(value: Any, definition: str) -> Typed:
    """Read a JSON object as `definition` ("io.k8s.api.core.v1.Pod").

    Objects with repeated keys may come as RepeatedKeys. Raises TypeMismatch.
    """
    findings: dict[str, None] = {}
    clean = _definition_reader(definition)(value, None, findings)
    return Typed(clean, tuple(findings)[:MAX_FINDINGS])


class _Struct:
    """Reads an object with known fields."""

    __slots__ = ("fields", "name", "type_name")

    def __init__(self, definition: str) -> None:
        """Fields are filled in by the compiler, since definitions may refer to each other."""
        parts = definition.split(".")
        self.name = parts[-1]
        self.type_name = ".".join(parts[-2:])
        self.fields: dict[str, Reader] = {}

    def __call__(self, value: Any, place: Place | None, findings: dict[str, None]) -> Any:
        if not isinstance(value, dict):
            raise mismatch(value, place, self.type_name)
        result = {}
        for key, item in _pairs(value, place, findings):
            reader = self.fields.get(key)
            if reader is None:
                note("unknown", place, key, findings)
            elif item is not None:
                result[key] = reader(item, Place(place, key, self.name), findings)
        return result


def note(what: str, place: Place | None, key: str, findings: dict[str, None]) -> None:
    """Add one finding about a key of the object at `place`; each is reported once."""
    path = f"{place.path()}.{key}" if place is not None else key
    findings[f'{what} field "{path}"'] = None


def _pairs(
    value: dict[str, Any], place: Place | None, findings: dict[str, None]
) -> Iterable[tuple[str, Any]]:
    return _noted(value, place, findings) if type(value) is RepeatedKeys else value.items()


def _noted(
    value: RepeatedKeys, place: Place | None, findings: dict[str, None]
) -> Iterator[tuple[str, Any]]:
    """Yield every pair in document order, noting each key that was there before."""
    seen = set()
    for key, item in value.pairs:
        if key in seen:
            note("duplicate", place, key, findings)
        seen.add(key)
        yield key, item


def _read_map(
    element: Reader, type_name: str, value: Any, place: Place | None, findings: dict[str, None]
) -> Any:
    if not isinstance(value, dict):
        raise mismatch(value, place, type_name)
    pairs = _pairs(value, place, findings)
    return {key: element(item, Place(place, key, ""), findings) for key, item in pairs}


def _read_list(
    element: Reader, type_name: str, value: Any, place: Place | None, findings: dict[str, None]
) -> Any:
    if not isinstance(value, list):
        raise mismatch(value, place, type_name)
    return [element(item, Place(place, at, ""), findings) for at, item in enumerate(value)]


def _or_zero(reader: Reader, zero: Any) -> Reader:
    """Wrap the reader of an item of a list or map, where null means the type's zero."""

    def read(value: Any, place: Place | None, findings: dict[str, None]) -> Any:
        if value is None:
            return {} if zero == {} else zero
        return reader(value, place, findings)

    return read


_SPECIAL: dict[str, Reader] = {
    QUANTITY: read_quantity,
    INT_OR_STRING: read_int_or_string,
    f"{META_V1}Time": functools.partial(read_time, SECOND_TIME),
    f"{META_V1}MicroTime": functools.partial(read_time, MICRO_TIME),
}
_SCALARS: dict[tuple[str, str], tuple[Reader, str, Any]] = {
    # by type and format: the reader, Go's name of the type, its zero
    ("string", ""): (read_text, "string", ""),
    ("string", "byte"): (read_bytes, "[]uint8", ""),
    ("boolean", ""): (read_boolean, "bool", False),
    ("integer", "int32"): (functools.partial(read_integer, 32), "int32", 0),
    ("integer", "int64"): (functools.partial(read_integer, 64), "int64", 0),
    ("integer", ""): (functools.partial(read_integer, 64), "int64", 0),
    ("number", "double"): (read_number, "float64", 0),
}


# readers of structs are filled in after they are known, so no thread may see them before
_compiling = threading.RLock()


@functools.cache
def _definition_reader(definition: str) -> Reader:
    if definition in _SPECIAL:
        return _SPECIAL[definition]
    with _compiling:
        node = schema().definitions[definition]
        return _struct(definition) if "properties" in node else _compile(node)[0]


_structs: dict[str, _Struct] = {}


def _struct(definition: str) -> _Struct:
    """Return the reader of a struct; it is known before its fields are, for those that nest."""
    if definition not in _structs:
        made = _structs[definition] = _Struct(definition)
        properties = schema().definitions[definition]["properties"]
        made.fields = {name: _compile(node)[0] for name, node in properties.items()}
    return _structs[definition]


def _compile(node: Mapping[str, Any]) -> tuple[Reader, str, Any]:
    """Return the reader of a field, Go's name of its type, and its zero."""
    reference = str(node.get("$ref", "")).removeprefix(REFERENCE_PREFIX)
    if reference:
        name = ".".join(reference.split(".")[-2:])
        target = schema().definitions[reference]
        if reference in _SPECIAL:
            return _SPECIAL[reference], name, "0" if reference == QUANTITY else None
        if "properties" in target:
            return _struct(reference), name, {}
        reader, _, zero = _compile(target)
        return reader, name, zero
    return _compile_inline(node)


def _compile_inline(node: Mapping[str, Any]) -> tuple[Reader, str, Any]:
    kind = node.get("type")
    items, values = node.get("items"), node.get("additionalProperties")
    if kind == "array" and isinstance(items, dict):
        reader, name, zero = _compile(items)
        list_name = f"[]{name}"
        return functools.partial(_read_list, _or_zero(reader, zero), list_name), list_name, []
    if kind == "object" and isinstance(values, dict):
        reader, name, zero = _compile(values)
        map_name = f"map[string]{name}"
        return functools.partial(_read_map, _or_zero(reader, zero), map_name), map_name, {}
    scalar = _SCALARS.get((str(kind), node.get("format", "")))
    return scalar or (read_anything, "interface {}", None)
