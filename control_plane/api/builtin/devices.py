"""The rows of devices and who asks for them: resource.k8s.io."""

from __future__ import annotations

from control_plane.api.resource import STATUS, Resource

_GROUP = "resource.k8s.io"

DEVICECLASSES = Resource(_GROUP, "v1", "DeviceClass", "deviceclasses", False)
RESOURCECLAIMS = Resource(
    _GROUP, "v1", "ResourceClaim", "resourceclaims", True, subresources=(STATUS,)
)
RESOURCECLAIMTEMPLATES = Resource(
    _GROUP, "v1", "ResourceClaimTemplate", "resourceclaimtemplates", True
)
RESOURCESLICES = Resource(_GROUP, "v1", "ResourceSlice", "resourceslices", False)

ROWS = (
    DEVICECLASSES,
    RESOURCECLAIMS,
    RESOURCECLAIMTEMPLATES,
    RESOURCESLICES,
)
