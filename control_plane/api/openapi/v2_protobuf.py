"""The OpenAPI v2 document in protobuf, the only form in which kubectl reads v2.

kubectl asks for it when v3 does not settle a question, for example how to validate a List. Used by
documents.py. Source: the message definitions of gnostic's openapi.v2. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.openapi import openapi_v2_pb2 as pb
from control_plane.api.openapi.messages import MessageFiller

if TYPE_CHECKING:
    from collections.abc import Mapping

# Clients ask with the "@", which no media type may contain, or with a dot; the answer has the dot.
MEDIA_TYPE: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
OLD_MEDIA_TYPE: Final = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


def encode(document: Mapping[str, Any]) -> bytes:
    """Return the bytes of a v2 document; ValueError names a member that has no message field."""
    return _FILLER.encoded(pb.Document(), document)


def _fill_parameter(filler: MessageFiller, message: Any, value: Mapping[str, Any]) -> None:
    """Set the parameter's type by where it goes; path and query are the only others we have."""
    if "$ref" in value:
        filler.fill(message.json_reference, value)
    elif value["in"] == "body":
        filler.fill(message.parameter.body_parameter, value)
    else:
        filler.fill(getattr(message.parameter.non_body_parameter, value["in"]), value)


def _fill_response(filler: MessageFiller, message: Any, value: Mapping[str, Any]) -> None:
    filler.fill(message.json_reference if "$ref" in value else message.response, value)


def _fill_additional(filler: MessageFiller, message: Any, value: Any) -> None:
    if isinstance(value, bool):
        message.boolean = value
    else:
        filler.fill(message.schema, value)


def _fill_type(_filler: MessageFiller, message: Any, value: str | list[str]) -> None:
    message.value.extend([value] if isinstance(value, str) else value)


_FILLER: Final = MessageFiller(
    "vendor_extension",
    {
        "Paths": lambda filler, message, value: filler.fill_map(message, value, "path"),
        "Responses": lambda filler, message, value: filler.fill_map(
            message, value, "response_code"
        ),
        "Definitions": MessageFiller.fill_map,
        "Properties": MessageFiller.fill_map,
        "ParametersItem": _fill_parameter,
        "ResponseValue": _fill_response,
        "SchemaItem": lambda filler, message, value: filler.fill(message.schema, value),
        "ItemsItem": lambda filler, message, value: filler.fill(message.schema.add(), value),
        "AdditionalPropertiesItem": _fill_additional,
        "TypeItem": _fill_type,
        "SecurityRequirement": MessageFiller.fill_map,
        "StringArray": lambda _filler, message, value: message.value.extend(value),
        "SecurityDefinitions": MessageFiller.fill_map,
        "SecurityDefinitionsItem": lambda filler, message, value: filler.fill(
            message.api_key_security, value
        ),
    },
)
