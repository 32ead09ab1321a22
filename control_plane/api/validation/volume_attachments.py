"""Rules of volume attachments.

Called through the VALIDATORS table. Source: v1.35 storage/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    IMMUTABLE,
    forbidden,
    invalid,
    invalid_each,
    required,
    too_long,
)
from control_plane.api.validation.storage_classes import validate_driver_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_METADATA_BYTES: Final = 256 * 1024
MAX_ERROR_BYTES: Final = 1024
_SOURCE: Final = "spec.source"


def validate_attachment(attachment: Object) -> Iterator[FieldError]:
    """Check a VolumeAttachment: what is attached where, by whom."""
    spec = attachment.get("spec") or {}
    yield from validate_driver_name(spec.get("attacher") or "", "spec.attacher")
    yield from _validate_source(spec.get("source") or {})
    node = spec.get("nodeName") or ""
    if not node:
        yield required("spec.nodeName")
    else:
        yield from invalid_each("spec.nodeName", node, formats.dns1123_subdomain(node))
    yield from _validate_status(attachment.get("status") or {})


def _validate_source(source: Object) -> Iterator[FieldError]:
    inline, name = source.get("inlineVolumeSpec"), source.get("persistentVolumeName")
    if inline is None and name is None:
        detail = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        yield required(_SOURCE, detail)
    if inline is not None and name is not None:
        detail = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        yield forbidden(_SOURCE, detail)
    if name == "":
        detail = "must specify non empty persistentVolumeName"
        yield required(f"{_SOURCE}.persistentVolumeName", detail)
    if inline is not None and inline.get("csi") is None:
        yield required(f"{_SOURCE}.inlineVolumeSpec.csi")


def _validate_status(status: Object) -> Iterator[FieldError]:
    metadata = status.get("attachmentMetadata") or {}
    size = sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items())
    if size > MAX_METADATA_BYTES:
        yield too_long("status.attachmentMetadata", MAX_METADATA_BYTES)
    for field in ("attachError", "detachError"):
        message = (status.get(field) or {}).get("message") or ""
        if len(message.encode()) > MAX_ERROR_BYTES:
            yield too_long(f"status.{field}.message", MAX_ERROR_BYTES)


def validate_attachment_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a VolumeAttachment: the spec stays."""
    yield from validate_attachment(new)
    if not semantically_equal(new.get("spec"), old.get("spec")):
        yield invalid("spec", new.get("spec"), IMMUTABLE)
