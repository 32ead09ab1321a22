"""The envelope around every Kubernetes protobuf body: four magic bytes and a runtime.Unknown.

`message` makes what lies in the envelope, so that the items of a list and the objects of a watch
can be made once and put together by `list_parts` and `watch_frame`.
"""

from collections.abc import Sequence

from control_plane.api.objects import Object
from control_plane.apiserver.protobuf import decoding
from control_plane.apiserver.protobuf.encoding import encoder
from control_plane.apiserver.protobuf.scalar_decoding import text
from control_plane.apiserver.protobuf.wire_format import (
    WireError,
    fields,
    raw,
    sized,
    varint_bytes,
)
from control_plane.apiserver.protobuf.wire_types import wire_types

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
_TYPE_META, _RAW, _ENCODING = 1, 2, 3
_FIRST, _SECOND = b"\x0a", b"\x12"
_NO_ENCODING_NO_TYPE = b"\x1a\x00\x22\x00"
_FRAME_SIZE_BYTES = 4


def decode(body: bytes) -> Object:
    """The object of a body, with kind and apiVersion; raises WireError."""
    if not body.startswith(MAGIC):
        raise WireError("provided data does not appear to be a protobuf message, expected prefix")
    unknown = dict(fields(body[len(MAGIC) :]))
    if text(raw(unknown.get(_ENCODING, b""))):
        raise WireError("a compressed body is not supported")
    identity = dict(fields(raw(unknown.get(_TYPE_META, b""))))
    api_version, kind = (text(raw(identity.get(number, b""))) for number in (1, 2))
    type_name = wire_types().kinds.get(f"{api_version}/{kind}")
    if type_name is None:
        raise WireError(f'no kind "{kind}" is registered for version "{api_version}"')
    obj = decoding.message(raw(unknown.get(_RAW, b"")), type_name)
    return {"kind": kind, "apiVersion": api_version, **obj}


def has_message(api_version: str, kind: str) -> bool:
    """Tell whether objects of this kind can be written as protobuf."""
    return f"{api_version}/{kind}" in wire_types().kinds


def message(obj: Object, api_version: str, kind: str) -> bytes:
    """The object as a message, without the envelope; KeyError for a kind that has none."""
    return encoder(wire_types().kinds[f"{api_version}/{kind}"])(obj)


def enclosed(content: bytes, api_version: str, kind: str) -> bytes:
    """The envelope of a message."""
    return b"".join((_head(len(content), api_version, kind), content, _NO_ENCODING_NO_TYPE))


def _head(content_bytes: int, api_version: str, kind: str) -> bytes:
    """What stands before the content."""
    identity = _FIRST + sized(api_version.encode()) + _SECOND + sized(kind.encode())
    return b"".join((MAGIC, _FIRST, sized(identity), _SECOND, varint_bytes(content_bytes)))


def encode(obj: Object) -> bytes:
    """The body of an object with kind and apiVersion; KeyError for a kind without protobuf."""
    api_version, kind = obj.get("apiVersion", "v1"), obj["kind"]
    return enclosed(message(obj, api_version, kind), api_version, kind)


def list_parts(
    metadata: Object, items: Sequence[bytes], api_version: str, kind: str
) -> list[bytes]:
    """The body of a list from the messages of its items: what is to be joined, in order."""
    parts = [_FIRST, sized(encoder("apis/meta/v1.ListMeta")(metadata))]
    for item in items:
        parts += (_SECOND, varint_bytes(len(item)), item)
    head = _head(sum(map(len, parts)), api_version, kind)
    return [head, *parts, _NO_ENCODING_NO_TYPE]


def watch_frame(change: str, enclosed_object: bytes) -> bytes:
    """One event of a watch: its length in four bytes, then a WatchEvent without an envelope."""
    held = _FIRST + sized(enclosed_object)
    event = _FIRST + sized(change.encode()) + _SECOND + sized(held)
    return len(event).to_bytes(_FRAME_SIZE_BYTES) + event
