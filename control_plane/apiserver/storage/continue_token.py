"""The `continue` parameter of a list in chunks: where to go on and at which revision.

base64url without padding of {"v":"meta.k8s.io/v1","rv":N,"start":"ns/name\\u0000"}; rv -1 means the
current revision. Source: apiserver/pkg/storage/continue.go.
"""

import base64
import binascii
import posixpath
from typing import NamedTuple

import orjson

_VERSION = "meta.k8s.io/v1"
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
    if document.get("v") != _VERSION:
        raise ValueError(
            "continue key is not valid: server does not recognize this encoded version "
            f"{document.get('v')}"
        )
    revision, start = document.get("rv"), document.get("start")
    if not isinstance(revision, int) or isinstance(revision, bool) or not _is_readable(revision):
        raise ValueError(
            "continue key is not valid: incorrect encoded start resourceVersion "
            f"(version {_VERSION})"
        )
    if not isinstance(start, str) or not start:
        raise ValueError(f"continue key is not valid: encoded start key empty (version {_VERSION})")
    if posixpath.normpath("/" + start) != "/" + start:
        raise ValueError(f"continue key is not valid: {start}")
    return ContinueToken(revision, start)


def _is_readable(revision: int) -> bool:
    """Whether a store can be asked for it; below 0 means now, as LATEST does."""
    return revision < 0 or 0 < revision < 1 << 63


def _document(text: str) -> dict[str, object]:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        document = orjson.loads(raw)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"continue key is not valid: {error}") from error
    if not isinstance(document, dict):
        raise ValueError("continue key is not valid: not a JSON object")
    return document
