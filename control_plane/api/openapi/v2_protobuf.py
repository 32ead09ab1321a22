"""The OpenAPI v2 document in protobuf, the only form in which kubectl reads v2.

kubectl asks for it when v3 does not settle a question, for example how to validate a List. The
messages follow the JSON field by field, with these turns:

    {"$ref": x}                    _ref = x
    {"x-anything": x}              vendor_extension {name, value}, x as YAML (which JSON is)
    paths, definitions, ...        a list of {name, value}
    one of several types           a message with one member set

Used by `documents`. Source: the message definitions of gnostic's openapi.v2.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from control_plane.api.openapi import openapi_v2_pb2 as pb

# Clients ask with the "@", which no media type may contain, or with a dot; the answer has the dot.
ASKED_FOR: Final = (
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
)
MEDIA_TYPE: Final = ASKED_FOR[1]

_RENAMED: Final = {
    "$ref": "_ref",
    "operationId": "operation_id",
    "uniqueItems": "unique_items",
    "additionalProperties": "additional_properties",
    "multipleOf": "multiple_of",
    "exclusiveMaximum": "exclusive_maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "maxLength": "max_length",
    "minLength": "min_length",
    "maxItems": "max_items",
    "minItems": "min_items",
    "maxProperties": "max_properties",
    "minProperties": "min_properties",
}


def encode(document: Mapping[str, Any]) -> bytes:
    """Return the bytes of a v2 document; ValueError names a member that has no message field."""
    message: Any = pb.Document()
    _fill(message, document)
    content: bytes = message.SerializeToString()
    return content


def _fill(message: Any, value: Any) -> None:
    """Set `message` to the JSON `value`."""
    turn: Callable[[Any, Any], None] = _TURNS.get(message.DESCRIPTOR.name, _fill_fields)
    turn(message, value)
    message.SetInParent()


def _fill_fields(message: Any, value: Mapping[str, Any]) -> None:
    fields = message.DESCRIPTOR.fields_by_name
    for key, member in value.items():
        name = _RENAMED.get(key, key)
        if key.startswith("x-"):
            _add_named(message.vendor_extension, key, member)
        elif name not in fields:
            raise ValueError(f"{message.DESCRIPTOR.name} has no field for {key!r}")
        elif fields[name].message_type is None:
            _set_scalar(message, name, member)
        elif fields[name].is_repeated:
            for item in member:
                _fill(getattr(message, name).add(), item)
        else:
            _fill(getattr(message, name), member)


def _set_scalar(message: Any, name: str, value: Any) -> None:
    if isinstance(value, list):
        getattr(message, name).extend(value)
    else:
        setattr(message, name, value)


def _add_named(items: Any, name: str, value: Any) -> None:
    added = items.add()
    added.name = name
    _fill(added.value, value)


def _fill_any(message: Any, value: Any) -> None:
    message.yaml = orjson.dumps(value).decode()


def _fill_named(field: str) -> Callable[[Any, Any], None]:
    def fill(message: Any, value: Mapping[str, Any]) -> None:
        for name, member in value.items():
            extension = name.startswith("x-") and field != "additional_properties"
            _add_named(getattr(message, "vendor_extension" if extension else field), name, member)

    return fill


def _fill_parameter(message: Any, value: Mapping[str, Any]) -> None:
    """Set the parameter's type by where it goes; path and query are the only others we have."""
    if "$ref" in value:
        _fill(message.json_reference, value)
    elif value["in"] == "body":
        _fill(message.parameter.body_parameter, value)
    else:
        _fill(getattr(message.parameter.non_body_parameter, value["in"]), value)


def _fill_response(message: Any, value: Mapping[str, Any]) -> None:
    _fill(message.json_reference if "$ref" in value else message.response, value)


def _fill_additional(message: Any, value: Any) -> None:
    if isinstance(value, bool):
        message.boolean = value
    else:
        _fill(message.schema, value)


def _fill_type(message: Any, value: str | list[str]) -> None:
    message.value.extend([value] if isinstance(value, str) else value)


_TURNS: Final[Mapping[str, Callable[[Any, Any], None]]] = {
    "Any": _fill_any,
    "Paths": _fill_named("path"),
    "Responses": _fill_named("response_code"),
    "Definitions": _fill_named("additional_properties"),
    "Properties": _fill_named("additional_properties"),
    "ParametersItem": _fill_parameter,
    "ResponseValue": _fill_response,
    "SchemaItem": lambda message, value: _fill(message.schema, value),
    "ItemsItem": lambda message, value: _fill(message.schema.add(), value),
    "AdditionalPropertiesItem": _fill_additional,
    "TypeItem": _fill_type,
}
