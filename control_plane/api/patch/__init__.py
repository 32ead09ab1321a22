"""Patches: PATCHES is the table of the formats a PATCH request may use.

The API server looks the content type up with `patch_for` (415 for the rest), decodes the body once
and applies the patch to the current object in its write loop, as often as that object changes
underneath. Nothing here defaults, validates or writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from control_plane.api.errors import UnsupportedMediaType
from control_plane.api.patch import json_patch, merge_patch, objections, strategic_merge
from control_plane.api.patch.field_types import PLAIN, FieldType, object_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control_plane.api.objects import Object

__all__ = [
    "APPLY",
    "JSON",
    "MERGE",
    "PATCHES",
    "PLAIN",
    "STRATEGIC",
    "FieldType",
    "Patch",
    "is_apply",
    "object_type",
    "patch_for",
]

JSON: Final = "application/json-patch+json"
MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"


class Decode(Protocol):
    """Reads a body; one whose fields are not checked meets only the library that applies it."""

    def __call__(self, body: bytes, *, is_checked: bool = True) -> Any: ...


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch format.

    decode: body, and whether its fields are checked -> patch; raises BadRequest or
    RequestEntityTooLarge. apply: (original, patch,
    type of the object) -> new object; raises ApiError; changes neither argument. objections: a
    decoded body -> what strict decoding has against it, in order.
    """

    content_type: str
    decode: Decode
    apply: Callable[[Object, Any, FieldType], Object]
    objections: Callable[[bytes], tuple[str, ...]]


PATCHES: Final[Mapping[str, Patch]] = {
    patch.content_type: patch
    for patch in (
        Patch(JSON, json_patch.decode, json_patch.apply, objections.of_operations),
        Patch(MERGE, merge_patch.decode, merge_patch.apply, objections.of_document),
        Patch(STRATEGIC, strategic_merge.decode, strategic_merge.apply, objections.of_document),
    )
}


def patch_for(content_type: str, *, is_custom: bool = False) -> Patch:
    """Return the format of a Content-Type header, whose parameters do not count.

    Custom resources say nothing of how their lists merge, so they have no strategic merge.

    Raises UnsupportedMediaType for everything else; server-side apply is no such patch, ask
    `is_apply` before.
    """
    found = PATCHES.get(content_type.partition(";")[0].strip())
    if found is None or (is_custom and found.content_type == STRATEGIC):
        known = [name for name in PATCHES if not (is_custom and name == STRATEGIC)]
        raise UnsupportedMediaType.of([*known, APPLY])
    return found


def is_apply(content_type: str) -> bool:
    """Tell whether a Content-Type header is that of server-side apply."""
    return content_type.partition(";")[0].strip() == APPLY
