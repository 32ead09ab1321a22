"""The OpenAPI v3 documents in protobuf, which clients in Go may ask for.

A default that is neither a string nor a number nor a boolean has no place in the messages and is
left empty, as upstream leaves it. Used by documents.py. Source: the message definitions of
gnostic's openapi.v3. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.openapi import openapi_v3_pb2 as pb
from control_plane.api.openapi.messages import MessageFiller

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_plane.api.openapi.messages import Turn

# Clients ask with the "@", which no media type may contain, or with a dot; the answer has the dot.
MEDIA_TYPE: Final = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
OLD_MEDIA_TYPE: Final = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"


def encode(document: Mapping[str, Any]) -> bytes:
    """Return the bytes of a v3 document; ValueError names a member that has no message field."""
    return _FILLER.encoded(pb.Document(), document)


def _or_reference(field: str) -> Turn:
    def fill(filler: MessageFiller, message: Any, value: Mapping[str, Any]) -> None:
        filler.fill(message.reference if "$ref" in value else getattr(message, field), value)

    return fill


def _fill_additional(filler: MessageFiller, message: Any, value: Any) -> None:
    if isinstance(value, bool):
        message.boolean = value
    else:
        filler.fill(message.schema_or_reference, value)


def _fill_items(filler: MessageFiller, message: Any, value: Any) -> None:
    filler.fill(message.schema_or_reference.add(), value)


def _fill_default(_filler: MessageFiller, message: Any, value: Any) -> None:
    if isinstance(value, bool):
        message.boolean = value
    elif isinstance(value, int | float):
        message.number = value
    elif isinstance(value, str):
        message.string = value


_FILLER: Final = MessageFiller(
    "specification_extension",
    {
        "Paths": lambda filler, message, value: filler.fill_map(message, value, "path"),
        "Responses": lambda filler, message, value: filler.fill_map(
            message, value, "response_or_reference"
        ),
        "MediaTypes": MessageFiller.fill_map,
        "SchemasOrReferences": MessageFiller.fill_map,
        "Properties": MessageFiller.fill_map,
        "ParameterOrReference": _or_reference("parameter"),
        "RequestBodyOrReference": _or_reference("request_body"),
        "ResponseOrReference": _or_reference("response"),
        "SchemaOrReference": _or_reference("schema"),
        "SecuritySchemesOrReferences": MessageFiller.fill_map,
        "SecuritySchemeOrReference": _or_reference("security_scheme"),
        "AdditionalPropertiesItem": _fill_additional,
        "ItemsItem": _fill_items,
        "DefaultType": _fill_default,
    },
)
