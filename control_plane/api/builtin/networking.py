"""The rows of how pods are reached: discovery.k8s.io."""

from __future__ import annotations

from control_plane.api.resource import Resource

ENDPOINTSLICES = Resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", True)

ROWS = (ENDPOINTSLICES,)
