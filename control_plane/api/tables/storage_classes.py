"""The tables of storage.k8s.io."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.objects import Object, annotations_of, dig, name_of
from control_plane.api.tables.columns import AGE, NAME, Column, View
from control_plane.api.tables.rendering import NONE, UNSET, age

if TYPE_CHECKING:
    from datetime import datetime

_DEFAULT_MARKS: Final = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def _class_cells(obj: Object, now: datetime) -> list[Any]:
    annotations = annotations_of(obj)
    is_default = any(annotations.get(mark) == "true" for mark in _DEFAULT_MARKS)
    return [
        name_of(obj) + (" (default)" if is_default else ""),
        obj.get("provisioner") or "",
        obj.get("reclaimPolicy") or "Delete",
        obj.get("volumeBindingMode") or "Immediate",
        bool(obj.get("allowVolumeExpansion")),
        age(obj, now),
    ]


def _attributes_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), obj.get("driverName") or "", age(obj, now)]


def _driver_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    attach = spec.get("attachRequired")
    audiences = [request.get("audience") or "" for request in spec.get("tokenRequests") or []]
    return [
        name_of(obj),
        True if attach is None else attach,
        bool(spec.get("podInfoOnMount")),
        bool(spec.get("storageCapacity")),
        ",".join(audiences) if audiences else UNSET,
        bool(spec.get("requiresRepublish")),
        ",".join(spec.get("volumeLifecycleModes") or []) or NONE,
        age(obj, now),
    ]


def _node_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), len(dig(obj, "spec", "drivers", default=[])), age(obj, now)]


def _capacity_cells(obj: Object, _now: datetime) -> list[Any]:
    return [name_of(obj), obj.get("storageClassName") or "", str(obj.get("capacity") or UNSET)]


def _attachment_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    return [
        name_of(obj),
        spec.get("attacher") or "",
        dig(spec, "source", "persistentVolumeName", default=""),
        spec.get("nodeName") or "",
        bool(dig(obj, "status", "attached", default=False)),
        age(obj, now),
    ]


_CLASS: Final = "storage.v1.StorageClass"
_DRIVER: Final = "storage.v1.CSIDriverSpec"
STORAGECLASSES = View(
    (
        NAME,
        Column("Provisioner", doc=f"{_CLASS}.provisioner"),
        Column("ReclaimPolicy", doc=f"{_CLASS}.reclaimPolicy"),
        Column("VolumeBindingMode", doc=f"{_CLASS}.volumeBindingMode"),
        Column("AllowVolumeExpansion", doc=f"{_CLASS}.allowVolumeExpansion"),
        AGE,
    ),
    _class_cells,
)
VOLUMEATTRIBUTESCLASSES = View(
    (NAME, Column("DriverName", doc="storage.v1.VolumeAttributesClass.driverName"), AGE),
    _attributes_cells,
)
CSIDRIVERS = View(
    (
        NAME,
        Column("AttachRequired", "boolean", doc=f"{_DRIVER}.attachRequired"),
        Column("PodInfoOnMount", "boolean", doc=f"{_DRIVER}.podInfoOnMount"),
        Column("StorageCapacity", "boolean", doc=f"{_DRIVER}.storageCapacity"),
        Column("TokenRequests", doc=f"{_DRIVER}.tokenRequests"),
        Column("RequiresRepublish", "boolean", doc=f"{_DRIVER}.requiresRepublish"),
        Column("Modes", doc=f"{_DRIVER}.volumeLifecycleModes"),
        AGE,
    ),
    _driver_cells,
)
CSINODES = View(
    (NAME, Column("Drivers", "integer", text="How many drivers run on the node."), AGE),
    _node_cells,
)
CSISTORAGECAPACITIES = View(
    (
        NAME,
        Column("StorageClassName", doc="storage.v1.CSIStorageCapacity.storageClassName"),
        Column("Capacity", doc="storage.v1.CSIStorageCapacity.capacity"),
    ),
    _capacity_cells,
)
VOLUMEATTACHMENTS = View(
    (
        NAME,
        Column("Attacher", format="name", doc="storage.v1.VolumeAttachmentSpec.attacher"),
        Column("PV", doc="storage.v1.VolumeAttachmentSource.persistentVolumeName"),
        Column("Node", doc="storage.v1.VolumeAttachmentSpec.nodeName"),
        Column("Attached", "boolean", doc="storage.v1.VolumeAttachmentStatus.attached"),
        AGE,
    ),
    _attachment_cells,
)
