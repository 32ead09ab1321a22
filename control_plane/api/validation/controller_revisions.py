"""Rules of controller revisions.

Called through the VALIDATORS table. Source: v1.35 apps/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.validation.field_errors import IMMUTABLE, invalid, non_negative, required

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object


def validate_controller_revision(revision: Object) -> Iterator[FieldError]:
    """Check a ControllerRevision: there is data, and a number that orders it."""
    data = revision.get("data")
    if data is None:
        yield required("data", "data is mandatory")
    elif not isinstance(data, dict):
        yield required("data", "data must be a valid JSON object")
    yield from non_negative("revision", revision.get("revision"))


def validate_controller_revision_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check that the data stays: an absent field and an empty one differ here."""
    yield from validate_controller_revision(new)
    if new.get("data") != old.get("data"):
        yield invalid("data", new.get("data"), IMMUTABLE)
