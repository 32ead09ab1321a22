"""The rows of where volumes come from: storage.k8s.io."""

from __future__ import annotations

from control_plane.api.resource import STATUS, Resource

CSIDRIVERS = Resource("storage.k8s.io", "v1", "CSIDriver", "csidrivers", False)
CSINODES = Resource("storage.k8s.io", "v1", "CSINode", "csinodes", False)
CSISTORAGECAPACITIES = Resource(
    "storage.k8s.io", "v1", "CSIStorageCapacity", "csistoragecapacities", True
)
STORAGECLASSES = Resource("storage.k8s.io", "v1", "StorageClass", "storageclasses", False, ("sc",))
VOLUMEATTACHMENTS = Resource(
    "storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments", False, subresources=(STATUS,)
)
VOLUMEATTRIBUTESCLASSES = Resource(
    "storage.k8s.io", "v1", "VolumeAttributesClass", "volumeattributesclasses", False, ("vac",)
)

ROWS = (
    CSIDRIVERS,
    CSINODES,
    CSISTORAGECAPACITIES,
    STORAGECLASSES,
    VOLUMEATTACHMENTS,
    VOLUMEATTRIBUTESCLASSES,
)
