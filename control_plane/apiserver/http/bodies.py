"""Request bodies as objects of the type they were sent to: JSON or YAML, checked field by field."""

from control_plane.api.errors import BadRequest, UnsupportedMediaType
from control_plane.api.field_validation import JSON, YAML, Directive, Expected, decode_object
from control_plane.api.objects import Object
from control_plane.api.resources import Resource
from control_plane.api.schema import META_V1
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.registry.call import Call

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
    expected = Expected(resource.api_version, resource.kind)
    media_type = _media_type(request)
    directive = Directive(call.field_validation)
    decoded = decode_object(await request.body(), expected, directive, media_type)
    for warning in decoded.warnings:
        call.warn(warning)
    obj = decoded.obj
    obj["metadata"] = obj.get("metadata") or {}
    return obj


async def read_delete_options_body(request: Request, resource: Resource) -> Object:
    """The DeleteOptions of a deletion, {} without a body.

    Clients call the type by the version of whatever they delete.
    """
    body = await request.body()
    if not body.strip():
        return {}
    media_type = _media_type(request)
    versions = dict.fromkeys(("v1", resource.api_version, "meta.k8s.io/v1"))
    refusals = []
    for version in versions:
        expected = Expected(version, "DeleteOptions", _DELETE_OPTIONS)
        try:
            return decode_object(body, expected, Directive.IGNORE, media_type).obj
        except BadRequest as error:
            refusals.append(error)
    raise refusals[0]


def _media_type(request: Request) -> str:
    sent = request.header(b"content-type").partition(";")[0].strip().lower()
    if sent not in _MEDIA_TYPES:
        raise UnsupportedMediaType.of([JSON, YAML])
    return _MEDIA_TYPES[sent]
