"""Rules of a persistent volume claim's spec, in claims and in templates of them.

Called by storage.py and volume_sources.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.internal_form import internal_form
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    NOT_POSITIVE,
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    required,
)
from control_plane.api.validation.labels import validate_selector
from control_plane.api.validation.quantities import amount_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

ACCESS_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES: Final = ("Block", "Filesystem")


def validate_access_modes(modes: list[str], path: str) -> Iterator[FieldError]:
    """Check access modes; the one for a single pod stands alone."""
    for mode in modes:
        if mode not in ACCESS_MODES:
            yield not_supported(path, mode, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        yield forbidden(path, "may not use ReadWriteOncePod with other access modes")


def validate_storage_class_name(name: str | None, path: str) -> Iterator[FieldError]:
    """Check the name of a storage class; "" means none."""
    if name:
        yield from invalid_each(path, name, formats.dns1123_subdomain(name))


def validate_volume_mode(mode: str | None, path: str) -> Iterator[FieldError]:
    """Check how a volume is presented."""
    if mode is not None and mode not in VOLUME_MODES:
        yield not_supported(path, mode, VOLUME_MODES)


def validate_claim_spec(spec: Object, path: str) -> Iterator[FieldError]:
    """Check what a claim asks for."""
    modes = spec.get("accessModes") or []
    if not modes:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    yield from validate_selector(spec.get("selector"), f"{path}.selector")
    yield from validate_access_modes(modes, f"{path}.accessModes")
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        yield required(f"{path}.resources[storage]")
    elif amount_of(storage) <= 0:
        yield invalid(f"{path}.resources[storage]", str(storage), NOT_POSITIVE)
    yield from validate_storage_class_name(spec.get("storageClassName"), f"{path}.storageClassName")
    yield from validate_volume_mode(spec.get("volumeMode"), f"{path}.volumeMode")
    attributes = spec.get("volumeAttributesClassName")
    yield from validate_storage_class_name(attributes, f"{path}.volumeAttributesClassName")
    yield from _validate_sources(spec, path)


def _validate_sources(spec: Object, path: str) -> Iterator[FieldError]:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    for field, value in (("dataSource", source), ("dataSourceRef", reference)):
        if value is not None:
            yield from _validate_source(value, f"{path}.{field}")
    if source is not None and reference is not None:
        shown = internal_form("TypedLocalObjectReference", source)
        if reference.get("namespace"):
            detail = "may not be specified when dataSourceRef.namespace is specified"
            yield invalid(f"{path}.dataSource", shown, detail)
        elif any(source.get(f) != reference.get(f) for f in ("apiGroup", "kind", "name")):
            yield invalid(f"{path}.dataSource", shown, "must match dataSourceRef")


def _validate_source(source: Object, path: str) -> Iterator[FieldError]:
    for field in ("name", "kind"):
        if not source.get(field):
            yield required(f"{path}.{field}")
    kind = source.get("kind") or ""
    if not source.get("apiGroup") and kind != "PersistentVolumeClaim":
        detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        yield invalid(path, kind, detail)
