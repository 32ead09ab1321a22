"""Rules that make a schema structural: every field is described once, by its type.

Called by custom_resource_schemas.py with schemas whose keywords are allowed. Source: v1.35
apiextensions structural schemas.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.validation.field_errors import forbidden, invalid, required
from control_plane.api.validation.go_patterns import pattern_trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_DEPTH: Final = 100
_INT_OR_STRING: Final = "x-kubernetes-int-or-string"
_PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED: Final = "x-kubernetes-embedded-resource"
_INT_OR_STRING_TYPES: Final = [{"type": "integer"}, {"type": "string"}]
_NESTED: Final = ("allOf", "anyOf", "oneOf")
_EMPTY: Final = "must be empty to be structural"
_UNDEFINED: Final = "must be undefined to be structural"
_FALSE: Final = "must be false to be structural"
_NOT_NESTED: Final = (
    ("type", _EMPTY), ("additionalProperties", _UNDEFINED), ("default", _UNDEFINED),
    ("title", _EMPTY), ("description", _EMPTY), ("nullable", _FALSE),
    (_PRESERVE, _FALSE), (_EMBEDDED, _FALSE), (_INT_OR_STRING, _FALSE),
    ("x-kubernetes-list-map-keys", _EMPTY), ("x-kubernetes-list-type", _UNDEFINED),
    ("x-kubernetes-map-type", _UNDEFINED), ("x-kubernetes-validations", _EMPTY),
)  # fmt: skip
_OBJECT_FIELDS: Final = (("apiVersion", "string"), ("kind", "string"), ("metadata", "object"))


class _Level(Enum):
    """Where a schema stands; the value is what is said of one without a type."""

    ROOT = "must not be empty at the root"
    FIELD = "must not be empty for specified object fields"
    ITEM = "must not be empty for specified array items"


def validate_structural(schema: Object, path: str) -> Iterator[FieldError]:
    """Check a whole schema."""
    yield from _validate(schema, path, _Level.ROOT, 0)
    yield from _validate_completeness(schema, schema, path, path, 0)


def _validate(schema: Any, path: str, level: _Level, depth: int) -> Iterator[FieldError]:
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return
    if schema.get("type") == "array" and schema.get("items") is None:
        yield required(f"{path}.items", "must be specified")
    yield from _validate(schema.get("items"), f"{path}.items", _Level.ITEM, depth + 1)
    for name, child in sorted((schema.get("properties") or {}).items()):
        yield from _validate(child, f"{path}.properties[{name}]", _Level.FIELD, depth + 1)
    additional = schema.get("additionalProperties")
    yield from _validate(additional, f"{path}.additionalProperties", _Level.FIELD, depth + 1)
    yield from _validate_extensions(schema, path)
    yield from _validate_type(schema, path, level)
    if additional is not None and level is _Level.ROOT:
        yield forbidden(f"{path}.additionalProperties", "must not be used at the root")
    if level is _Level.ROOT or schema.get(_EMBEDDED):
        yield from _validate_object_fields(schema.get("properties") or {}, path)
    if level is _Level.ROOT:
        yield from _validate_metadata(schema.get("properties") or {}, path)
    if schema.get("pattern"):
        yield from _validate_pattern(schema["pattern"], f"{path}.pattern")
    yield from _validate_nested_values(schema, path, 0)


def _validate_extensions(schema: Object, path: str) -> Iterator[FieldError]:
    detail = "must be false if x-kubernetes-int-or-string is true"
    for field in (_PRESERVE, _EMBEDDED):
        if schema.get(_INT_OR_STRING) and schema.get(field):
            yield invalid(f"{path}.{field}", True, detail)
    if not schema.get(_EMBEDDED):
        return
    kind = schema.get("type") or ""
    detail = "must be object if x-kubernetes-embedded-resource is true"
    if not kind:
        yield required(f"{path}.type", detail)
    elif kind != "object":
        yield invalid(f"{path}.type", kind, detail)
    if not schema.get(_PRESERVE) and not schema.get("properties"):
        yield required(
            f"{path}.properties",
            "must not be empty if x-kubernetes-embedded-resource is true without "
            "x-kubernetes-preserve-unknown-fields",
        )
    if schema.get("additionalProperties") is not None:
        detail = "must not be used if x-kubernetes-embedded-resource is set"
        yield forbidden(f"{path}.additionalProperties", detail)


def _validate_type(schema: Object, path: str, level: _Level) -> Iterator[FieldError]:
    kind = schema.get("type") or ""
    if not kind and not schema.get(_INT_OR_STRING) and not schema.get(_PRESERVE):
        yield required(f"{path}.type", level.value)
    elif kind and kind != "object" and level is _Level.ROOT:
        yield invalid(f"{path}.type", kind, "must be object at the root")


def _validate_object_fields(properties: Object, path: str) -> Iterator[FieldError]:
    """Check what a schema says of the fields that every object has."""
    for name, wanted in _OBJECT_FIELDS:
        kind = (properties.get(name) or {}).get("type")
        if name in properties and kind != wanted:
            where = f"{path}.properties[{name}].type"
            yield invalid(where, kind or "", f"must be {wanted}")


def _validate_metadata(properties: Object, path: str) -> Iterator[FieldError]:
    metadata = properties.get("metadata") or {}
    described = set((metadata.get("properties") or {}).keys())
    others = set(metadata) - {"type", "properties", "description", "default"}  # refused elsewhere
    if others or described - {"name", "generateName"}:
        yield forbidden(
            f"{path}.properties[metadata]",
            "must not specify anything other than name and generateName, but metadata is "
            "implicitly specified",
        )


def _validate_pattern(pattern: str, path: str) -> Iterator[FieldError]:
    trouble = pattern_trouble(pattern)
    if trouble:
        detail = f"must be a valid regular expression, but isn't: error parsing regexp: {trouble}"
        yield invalid(path, pattern, detail)


def _nested_in(schema: Object, path: str) -> Iterator[tuple[str, Any]]:
    """Yield what allOf, anyOf, oneOf and not say, but for the types of an int-or-string."""
    for field in _NESTED:
        choices = schema.get(field) or []
        is_free = bool(schema.get(_INT_OR_STRING))
        if is_free and field == "anyOf" and choices == _INT_OR_STRING_TYPES:
            continue
        for index, nested in enumerate(choices):
            types = nested.get("anyOf") if isinstance(nested, dict) else None
            if is_free and field == "allOf" and not index and types == _INT_OR_STRING_TYPES:
                continue
            yield f"{path}.{field}[{index}]", nested
    if schema.get("not") is not None:
        yield f"{path}.not", schema["not"]


def _validate_nested_values(schema: Object, path: str, depth: int) -> Iterator[FieldError]:
    for where, nested in _nested_in(schema, path):
        yield from _validate_nested(nested, where, depth + 1)


def _validate_nested(nested: Any, path: str, depth: int) -> Iterator[FieldError]:
    """Refuse what only the description of a value itself may say."""
    if not isinstance(nested, dict) or depth > MAX_DEPTH:
        return
    for field, text in _NOT_NESTED:
        if nested.get(field) not in (None, "", False, [], {}):
            yield forbidden(f"{path}.{field}", text)
    if nested.get("pattern"):
        yield from _validate_pattern(nested["pattern"], f"{path}.pattern")
    for name, child in sorted((nested.get("properties") or {}).items()):
        where = f"{path}.properties[{name}]"
        if name == "metadata":
            yield forbidden(where, "must not be specified in a nested context")
        yield from _validate_nested(child, where, depth + 1)
    yield from _validate_nested(nested.get("items"), f"{path}.items", depth + 1)
    yield from _validate_nested_values(nested, path, depth)


def _validate_completeness(
    schema: Object, outer: Object, path: str, outer_path: str, depth: int
) -> Iterator[FieldError]:
    """Check that the root describes each field that it makes demands of elsewhere."""
    if depth > MAX_DEPTH:
        return
    for where, nested in _nested_in(schema, path):
        if isinstance(nested, dict):
            yield from _validate_described(nested, outer, where, outer_path, depth + 1)


def _validate_described(
    nested: Object, outer: Object, path: str, outer_path: str, depth: int
) -> Iterator[FieldError]:
    properties = outer.get("properties") or {}
    inner = [
        (f".properties[{name}]", child, properties.get(name))
        for name, child in sorted((nested.get("properties") or {}).items())
    ]
    if isinstance(nested.get("items"), dict):
        inner.append((".items", nested["items"], outer.get("items")))
    for step, child, described in inner:
        if not isinstance(described, dict):
            place = f"{outer_path}{step}"
            yield required(place, f"because it is defined in {path}{step}")
        elif isinstance(child, dict) and depth <= MAX_DEPTH:
            where, place = f"{path}{step}", f"{outer_path}{step}"
            yield from _validate_described(child, described, where, place, depth + 1)
    yield from _validate_completeness(nested, outer, path, outer_path, depth)
