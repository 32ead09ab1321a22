"""One patch, applied to whatever state the object is in when its turn comes."""

from typing import Any

from control_plane.api.field_validation import (
    Directive,
    Expected,
    check_patched,
    check_patched_identity,
)
from control_plane.api.go_syntax import to_json
from control_plane.api.go_text import go_value
from control_plane.api.objects import Object
from control_plane.api.patch import STRATEGIC, Patch
from control_plane.api.patch.field_types import object_type
from control_plane.api.resources import SECRETS, Resource
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.owner_references import IN_PATCHED, drop_repeated_owners

WITHHELD = "<secret data>"


class Patching:
    """A decoded patch for objects of `resource`, and what strict decoding has against it."""

    def __init__(self, patch: Patch, body: bytes, resource: Resource, call: Call) -> None:
        """Decode `body`, which is one of `patch`'s format; raises ApiError."""
        self._patch = patch
        self._directive = Directive(call.field_validation)
        is_checked = self._directive is not Directive.IGNORE
        self._document: Any = patch.decode(body, is_checked=is_checked)
        self._objections = patch.objections(body) if is_checked else ()
        self._expected = Expected.of(resource)
        self._call = call
        self._is_secret = resource == SECRETS
        self._fields = object_type(resource.api_version, resource.kind)

    def apply(self, current: Object) -> Object:
        """The patched object, with fields of the right types; raises ApiError."""
        patched = self._patch.apply(current, self._document, self._fields)
        is_strategic = self._patch.content_type == STRATEGIC
        shown = go_value(self._document) if is_strategic else to_json(patched)
        if self._is_secret:  # who may patch one need not be allowed to read it
            shown = WITHHELD
        if not is_strategic:
            check_patched_identity(patched, self._expected, shown)
        decoded = check_patched(patched, self._expected, self._directive, shown, self._objections)
        for warning in decoded.warnings:
            self._call.warn(warning)
        if decoded.obj.get("metadata"):
            drop_repeated_owners(decoded.obj, self._call.warn, IN_PATCHED)
        return decoded.obj
