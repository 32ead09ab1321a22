"""Patch bodies read into plain values, refused with the API server's texts.

Upstream reads a patch once as what it should be, unless fields are not to be checked, and once
more in the library that applies it; the first to object is heard. Called by each patch kind's
`decode`. Pure. Source: v1.35 patch handler.
"""

from __future__ import annotations

from typing import Any, Final

from control_plane.api.errors import BadRequest
from control_plane.api.go_text import go_kind
from control_plane.api.json_syntax import JsonSyntaxError
from control_plane.api.json_syntax import decode as decode_document

CHECKING: Final = "error decoding patch: "
MAP: Final = "map[string]interface {}"


def decode_json(body: bytes, prefix: str = "") -> Any:
    """Return the JSON value of a patch body; raises BadRequest with the scanner's text."""
    try:
        return decode_document(body)
    except JsonSyntaxError as error:
        raise BadRequest(f"{prefix}{error}") from None


def no_such_type(value: Any, go_type: str, prefix: str = "") -> BadRequest:
    """Return the error for a JSON value that the Go type cannot hold."""
    return BadRequest(
        f"{prefix}json: cannot unmarshal {go_kind(value)} into Go value of type {go_type}"
    )
