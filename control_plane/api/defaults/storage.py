"""Defaults of persistent volumes and claims.

Called through the DEFAULTS table. Source: v1.35 core/v1 defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.defaults.filling import fill_absent, fill_empty, part
from control_plane.api.defaults.resource_lists import round_up
from control_plane.api.defaults.volumes import default_volume_source
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def default_persistent_volume(volume: Object) -> None:
    """Fill one PersistentVolume in place."""
    fill_empty(part(volume, "status"), "phase", "Pending")
    spec = part(volume, "spec")
    fill_empty(spec, "persistentVolumeReclaimPolicy", "Retain")
    fill_absent(spec, "volumeMode", "Filesystem")
    round_up(spec, "capacity")
    default_volume_source(spec)


def default_persistent_volume_claim(claim: Object) -> None:
    """Fill one PersistentVolumeClaim in place."""
    status = part(claim, "status")
    fill_empty(status, "phase", "Pending")
    round_up(status, "capacity", "allocatedResources")
    spec = part(claim, "spec")
    fill_absent(spec, "volumeMode", "Filesystem")
    for resources in parts(spec, "resources"):
        round_up(resources, "limits", "requests")


def default_storage_class(storage_class: Object) -> None:
    """Fill one StorageClass in place."""
    fill_absent(storage_class, "reclaimPolicy", "Delete")
    fill_absent(storage_class, "volumeBindingMode", "Immediate")


def default_csi_driver(driver: Object) -> None:
    """Fill one CSIDriver in place."""
    spec = part(driver, "spec")
    fill_absent(spec, "attachRequired", True)
    for field in ("podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount"):
        fill_absent(spec, field, False)
    fill_absent(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType")
    fill_empty(spec, "volumeLifecycleModes", ["Persistent"])


def default_volume_attachment(attachment: Object) -> None:
    """Fill the volume that one VolumeAttachment describes, in place."""
    for volume in parts(attachment, "spec", "source", "inlineVolumeSpec"):
        default_volume_source(volume)
