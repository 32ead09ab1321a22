"""The tables of PersistentVolumes and PersistentVolumeClaims."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.objects import Object, annotations_of, dig, is_terminating, name_of
from control_plane.api.tables.columns import AGE, NAME, WIDE, Column, View
from control_plane.api.tables.rendering import UNSET, age

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_CLASS_ANNOTATION: Final = "volume.beta.kubernetes.io/storage-class"
_MODES: Final = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def access_modes(modes: Sequence[str]) -> str:
    """Return access modes in their short forms, each once, in the usual order."""
    return ",".join(short for mode, short in _MODES.items() if mode in modes)


def _volume_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    claim = spec.get("claimRef")
    return [
        name_of(obj),
        dig(spec, "capacity", "storage", default=""),
        access_modes(spec.get("accessModes") or []),
        spec.get("persistentVolumeReclaimPolicy") or "",
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        _storage_class(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        dig(obj, "status", "reason", default=""),
        age(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


def _claim_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    # What is granted counts only once a volume is bound.
    granted = (obj.get("status") or {}) if spec.get("volumeName") else {}
    return [
        name_of(obj),
        _phase(obj),
        spec.get("volumeName") or "",
        dig(granted, "capacity", "storage", default=""),
        access_modes(granted.get("accessModes") or []),
        _storage_class(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        age(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


def _phase(obj: Object) -> str:
    return "Terminating" if is_terminating(obj) else dig(obj, "status", "phase", default="")


def _storage_class(obj: Object) -> str:
    annotations = annotations_of(obj)
    if _CLASS_ANNOTATION in annotations:
        return annotations[_CLASS_ANNOTATION]
    return str(dig(obj, "spec", "storageClassName", default=""))


def _mode_columns(spec: str) -> tuple[Column, ...]:
    return (
        Column("StorageClass", doc=f"{spec}.storageClassName"),
        Column("VolumeAttributesClass", doc=f"{spec}.volumeAttributesClassName"),
    )


PERSISTENTVOLUMES = View(
    (
        NAME,
        Column("Capacity", doc="core.v1.PersistentVolumeSpec.capacity"),
        Column("Access Modes", doc="core.v1.PersistentVolumeSpec.accessModes"),
        Column("Reclaim Policy", doc="core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy"),
        Column("Status", doc="core.v1.PersistentVolumeStatus.phase"),
        Column("Claim", doc="core.v1.PersistentVolumeSpec.claimRef"),
        *_mode_columns("core.v1.PersistentVolumeSpec"),
        Column("Reason", doc="core.v1.PersistentVolumeStatus.reason"),
        AGE,
        Column("VolumeMode", priority=WIDE, doc="core.v1.PersistentVolumeSpec.volumeMode"),
    ),
    _volume_cells,
)
PERSISTENTVOLUMECLAIMS = View(
    (
        NAME,
        Column("Status", doc="core.v1.PersistentVolumeClaimStatus.phase"),
        Column("Volume", doc="core.v1.PersistentVolumeClaimSpec.volumeName"),
        Column("Capacity", doc="core.v1.PersistentVolumeClaimStatus.capacity"),
        Column("Access Modes", doc="core.v1.PersistentVolumeClaimStatus.accessModes"),
        *_mode_columns("core.v1.PersistentVolumeClaimSpec"),
        AGE,
        Column("VolumeMode", priority=WIDE, doc="core.v1.PersistentVolumeClaimSpec.volumeMode"),
    ),
    _claim_cells,
)
