"""JSON merge patch (RFC 7386): null deletes, maps recurse, everything else replaces.

Called through the PATCHES table. Pure: neither the original nor the patch is changed or shared with
the result. Source: RFC 7386, section 2.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.errors import BadRequest
from control_plane.api.patch.decoding import CHECKING, MAP, decode_json, no_such_type

if TYPE_CHECKING:
    from control_plane.api.objects import Object

_UNFIT: Final = "Invalid JSON Patch"


def decode(body: bytes, *, is_checked: bool = True) -> Object:
    """Return the map of a patch body; raises BadRequest for any other value."""
    try:
        patch = decode_json(body, CHECKING)
    except BadRequest:
        if is_checked:
            raise
        raise BadRequest(_UNFIT) from None
    if isinstance(patch, dict):
        return patch
    if is_checked and patch is not None:
        raise no_such_type(patch, MAP, CHECKING)
    raise BadRequest(_UNFIT)


def apply(original: Object, patch: Object, _fields: object = None) -> Object:
    """Return `original` with `patch` merged in; lists are replaced whole, whatever their type."""
    merged: Object = {
        key: copy.deepcopy(value) for key, value in original.items() if key not in patch
    }
    # keys of the original keep their place, new ones follow in the patch's order
    ordered = [
        *(key for key in original if key in patch),
        *(key for key in patch if key not in original),
    ]
    merged.update(
        {key: _merge(original.get(key), patch[key]) for key in ordered if patch[key] is not None}
    )
    return merged


def _merge(original: Any, patch: Any) -> Any:
    if isinstance(patch, dict):
        return apply(original if isinstance(original, dict) else {}, patch)
    return copy.deepcopy(patch)
