"""The FlowSchemas and PriorityLevelConfigurations that every cluster has from the start.

The mandatory ones keep the API usable whatever else is configured: their specs are fixed, which
validation checks. The suggested ones are an administrator's to change. Called by validation, and by
the API server, which makes and keeps them. Pure data. Source: the bootstrap objects of Kubernetes
v1.35.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from control_plane.api.objects import Object

AUTOUPDATE: Final = "apf.kubernetes.io/autoupdate-spec"
EXEMPT: Final = "exempt"
CATCH_ALL: Final = "catch-all"

_EVERYTHING: Final[Object] = {
    "resourceRules": [
        {
            "verbs": ["*"],
            "apiGroups": ["*"],
            "resources": ["*"],
            "clusterScope": True,
            "namespaces": ["*"],
        }
    ],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
}
_PROBES: Final[Object] = {
    "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}]
}
_LEASES: Final[Object] = {
    "apiGroups": ["coordination.k8s.io"],
    "resources": ["leases"],
    "namespaces": ["*"],
}
_LEADER_ELECTION: Final[Object] = {
    "resourceRules": [{"verbs": ["get", "create", "update"], **_LEASES}]
}
_NODE_HEARTBEATS: Final[Object] = {
    "resourceRules": [
        {
            "verbs": ["*"],
            "apiGroups": [""],
            "resources": ["nodes", "nodes/status"],
            "clusterScope": True,
            "namespaces": ["*"],
        },
        {"verbs": ["*"], **_LEASES},
    ]
}


def _user(name: str) -> Object:
    return {"kind": "User", "user": {"name": name}}


def _group(name: str) -> Object:
    return {"kind": "Group", "group": {"name": name}}


def _accounts(namespace: str) -> Object:
    account = {"namespace": namespace, "name": "*"}
    return {"kind": "ServiceAccount", "serviceAccount": account}


def _schema(precedence: int, level: str, method: str, rules: Object, *subjects: Object) -> Object:
    """A FlowSchema's spec; `method` is "" where all requests are one flow."""
    distinguisher = {"distinguisherMethod": {"type": method}} if method else {}
    return {
        "priorityLevelConfiguration": {"name": level},
        "matchingPrecedence": precedence,
        **distinguisher,
        "rules": [{"subjects": list(subjects), **rules}],
    }


def _limited(shares: int, lendable: int, queues: int, hand: int, length: int) -> Object:
    """A spec with queues; 0 `queues` is one that rejects."""
    response: Object = {"type": "Reject"}
    if queues:
        queuing = {"queues": queues, "handSize": hand, "queueLengthLimit": length}
        response = {"type": "Queue", "queuing": queuing}
    limited = {
        "nominalConcurrencyShares": shares,
        "limitResponse": response,
        "lendablePercent": lendable,
    }
    return {"type": "Limited", "limited": limited}


_MASTERS: Final = _group("system:masters")
_NODES: Final = _group("system:nodes")
_EVERYBODY: Final = (_group("system:unauthenticated"), _group("system:authenticated"))
_MANAGER: Final = _user("system:kube-controller-manager")
_SCHEDULER: Final = _user("system:kube-scheduler")
_SYSTEM: Final = _accounts("kube-system")
_ACCOUNTS: Final = _group("system:serviceaccounts")

MANDATORY_LEVELS: Final[Mapping[str, Object]] = {
    EXEMPT: {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}},
    CATCH_ALL: _limited(5, 0, 0, 0, 0),
}
SUGGESTED_LEVELS: Final[Mapping[str, Object]] = {
    "system": _limited(30, 33, 64, 6, 50),
    "node-high": _limited(40, 25, 64, 6, 50),
    "leader-election": _limited(10, 0, 16, 4, 50),
    "workload-high": _limited(40, 50, 128, 6, 50),
    "workload-low": _limited(100, 90, 128, 6, 50),
    "global-default": _limited(20, 50, 128, 6, 50),
}
MANDATORY_SCHEMAS: Final[Mapping[str, Object]] = {
    EXEMPT: _schema(1, EXEMPT, "", _EVERYTHING, _MASTERS),
    CATCH_ALL: _schema(10000, CATCH_ALL, "ByUser", _EVERYTHING, *_EVERYBODY),
}
# by name: precedence, level, what tells flows apart, rules, subjects
SUGGESTED_SCHEMAS: Final[Mapping[str, Object]] = {
    "probes": _schema(2, EXEMPT, "", _PROBES, *_EVERYBODY),
    "system-leader-election": _schema(
        100, "leader-election", "ByUser", _LEADER_ELECTION, _MANAGER, _SCHEDULER, _SYSTEM
    ),
    "system-node-high": _schema(400, "node-high", "ByUser", _NODE_HEARTBEATS, _NODES),
    "system-nodes": _schema(500, "system", "ByUser", _EVERYTHING, _NODES),
    "kube-controller-manager": _schema(800, "workload-high", "ByNamespace", _EVERYTHING, _MANAGER),
    "kube-scheduler": _schema(800, "workload-high", "ByNamespace", _EVERYTHING, _SCHEDULER),
    "kube-system-service-accounts": _schema(
        900, "workload-high", "ByNamespace", _EVERYTHING, _SYSTEM
    ),
    "service-accounts": _schema(9000, "workload-low", "ByUser", _EVERYTHING, _ACCOUNTS),
    "global-default": _schema(9900, "global-default", "ByUser", _EVERYTHING, *_EVERYBODY),
}


def bootstrap_objects(specs: Mapping[str, Object]) -> Iterable[Object]:
    """Yield new objects of one of the tables above, as the API server makes them."""
    for name, spec in specs.items():
        yield {"metadata": {"name": name, "annotations": {AUTOUPDATE: "true"}}, "spec": spec}
