"""The finalizers that keep claims and volumes while they are in use.

The API server adds them, the controllers take them away. Source: pkg/volume/util of Kubernetes
v1.35.
"""

from __future__ import annotations

from typing import Final

from control_plane.api.resources import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES

FINALIZERS: Final = {
    PERSISTENTVOLUMECLAIMS: "kubernetes.io/pvc-protection",
    PERSISTENTVOLUMES: "kubernetes.io/pv-protection",
}
