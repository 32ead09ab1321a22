"""Patch bodies read into plain values, refused with the API server's texts.

Called by each patch kind's `decode`. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.errors import BadRequest
from control_plane.api.go_text import go_kind
from control_plane.api.json_syntax import JsonSyntaxError
from control_plane.api.json_syntax import decode as decode_document

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def decode_json(body: bytes) -> Any:
    """Return the JSON value of a patch body; raises BadRequest with the scanner's text."""
    try:
        return decode_document(body)
    except JsonSyntaxError as error:
        raise BadRequest(f"error decoding patch: {error}") from None


def decode_map(body: bytes) -> Object:
    """Return the JSON object of a patch body; raises BadRequest for any other value."""
    patch = decode_json(body)
    if not isinstance(patch, dict):
        raise BadRequest(
            f"error decoding patch: json: cannot unmarshal {go_kind(patch)} into Go value of type "
            "map[string]interface {}"
        )
    return patch
