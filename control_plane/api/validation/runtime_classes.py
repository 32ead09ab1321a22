"""Rules of runtime classes.

Called through the VALIDATORS table. Source: v1.35 node/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.internal_form import internal_form
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import IMMUTABLE, duplicate, invalid, invalid_each
from control_plane.api.validation.labels import validate_labels
from control_plane.api.validation.quantities import validate_requirements
from control_plane.api.validation.scheduling import validate_tolerations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object


def validate_runtime_class(runtime_class: Object) -> Iterator[FieldError]:
    """Check a RuntimeClass."""
    handler = runtime_class.get("handler") or ""
    yield from invalid_each("handler", handler, formats.dns1123_label(handler))
    overhead = runtime_class.get("overhead")
    if overhead is not None:
        limits = {"limits": overhead.get("podFixed") or {}}
        yield from validate_requirements(limits, "overhead.podFixed")
    scheduling = runtime_class.get("scheduling")
    if scheduling is not None:
        yield from validate_labels(scheduling.get("nodeSelector"), "scheduling.nodeSelector")
        yield from _validate_tolerations(scheduling.get("tolerations") or [])


def _validate_tolerations(tolerations: list[Object]) -> Iterator[FieldError]:
    path = "scheduling.tolerations"
    yield from validate_tolerations(tolerations, path)
    for index, toleration in enumerate(tolerations):
        if toleration in tolerations[:index]:
            yield duplicate(f"{path}[{index}]", internal_form("Toleration", toleration))


def validate_runtime_class_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a RuntimeClass: the handler stays."""
    yield from validate_runtime_class(new)
    if new.get("handler") != old.get("handler"):
        yield invalid("handler", new.get("handler"), IMMUTABLE)
