"""What lies in the store as an object: JSON as this server writes it, or protobuf.

Protobuf is what a kube-apiserver stores built-in kinds as. A store may hold objects in a version
that is not written any more: those that a conversion leads from are read, the others are refused by
name. Pure.
"""

from typing import Any

import orjson

from control_plane.api.conversion import CONVERSIONS
from control_plane.api.objects import Object
from control_plane.apiserver.protobuf import envelope
from control_plane.apiserver.protobuf.wire_format import WireError

ENCRYPTED = b"k8s:enc:"  # what an API server with encryption at rest has sealed begins with this
READ_AS_PLAIN = "identity transformer tried to read encrypted data"


class UnreadableError(ValueError):
    """A stored value is not an object of ours."""


class UndecryptableError(UnreadableError):
    """A stored value cannot be opened with any key there is; the text is upstream's."""


def stored_object(value: bytes, api_version: str, kind: str) -> Object:
    """The object in the version that it is stored in today; raises UnreadableError."""
    obj = _decoded(value)
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        raise UnreadableError("the stored value is not a Kubernetes object")
    found = (obj.get("apiVersion", api_version), obj.get("kind", kind))
    return obj if found == (api_version, kind) else _converted(obj, api_version, kind)


def stored_custom_object(value: bytes, kind: str) -> Object:
    """A custom resource in whatever version it is stored in; raises UnreadableError."""
    obj = _decoded(value)
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        raise UnreadableError("the stored value is not a Kubernetes object")
    if obj.get("kind") != kind:
        raise UnreadableError(f"it is stored as a {obj.get('kind')}, and a {kind} is expected")
    return obj


def _decoded(value: bytes) -> Any:
    if value.startswith(envelope.MAGIC):
        try:
            return envelope.decode(value)
        except (WireError, RecursionError) as error:
            raise UnreadableError(f"the stored value is not readable: {error}") from error
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        if value.startswith(ENCRYPTED):
            raise UndecryptableError(READ_AS_PLAIN) from error
        raise UnreadableError(f"the stored value is not JSON: {error}") from error


def _converted(obj: Object, api_version: str, kind: str) -> Object:
    group, _, version = str(obj.get("apiVersion")).rpartition("/")
    conversion = CONVERSIONS.get((group, version, str(obj.get("kind"))))
    made = conversion.to_stored(obj) if conversion is not None else obj
    if (made["apiVersion"], made["kind"]) != (api_version, kind):
        raise UnreadableError(
            f"it is stored as {obj.get('apiVersion')} {obj.get('kind')}, and {api_version} {kind} "
            "is expected: have the server that wrote it store it anew"
        )
    return made
