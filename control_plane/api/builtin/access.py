"""The rows of who may do what: rbac.authorization.k8s.io."""

from __future__ import annotations

from control_plane.api.resource import Resource

CLUSTERROLEBINDINGS = Resource(
    "rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", False
)
CLUSTERROLES = Resource("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", False)
ROLEBINDINGS = Resource("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", True)
ROLES = Resource("rbac.authorization.k8s.io", "v1", "Role", "roles", True)

ROWS = (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    ROLEBINDINGS,
    ROLES,
)
