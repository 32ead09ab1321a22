"""The roles and bindings that every cluster has from the start, as objects. Pure.

Source: the bootstrap policy of Kubernetes v1.35.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from control_plane.api.objects import Object
from control_plane.apiserver.auth.rbac.bootstrap_roles import CLUSTER_ROLES, EVENTS
from control_plane.apiserver.auth.rbac.controller_roles import CONTROLLER_ROLES

GROUP: Final = "rbac.authorization.k8s.io"
AUTOUPDATE: Final = "rbac.authorization.kubernetes.io/autoupdate"
_LABELS: Final = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_AGGREGATE: Final = "rbac.authorization.k8s.io/aggregate-to-"
_MANAGER, _SCHEDULER = "system:kube-controller-manager", "system:kube-scheduler"

_READ = ("get", "list", "watch")
_WRITE = ("create", "delete", "deletecollection", "patch", "update")
_VERBS: Final[Mapping[str, tuple[str, ...]]] = {
    "R": _READ,
    "W": _WRITE,
    "RW": (*_READ, *_WRITE),
    "RU": (*_READ, "patch", "update"),
}

# the roles that are unions of others, which have the label aggregate-to-NAME
AGGREGATED: Final = ("admin", "edit", "view")
_AGGREGATED_INTO: Final[Mapping[str, str]] = {
    "edit": "admin",
    "view": "edit",
    "system:aggregate-to-admin": "admin",
    "system:aggregate-to-edit": "edit",
    "system:aggregate-to-view": "view",
}

# kind and name, accounts with their namespace
_Subjects = tuple[tuple[str, str], ...]
_AUTHENTICATED = ("Group", "system:authenticated")
CLUSTER_BINDINGS: Final[Mapping[str, _Subjects]] = {
    "cluster-admin": (("Group", "system:masters"),),
    "system:monitoring": (("Group", "system:monitoring"),),
    "system:discovery": (_AUTHENTICATED,),
    "system:basic-user": (_AUTHENTICATED,),
    "system:public-info-viewer": (_AUTHENTICATED, ("Group", "system:unauthenticated")),
    "system:node-proxier": (("User", "system:kube-proxy"),),
    "system:kube-controller-manager": (("User", _MANAGER),),
    "system:kube-dns": (("ServiceAccount", "kube-system/kube-dns"),),
    "system:kube-scheduler": (("User", _SCHEDULER),),
    "system:volume-scheduler": (("User", _SCHEDULER),),
    "system:node": (),
    "system:service-account-issuer-discovery": (("Group", "system:serviceaccounts"),),
    **{
        f"system:controller:{name}": (("ServiceAccount", f"kube-system/{name}"),)
        for name in CONTROLLER_ROLES
    },
}


def _leader(name: str) -> tuple[str, ...]:
    return (
        "watch core configmaps",
        f"get,update core configmaps {name}",
        "create,get,list,update,watch coordination.k8s.io leases",
        "create,get,list,update,watch coordination.k8s.io leasecandidates",
    )


ROLES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("kube-public", "system:controller:bootstrap-signer"): (
        "R core configmaps",
        "update core configmaps cluster-info",
        EVENTS,
    ),
    ("kube-system", "extension-apiserver-authentication-reader"): (
        "R core configmaps extension-apiserver-authentication",
    ),
    ("kube-system", "system::leader-locking-kube-controller-manager"): _leader(
        "kube-controller-manager"
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): _leader("kube-scheduler"),
    ("kube-system", "system:controller:bootstrap-signer"): ("R core secrets",),
    ("kube-system", "system:controller:cloud-provider"): ("create,get,list,watch core configmaps",),
    ("kube-system", "system:controller:token-cleaner"): (
        "delete,get,list,watch core secrets",
        EVENTS,
    ),
}
# namespace and name: the role's name and the subjects
_SIGNER = ("ServiceAccount", "kube-system/bootstrap-signer")
BINDINGS: Final[Mapping[tuple[str, str], tuple[str, _Subjects]]] = {
    ("kube-public", "system:controller:bootstrap-signer"): (
        "system:controller:bootstrap-signer",
        (_SIGNER,),
    ),
    ("kube-system", "system::extension-apiserver-authentication-reader"): (
        "extension-apiserver-authentication-reader",
        (("User", _MANAGER), ("User", _SCHEDULER)),
    ),
    ("kube-system", "system::leader-locking-kube-controller-manager"): (
        "system::leader-locking-kube-controller-manager",
        (("User", _MANAGER), ("ServiceAccount", "kube-system/kube-controller-manager")),
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): (
        "system::leader-locking-kube-scheduler",
        (("User", _SCHEDULER), ("ServiceAccount", "kube-system/kube-scheduler")),
    ),
    ("kube-system", "system:controller:bootstrap-signer"): (
        "system:controller:bootstrap-signer",
        (_SIGNER,),
    ),
    ("kube-system", "system:controller:cloud-provider"): (
        "system:controller:cloud-provider",
        (("ServiceAccount", "kube-system/cloud-provider"),),
    ),
    ("kube-system", "system:controller:token-cleaner"): (
        "system:controller:token-cleaner",
        (("ServiceAccount", "kube-system/token-cleaner"),),
    ),
}


def cluster_roles() -> Iterator[Object]:
    """Yield the cluster roles."""
    for name, rules in CLUSTER_ROLES.items():
        yield {"metadata": _metadata(name), "rules": [policy_rule(rule) for rule in rules]}
    for name, rules in CONTROLLER_ROLES.items():
        metadata = _metadata(f"system:controller:{name}")
        yield {"metadata": metadata, "rules": [policy_rule(rule) for rule in rules]}
    for name in AGGREGATED:
        selector = {"matchLabels": {f"{_AGGREGATE}{name}": "true"}}
        yield {
            "metadata": _metadata(name),
            "aggregationRule": {"clusterRoleSelectors": [selector]},
            "rules": None,
        }


def cluster_role_bindings() -> Iterator[Object]:
    """Yield the cluster role bindings."""
    for name, subjects in CLUSTER_BINDINGS.items():
        yield _binding(_metadata(name), "ClusterRole", name, subjects)


def roles() -> Iterator[Object]:
    """Yield the roles."""
    for (namespace, name), rules in ROLES.items():
        metadata = {**_metadata(name), "namespace": namespace}
        yield {"metadata": metadata, "rules": [policy_rule(rule) for rule in rules]}


def role_bindings() -> Iterator[Object]:
    """Yield the role bindings."""
    for (namespace, name), (role, subjects) in BINDINGS.items():
        yield _binding({**_metadata(name), "namespace": namespace}, "Role", role, subjects)


def policy_rule(text: str) -> Object:
    """A rule of a role, from the notation of `bootstrap_roles`."""
    verbs, *rest = (word.split(",") for word in text.split(" "))
    rule: Object = {"verbs": sorted({verb for word in verbs for verb in _VERBS.get(word, (word,))})}
    if len(rest) == 1:
        return {**rule, "nonResourceURLs": sorted(rest[0])}
    groups = ["" if group == "core" else group for group in rest[0]]
    rule |= {"apiGroups": sorted(groups), "resources": sorted(rest[1])}
    return {**rule, "resourceNames": sorted(rest[2])} if len(rest) == 3 else rule


def _metadata(name: str) -> Object:
    into = _AGGREGATED_INTO.get(name)
    labels = {**_LABELS, **({f"{_AGGREGATE}{into}": "true"} if into else {})}
    return {"name": name, "labels": labels, "annotations": {AUTOUPDATE: "true"}}


def _binding(metadata: Object, kind: str, role: str, subjects: Iterable[tuple[str, str]]) -> Object:
    found = [_subject(kind, name) for kind, name in subjects]
    ref = {"apiGroup": GROUP, "kind": kind, "name": role}
    return {"metadata": metadata, "roleRef": ref, **({"subjects": found} if found else {})}


def _subject(kind: str, name: str) -> Object:
    if kind != "ServiceAccount":
        return {"apiGroup": GROUP, "kind": kind, "name": name}
    namespace, _, account = name.partition("/")
    return {"kind": kind, "name": account, "namespace": namespace}
