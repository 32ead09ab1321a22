"""Request bodies as objects of the type they were sent to, in JSON, YAML or protobuf.

Whatever the form, the object is checked field by field.
"""

import functools
from collections.abc import Sequence

import orjson

from control_plane.api.errors import BadRequest, UnsupportedMediaType
from control_plane.api.field_validation import (
    JSON,
    YAML,
    Decoded,
    Directive,
    Expected,
    decode_object,
    summarize,
)
from control_plane.api.objects import Object
from control_plane.api.resources import Resource
from control_plane.api.schema import META_V1
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.yaml_form import read_beside
from control_plane.apiserver.protobuf import envelope as protobuf
from control_plane.apiserver.protobuf.wire_format import WireError
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.owner_references import IN_BODY, drop_repeated_owners

_MEDIA_TYPES = {
    "": JSON,
    "*/*": JSON,
    JSON: JSON,
    "text/json": JSON,
    YAML: YAML,
    "application/x-yaml": YAML,
    "text/yaml": YAML,
}
_DELETE_OPTIONS = f"{META_V1}DeleteOptions"


async def read_object(request: Request, resource: Resource, call: Call) -> Object:
    """The body as an object of `resource`, with a `metadata`.

    Raises UnsupportedMediaType or BadRequest. What strict decoding objects to is refused or becomes
    warnings, as `call` says.
    """
    return await read_as_any_of(request, [Expected.of(resource)], call)


async def read_as_any_of(request: Request, versions: Sequence[Expected], call: Call) -> Object:
    """The body as an object of the first of these types that it is; else as `read_object`."""
    body, media_type = await _json_or_yaml(request, versions[0].kind)
    decoded = await _decoded(versions, body, Directive(call.field_validation), media_type)
    for warning in decoded.warnings:
        call.warn(warning)
    obj = decoded.obj
    obj["metadata"] = obj.get("metadata") or {}
    drop_repeated_owners(obj, call.warn, IN_BODY)
    if request.trail is not None:
        request.trail.note_object(obj)
    return obj


async def read_delete_options_body(request: Request, resource: Resource) -> Object:
    """The DeleteOptions of a deletion, {} without a body.

    Clients call the type by the version of whatever they delete.
    """
    body, media_type = await _json_or_yaml(request, "DeleteOptions")
    if not body.strip():
        return {}
    versions = dict.fromkeys(("v1", resource.api_version, "meta.k8s.io/v1"))
    kinds = [Expected(version, "DeleteOptions", _DELETE_OPTIONS) for version in versions]
    options = (await _decoded(kinds, body, Directive.IGNORE, media_type)).obj
    if request.trail is not None:
        request.trail.note_object(options)
    return options


async def _decoded(
    versions: Sequence[Expected], body: bytes, directive: Directive, media_type: str
) -> Decoded:
    if media_type == YAML:
        read = functools.partial(_first_of, versions, directive=directive, media_type=YAML)
        return await read_beside(body, read)
    return _first_of(versions, body, directive, media_type)


def _first_of(
    versions: Sequence[Expected], body: bytes, directive: Directive, media_type: str
) -> Decoded:
    """Decode a body that may be of any of these types; what is against all is said of the first."""
    refusals = []
    for expected in versions:
        try:
            return decode_object(body, expected, directive, media_type)
        except BadRequest as error:
            refusals.append(error)
    raise refusals[0]


async def _json_or_yaml(request: Request, kind: str) -> tuple[bytes, str]:
    """The body and its media type; a protobuf body comes as the JSON that says the same."""
    sent = request.header(b"content-type").partition(";")[0].strip().lower()
    if sent == protobuf.MEDIA_TYPE:
        body = await request.body()
        return (_json_of(body, kind) if body else body), JSON
    if sent not in _MEDIA_TYPES:
        raise UnsupportedMediaType.of([JSON, YAML, protobuf.MEDIA_TYPE])
    return await request.body(), _MEDIA_TYPES[sent]


def _json_of(body: bytes, kind: str) -> bytes:
    try:
        return orjson.dumps(protobuf.decode(body))
    except WireError as error:
        raise BadRequest(
            f"the object provided is unrecognized (must be of type {kind}): {error} "
            f"({summarize(body)})"
        ) from error
