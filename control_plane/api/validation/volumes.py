"""Rules of pod volumes: each names exactly one source, and each source has its own.

SOURCES and DRIVERS are the tables of the sources with rules.
Called by pod_spec.py. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.go_syntax import quote
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    duplicate,
    forbidden,
    invalid,
    invalid_each,
    required,
)
from control_plane.api.validation.volume_drivers import DRIVERS, SHOWN_AS, initiator_too_long
from control_plane.api.validation.volume_sources import REQUIRED_FIELDS, SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object
    from control_plane.api.validation.pod_context import PodContext

_ONE_VOLUME: Final = "may not specify more than 1 volume type"


def validate_volumes(volumes: list[Object], path: str, context: PodContext) -> Iterator[FieldError]:
    """Check the volumes of a pod spec."""
    names: set[str] = set()
    for index, volume in enumerate(volumes):
        where = f"{path}[{index}]"
        name = volume.get("name") or ""
        yield from _validate_sources(volume, where, context)
        if not name:
            yield required(f"{where}.name")
            continue
        messages = formats.dns1123_label(name)
        yield from invalid_each(f"{where}.name", name, messages)
        if not messages and name in names:
            yield duplicate(f"{where}.name", name)
        names.add(name)


def _validate_sources(volume: Object, path: str, context: PodContext) -> Iterator[FieldError]:
    given = [name for name, source in volume.items() if name != "name" and source is not None]
    for position, name in enumerate(given):
        where = f"{path}.{name}"
        if position:
            yield forbidden(where, _ONE_VOLUME)
            continue
        shown = f"{path}.{SHOWN_AS.get(name, name)}"
        yield from validate_required_fields(name, volume[name], shown)
        if name in SOURCES:
            yield from SOURCES[name](volume[name], shown, context)
        elif name in DRIVERS:
            yield from DRIVERS[name](volume[name], shown)
    if not given:
        yield required(path, "must specify a volume type")
    volume_name = volume.get("name") or ""
    yield from initiator_too_long(volume_name, volume.get("iscsi") or {}, f"{path}.name")
    if volume.get("ephemeral") is not None and context.name and volume_name:
        claim = f"{context.name}-{volume_name}"
        for message in formats.dns1123_subdomain(claim):
            yield invalid(f"{path}.name", volume_name, f"PVC name {quote(claim)}: {message}")


def validate_required_fields(name: str, source: Object, path: str) -> Iterator[FieldError]:
    """Check that a source has the fields it cannot do without."""
    for field in REQUIRED_FIELDS.get(name, ()):
        if not source.get(field):
            yield required(f"{path}.{field}")


def claim_name_conflicts(spec: Object, pod_name: str, path: str) -> Iterator[FieldError]:
    """Refuse a volume of a claim that another, ephemeral volume of the pod will create."""
    volumes = spec.get("volumes") or []
    made = {f"{pod_name}-{volume.get('name')}" for volume in volumes if volume.get("ephemeral")}
    for index, volume in enumerate(volumes):
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if pod_name and claim in made:
            yield invalid(
                f"{path}[{index}].persistentVolumeClaim.claimName",
                claim,
                "must not reference a PVC that gets created for an ephemeral volume",
            )
