"""The envelope around every Kubernetes protobuf body: four magic bytes and a runtime.Unknown."""

from control_plane.api.objects import Object
from control_plane.apiserver.protobuf.messages import message
from control_plane.apiserver.protobuf.wire_format import WireError, fields, raw, text
from control_plane.apiserver.protobuf.wire_types import wire_types

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
_TYPE_META, _RAW, _ENCODING = 1, 2, 3


def decode(body: bytes) -> Object:
    """The object of a body, with kind and apiVersion; raises WireError."""
    if not body.startswith(MAGIC):
        raise WireError("provided data does not appear to be a protobuf message, expected prefix")
    unknown = dict(fields(body[len(MAGIC) :]))
    if text(unknown.get(_ENCODING, b"")):
        raise WireError("a compressed body is not supported")
    identity = dict(fields(raw(unknown.get(_TYPE_META, b""))))
    api_version, kind = text(identity.get(1, b"")), text(identity.get(2, b""))
    type_name = wire_types().kinds.get(f"{api_version}/{kind}")
    if type_name is None:
        raise WireError(f'no kind "{kind}" is registered for version "{api_version}"')
    obj = message(raw(unknown.get(_RAW, b"")), type_name)
    return {"kind": kind, "apiVersion": api_version, **obj}
