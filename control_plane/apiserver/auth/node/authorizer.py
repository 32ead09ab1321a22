"""The node authorizer: a node may do what its pods need, and what the role system:node says else.

RULES has a row for each resource of which a node may see a part only. A decision is never a denial:
roles may still allow. Source: the node authorizer of Kubernetes v1.35.
"""

from collections.abc import Callable, Mapping

from control_plane.apiserver.auth.decision import ALLOWED, NO_OPINION, Decision
from control_plane.apiserver.auth.node.graph import NodeGraph
from control_plane.apiserver.auth.node.identity import node_of
from control_plane.apiserver.auth.rbac.bootstrap_policy import policy_rule
from control_plane.apiserver.auth.rbac.bootstrap_roles import CLUSTER_ROLES
from control_plane.apiserver.auth.rbac.permissions import Permissions, question_of, role_of
from control_plane.apiserver.auth.rules import Attributes, Rules
from control_plane.apiserver.auth.user import User

LEASE_NAMESPACE = "kube-node-lease"
_OWN = ("get", "create", "update", "patch", "delete")
_READING = ("get", "list", "watch")
_OF_MANY = ("list", "watch", "deletecollection")
_NODE_FIELD = "spec.nodeName"

Rule = Callable[[NodeGraph, str, Attributes], Decision]


class NodeAuthorizer:
    """Decides by a graph that somebody keeps current."""

    def __init__(self, graph: NodeGraph) -> None:
        """Take the rules of the role system:node, whatever becomes of the object."""
        self._graph = graph
        rules = [policy_rule(rule) for rule in CLUSTER_ROLES["system:node"]]
        self._static = Permissions()
        self._static.add(role_of({"rules": rules}), "node")

    def decide(self, user: User, asked: Attributes) -> Decision:
        """Say whether the user is a node that may."""
        node = node_of(user)
        if node is None:
            return NO_OPINION
        if not node:
            return _no(f'unknown node for user "{user.name}"')
        rule = RULES.get((asked.group, asked.resource))
        if rule is not None:
            return rule(self._graph, node, asked)
        return ALLOWED if self._static.reason(question_of(asked)) else NO_OPINION

    def rules_of(self, user: User, namespace: str) -> Rules:
        """Rules cannot say what depends on pods."""
        del namespace
        if node_of(user) is None:
            return Rules()
        text = "node authorizer does not support user rule resolution"
        return Rules(incomplete=True, error=text)


def _no(reason: str) -> Decision:
    return Decision(allowed=False, reason=reason)


def _related(graph: NodeGraph, node: str, asked: Attributes) -> Decision:
    if not asked.name:
        return _no("No Object name found")
    if graph.is_related(node, (asked.resource, asked.namespace, asked.name)):
        return ALLOWED
    return _no(f"no relationship found between node '{node}' and this object")


def _read_named(graph: NodeGraph, node: str, asked: Attributes) -> Decision:
    if asked.verb not in _READING:
        return _no("can only read resources of this type")
    if asked.subresource:
        return _no("cannot read subresource")
    if not asked.namespace:
        return _no("can only read namespaced object of this type")
    return _related(graph, node, asked)


def _get(graph: NodeGraph, node: str, asked: Attributes) -> Decision:
    if asked.verb != "get":
        return _no("can only get individual resources of this type")
    if asked.subresource:
        return _no("cannot get subresource")
    return _related(graph, node, asked)


def _claim(graph: NodeGraph, node: str, asked: Attributes) -> Decision:
    if asked.subresource != "status":
        return _get(graph, node, asked)
    if asked.verb not in ("get", "update", "patch"):
        return _no("can only get/update/patch this type")
    return _related(graph, node, asked)


def _account(graph: NodeGraph, node: str, asked: Attributes) -> Decision:
    if asked.verb == "get" and not asked.subresource:
        return _related(graph, node, asked)
    if asked.verb != "create" or not asked.name:
        return _no("can only create tokens for individual service accounts")
    if asked.subresource != "token":
        return _no("can only create token subresource of serviceaccount")
    return _related(graph, node, asked)


def _lease(graph: NodeGraph, node: str, asked: Attributes) -> Decision:
    del graph
    if asked.verb not in _OWN:
        return _no("can only get, create, update, patch, or delete a node lease")
    if asked.namespace != LEASE_NAMESPACE:
        return _no(f'can only access leases in the "{LEASE_NAMESPACE}" system namespace')
    if asked.name != node and (asked.name or asked.verb != "create"):
        return _no("can only access node lease with the same name as the requesting node")
    return ALLOWED


def _csi_node(graph: NodeGraph, node: str, asked: Attributes) -> Decision:
    del graph
    if asked.subresource:
        return _no("cannot authorize CSINode subresources")
    if asked.verb not in _OWN:
        return _no("can only get, create, update, patch, or delete a CSINode")
    if asked.name != node and (asked.name or asked.verb != "create"):
        return _no("can only access CSINode with the same name as the requesting node")
    return ALLOWED


def _slice(graph: NodeGraph, node: str, asked: Attributes) -> Decision:
    if asked.subresource:
        return _no("cannot authorize ResourceSlice subresources")
    if asked.verb == "create":
        return ALLOWED  # admission looks at the slice's node
    if asked.verb in _OWN:
        return _related(graph, node, asked)
    if asked.verb not in _OF_MANY:
        return _no(
            "only the following verbs are allowed for a ResourceSlice: "
            "get, watch, list, create, update, patch, delete, deletecollection"
        )
    if (_NODE_FIELD, node) in asked.selected:
        return ALLOWED
    return _no("can only list/watch/deletecollection resourceslices with nodeName field selector")


def _node(graph: NodeGraph, node: str, asked: Attributes) -> Decision:
    del graph
    if asked.subresource:
        writes_status = asked.subresource == "status" and asked.verb in ("update", "patch")
        return ALLOWED if writes_status else NO_OPINION
    if asked.verb in ("create", "update", "patch"):
        return ALLOWED  # admission looks at which node
    if asked.verb not in _READING:
        return NO_OPINION
    if asked.name == node:
        return ALLOWED
    if not asked.name:
        return _no(f"node '{node}' cannot read all nodes, only its own Node object")
    return _no(f"node '{node}' cannot read '{asked.name}', only its own Node object")


def _pod(graph: NodeGraph, node: str, asked: Attributes) -> Decision:
    if asked.subresource:
        return ALLOWED if (asked.subresource, asked.verb) in _POD_WRITES else NO_OPINION
    if asked.verb in ("create", "delete"):
        return ALLOWED  # admission looks at which pod
    if asked.verb == "get":
        return _related(graph, node, asked)
    if asked.verb not in _READING:
        return NO_OPINION
    if (_NODE_FIELD, node) in asked.selected:
        return ALLOWED
    if asked.name:
        return _related(graph, node, asked)
    return _no("can only list/watch pods with spec.nodeName field selector")


_POD_WRITES = frozenset({("status", "update"), ("status", "patch"), ("eviction", "create")})

RULES: Mapping[tuple[str, str], Rule] = {
    ("", "configmaps"): _read_named,
    ("", "nodes"): _node,
    ("", "persistentvolumeclaims"): _claim,
    ("", "persistentvolumes"): _get,
    ("", "pods"): _pod,
    ("", "secrets"): _read_named,
    ("", "serviceaccounts"): _account,
    ("coordination.k8s.io", "leases"): _lease,
    ("resource.k8s.io", "resourceclaims"): _get,
    ("resource.k8s.io", "resourceslices"): _slice,
    ("storage.k8s.io", "csinodes"): _csi_node,
    ("storage.k8s.io", "volumeattachments"): _get,
}
