"""What an installer grants to the components that have no rights from the start. Pure.

Upstream's API server makes the role of who calls kubelets, and leaves it to installers to say who
that is.
"""

from typing import Any

from control_plane.pki.cluster import KUBELET_CLIENT

_RBAC = "rbac.authorization.k8s.io"


def kubelet_admin_binding() -> dict[str, Any]:
    """The ClusterRoleBinding of the API server's client certificate for kubelets."""
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "kube-apiserver-kubelet-admin"},
        "roleRef": {
            "apiGroup": _RBAC,
            "kind": "ClusterRole",
            "name": "system:kubelet-api-admin",
        },
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": KUBELET_CLIENT.user}],
    }
