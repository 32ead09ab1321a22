"""Bootstrap tokens, and what a cluster needs so that their holders may become nodes. Pure.

The names are kubeadm's, so that either finds what the other has made.
"""

import datetime
import re
import secrets
import string
from typing import Any

from tapir.joining.cluster_info import NAME, NAMESPACE

Object = dict[str, Any]
TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
GROUP = "system:bootstrappers:kubeadm:default-node-token"
_RBAC = "rbac.authorization.k8s.io"
_LETTERS = string.ascii_lowercase + string.digits
_SIGNING = "system:certificates.k8s.io:certificatesigningrequests"
# ClusterRoleBindings: the role, and the group that gets it
_BINDINGS = {
    "kubeadm:kubelet-bootstrap": ("system:node-bootstrapper", GROUP),
    "kubeadm:node-autoapprove-bootstrap": (f"{_SIGNING}:nodeclient", GROUP),
    "kubeadm:node-autoapprove-certificate-rotation": (f"{_SIGNING}:selfnodeclient", "system:nodes"),
}
_READER = "kubeadm:bootstrap-signer-clusterinfo"


def new_token() -> str:
    """Return a token that nobody can guess."""
    return f"{_word(6)}.{_word(16)}"


def _word(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def token_secret(token: str, description: str, ends: datetime.datetime | None) -> Object:
    """Return the Secret of a token; without `ends` it is good for ever."""
    token_id, _, secret = token.partition(".")
    data = {
        "token-id": token_id,
        "token-secret": secret,
        "usage-bootstrap-authentication": "true",
        "usage-bootstrap-signing": "true",
        "auth-extra-groups": GROUP,
    }
    if description:
        data["description"] = description
    if ends is not None:
        data["expiration"] = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"bootstrap-token-{token_id}", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "stringData": data,
    }


def cluster_info(kubeconfig: bytes) -> Object:
    """Return the ConfigMap that everybody may read."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "data": {"kubeconfig": kubeconfig.decode()},
    }


def permissions() -> list[Object]:
    """Return the roles and bindings that let a token's holder become a node."""
    meta = {"name": _READER, "namespace": NAMESPACE}
    rule = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [NAME]}
    role = {"kind": "Role", "metadata": meta, "rules": [{**rule, "verbs": ["get"]}]}
    anybody = {"apiGroup": _RBAC, "kind": "User", "name": "system:anonymous"}
    reading = {"kind": "RoleBinding", "metadata": meta, "subjects": [anybody]}
    reading["roleRef"] = {"apiGroup": _RBAC, "kind": "Role", "name": _READER}
    return [{"apiVersion": f"{_RBAC}/v1", **one} for one in (role, reading, *_cluster_bindings())]


def _cluster_bindings() -> list[Object]:
    return [
        {
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": group}],
        }
        for name, (role, group) in _BINDINGS.items()
    ]
