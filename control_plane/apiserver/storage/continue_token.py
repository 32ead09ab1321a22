"""The `continue` parameter of a list in chunks: where to go on and at which revision.

base64url without padding of {"v":"meta.k8s.io/v1","rv":N,"start":"ns/name\\u0000"}; rv -1 means the
current revision. Source: apiserver/pkg/storage/continue.go.
"""

import base64
import posixpath
import re
from functools import partial
from typing import Any, Final, NamedTuple

import orjson

from control_plane.api import json_syntax
from control_plane.api.typed_scalars import Place, Reader, mismatch, read_integer, read_text

_VERSION = "meta.k8s.io/v1"
_FIELDS: Final[dict[str, tuple[Reader, Any]]] = {
    "v": (read_text, ""),
    "rv": (partial(read_integer, 64), 0),
    "start": (read_text, ""),
}
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9_\-\r\n]")
LATEST = -1


class ContinueToken(NamedTuple):
    """The first key of the next chunk, relative to the list's prefix, and the chunk's revision."""

    revision: int
    start: str


def encode(token: ContinueToken) -> str:
    """The text for a client."""
    document = {"v": _VERSION, "rv": token.revision, "start": token.start}
    return base64.urlsafe_b64encode(orjson.dumps(document)).decode().rstrip("=")


def decode(text: str) -> ContinueToken:
    """Read a client's token; raises ValueError with what the API answers."""
    document = _document(text)
    version, revision, start = document["v"], document["rv"], document["start"]
    if version != _VERSION:
        raise ValueError(
            f"continue key is not valid: server does not recognize this encoded version {version}"
        )
    if not revision:
        raise ValueError(
            "continue key is not valid: incorrect encoded start resourceVersion "
            f"(version {_VERSION})"
        )
    if not start:
        raise ValueError(f"continue key is not valid: encoded start key empty (version {_VERSION})")
    rooted = start if start.startswith("/") else f"/{start}"
    if rooted.startswith("//") or posixpath.normpath(rooted) != rooted:
        raise ValueError(f"continue key is not valid: {start}")
    return ContinueToken(revision, rooted[1:])


def _document(text: str) -> dict[str, Any]:
    """The fields of a token, those that it leaves out as Go's zero values."""
    try:
        document = json_syntax.decode(_decoded(text))
        if document is not None and not isinstance(document, dict):
            raise mismatch(document, None, "storage.continueToken")
        given = {key: value for key, value in (document or {}).items() if value is not None}
        return {
            name: read(given[name], Place(None, name, "continueToken"), {})
            if name in given
            else zero
            for name, (read, zero) in _FIELDS.items()
        }
    except ValueError as error:
        raise ValueError(f"continue key is not valid: {error}") from error


def _decoded(text: str) -> bytes:
    """The bytes of base64url without padding; line ends in it do not count, as in Go."""
    odd = _NOT_BASE64.search(text)
    if odd:
        at = len(text[: odd.start()].encode(errors="replace"))
        raise ValueError(f"illegal base64 data at input byte {at}")
    digits = "".join(text.split())
    if len(digits) % 4 == 1:
        raise ValueError(f"illegal base64 data at input byte {len(text) - 1}")
    return base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4))
