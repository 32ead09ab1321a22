"""Rules of the schemas of custom resources: what may stand in one at all.

A schema that passes is then checked to be structural, and its defaults to be right. Expressions are
not compiled. Called by custom_resource_definitions.py. Source: v1.35 apiextensions validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.custom.field_paths import field_at
from control_plane.api.validation.field_errors import (
    forbidden,
    invalid,
    not_supported,
    required,
)
from control_plane.api.validation.schema_defaults import validate_defaults
from control_plane.api.validation.structural_schemas import validate_structural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_DEPTH: Final = 100
_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_REASONS: Final = (
    "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired",
)  # fmt: skip
_UNSUPPORTED: Final = (
    "id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref",
)  # fmt: skip
_LIST_TYPE: Final = "x-kubernetes-list-type"
_LIST_KEYS: Final = "x-kubernetes-list-map-keys"
_MAP_TYPE: Final = "x-kubernetes-map-type"
_PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
_RULES: Final = "x-kubernetes-validations"
_SCALARS: Final = ("boolean", "integer", "number", "string")
_AT_ROOT: Final = frozenset({
    "description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum",
    "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems",
    "multipleOf", "required", "items", "properties", "externalDocs", "example", _PRESERVE, _RULES,
})  # fmt: skip
_AT_ROOT_TEXT: Final = (
    "only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum "
    "MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items "
    "Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at "
    "the root of the schema if the status subresource is enabled"
)


def validate_schema(schema: Object, path: str, *, has_status: bool) -> Iterator[FieldError]:
    """Check the schema of a version, or of all of them."""
    yield from _validate_root(schema, path, has_status=has_status)
    if not _is_unreadable(schema, 0):
        found = sorted(validate_structural(schema, path), key=str)
        yield from found or validate_defaults(schema, path)
    yield from _validate(schema, path, 0)


def _is_unreadable(schema: Any, depth: int) -> bool:
    """Whether anywhere a keyword keeps a schema from being structural at all."""
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return False
    if isinstance(schema.get("items"), list) or any(_is_given(schema, f) for f in _UNSUPPORTED):
        return True
    return any(_is_unreadable(child, depth + 1) for _, child in children(schema, ""))


def _is_given(schema: Object, field: str) -> bool:
    return schema.get(field) not in (None, "", {})


def _validate_root(schema: Object, path: str, *, has_status: bool) -> Iterator[FieldError]:
    if schema.get("nullable"):
        yield forbidden(f"{path}.nullable", "nullable cannot be true at the root")
    if not has_status:
        return
    kind = schema.get("type") or "object"
    if kind != "object":
        detail = (
            'only "object" is allowed as the type at the root of the schema if the status '
            "subresource is enabled"
        )
        yield invalid(f"{path}.type", kind, detail)
    elif any(value is not None and field not in _AT_ROOT for field, value in schema.items()):
        yield invalid(path, schema, _AT_ROOT_TEXT)


def _validate(schema: Any, path: str, depth: int) -> Iterator[FieldError]:
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        return
    yield from _validate_keywords(schema, path)
    for where, child in children(schema, path):
        yield from _validate(child, where, depth + 1)
    if schema.get(_PRESERVE) is False:
        yield invalid(f"{path}.{_PRESERVE}", False, "must be true or undefined")
    yield from _validate_lists(schema, path)
    yield from _validate_rules(schema.get(_RULES) or [], schema, f"{path}.{_RULES}")


def children(schema: Object, path: str) -> Iterator[tuple[str, Any]]:
    """Yield every schema right below one, with its path."""
    for name, child in sorted((schema.get("properties") or {}).items()):
        yield f"{path}.properties[{name}]", child
    for field in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(field), dict):
            yield f"{path}.{field}", schema[field]
    for field in ("allOf", "anyOf", "oneOf"):
        for index, child in enumerate(schema.get(field) or ()):
            yield f"{path}.{field}[{index}]", child


def _validate_keywords(schema: Object, path: str) -> Iterator[FieldError]:
    kind = schema.get("type") or ""
    if kind and kind not in _TYPES:
        yield not_supported(f"{path}.type", kind, _TYPES)
    for field in _UNSUPPORTED:
        if _is_given(schema, field):
            yield forbidden(f"{path}.{field}", f"{field} is not supported")
    if kind == "null":
        detail = "type cannot be set to null, use nullable as an alternative"
        yield forbidden(f"{path}.type", detail)
    if isinstance(schema.get("items"), list):
        yield forbidden(f"{path}.items", "items must be a schema object and not an array")
    if schema.get("uniqueItems"):
        detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(f"{path}.uniqueItems", detail)
    additional = schema.get("additionalProperties")
    if additional is not None and additional is not True and schema.get("properties"):
        detail = "additionalProperties and properties are mutual exclusive"
        yield forbidden(f"{path}.additionalProperties", detail)


def _validate_lists(schema: Object, path: str) -> Iterator[FieldError]:
    kind, list_type = schema.get("type") or "", schema.get(_LIST_TYPE)
    yield from _validate_map_type(schema, path)
    if list_type is not None:
        if kind != "array":
            detail = "must be array if x-kubernetes-list-type is specified"
            yield invalid(f"{path}.type", kind, detail)
        if list_type not in ("atomic", "set", "map"):
            yield not_supported(f"{path}.{_LIST_TYPE}", list_type, ("atomic", "set", "map"))
    items = schema.get("items")
    if list_type == "set" and isinstance(items, dict):
        yield from _validate_set(items, f"{path}.items")
    if schema.get(_LIST_KEYS) and list_type != "map":
        where = f"{path}.{_LIST_TYPE}"
        detail = "must be map if x-kubernetes-list-map-keys is non-empty"
        yield required(where, detail) if list_type is None else invalid(where, list_type, detail)
    if list_type == "map":
        yield from _validate_map_list(schema, path)


def _validate_map_type(schema: Object, path: str) -> Iterator[FieldError]:
    kind, map_type = schema.get("type") or "", schema.get(_MAP_TYPE)
    if map_type is None:
        return
    if kind != "object":
        detail = "must be object if x-kubernetes-map-type is specified"
        yield invalid(f"{path}.type", kind, detail)
    if map_type not in ("atomic", "granular"):
        yield not_supported(f"{path}.{_MAP_TYPE}", map_type, ("atomic", "granular"))


def _validate_map_list(schema: Object, path: str) -> Iterator[FieldError]:
    keys, items = schema.get(_LIST_KEYS) or [], schema.get("items")
    if not keys:
        yield required(f"{path}.{_LIST_KEYS}", "must not be empty if x-kubernetes-list-type is map")
    if not isinstance(items, dict):
        yield required(f"{path}.items", "must have a schema if x-kubernetes-list-type is map")
        return
    if items.get("type") != "object":
        detail = "must be object if parent array's x-kubernetes-list-type is map"
        yield invalid(f"{path}.items.type", items.get("type") or "", detail)
        return
    yield from _validate_keys(keys, items, path)


def _validate_keys(keys: list[str], items: Object, path: str) -> Iterator[FieldError]:
    properties, where = items.get("properties") or {}, f"{path}.{_LIST_KEYS}"
    for key in keys:
        kind = (properties.get(key) or {}).get("type") or ""
        if key in properties and kind not in _SCALARS:
            detail = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            yield invalid(f"{path}.items.properties[{key}].type", kind, detail)
    if len(set(keys)) < len(keys):
        yield invalid(where, keys, "must not contain duplicate entries")
    if any(key not in properties for key in keys):
        yield invalid(where, keys, "entries must all be names of item properties")
    if items.get("nullable"):
        detail = "cannot be nullable when x-kubernetes-list-type is map"
        yield forbidden(f"{path}.items.nullable", detail)
    for key in keys:
        if key in properties:
            yield from _validate_key(key, properties[key] or {}, items, f"{path}.items")


def _validate_key(key: str, schema: Object, items: Object, path: str) -> Iterator[FieldError]:
    where = f"{path}.properties[{key}]"
    if schema.get("default") is None and key not in (items.get("required") or ()):
        yield required(
            f"{where}.default",
            "this property is in x-kubernetes-list-map-keys, so it must have a default or be a "
            "required property",
        )
    if schema.get("nullable"):
        detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"
        yield forbidden(f"{where}.nullable", detail)


def _validate_set(items: Object, path: str) -> Iterator[FieldError]:
    if items.get("nullable"):
        detail = "cannot be nullable when x-kubernetes-list-type is set"
        yield forbidden(f"{path}.nullable", detail)
    kind, detail = (
        items.get("type"),
        "must be atomic as item of a list with x-kubernetes-list-type=set",
    )
    if kind == "object" and items.get(_MAP_TYPE) != "atomic":
        yield invalid(f"{path}.{_MAP_TYPE}", None, detail)
    if kind == "array" and items.get(_LIST_TYPE) not in (None, "atomic"):
        yield invalid(f"{path}.{_LIST_TYPE}", items[_LIST_TYPE], detail)


def _validate_rules(rules: list[Object], schema: Object, path: str) -> Iterator[FieldError]:
    for index, rule in enumerate(rules):
        where, text = f"{path}[{index}]", (rule.get("rule") or "").strip()
        if not text:
            yield required(f"{where}.rule", "rule is not specified")
        message = (rule.get("message") or "") if text else ""
        if message and not message.strip():
            yield invalid(f"{where}.message", message, "must be non-empty if specified")
        elif "\n" in message.strip():
            yield invalid(f"{where}.message", message, "must not contain line breaks")
        elif "\n" in text and not message:
            detail = "message must be specified if rule contains line breaks"
            yield required(f"{where}.message", detail)
        computed = rule.get("messageExpression") or ""
        if computed and not computed.strip():
            detail = "messageExpression must be non-empty if specified"
            yield required(f"{where}.messageExpression", detail)
        reason = rule.get("reason")
        if reason is not None and reason not in _REASONS:
            yield not_supported(f"{where}.reason", reason, _REASONS)
        if rule.get("fieldPath"):
            yield from _validate_field_path(rule["fieldPath"], schema, f"{where}.fieldPath")


def _validate_field_path(field: str, schema: Object, path: str) -> Iterator[FieldError]:
    if not field.strip():
        yield invalid(path, field, "must be non-empty if specified")
    if "\n" in field or "\r" in field:
        yield invalid(path, field, "must not contain line breaks")
    try:
        field_at(field, schema)
    except ValueError:
        yield invalid(path, field, "must be a valid path")
