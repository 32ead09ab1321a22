"""Every verb on every resource for everybody: no answer differs from what the bootstrap roles say.

What is expected is read off the roles' own text by a few loops that share nothing with the
authorizer's tables; for nodes, the part of system:node that concerns other nodes is taken away.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from control_plane.api.resources import RESOURCES
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.auth.node.authorizer import RULES, NodeAuthorizer
from control_plane.apiserver.auth.node.graph import NodeGraph
from control_plane.apiserver.auth.rbac import bootstrap_policy as policy
from control_plane.apiserver.auth.rbac.authorizer import RbacAuthorizer
from control_plane.apiserver.auth.rbac.bindings import Bindings, binding_of
from control_plane.apiserver.auth.rbac.controller_roles import CONTROLLER_ROLES
from control_plane.apiserver.auth.rbac.permissions import role_of
from control_plane.apiserver.auth.rules import Attributes
from control_plane.apiserver.auth.user import ANONYMOUS, User, authenticated
from control_plane.controllers.accounts import account_of
from control_plane.controllers.role_aggregation import aggregated_rules
from control_plane.controllers.table import CONTROLLERS

Object = dict[str, Any]
NAMESPACES = ("", "team", "kube-system")
VERBS = (
    "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection",
    "bind", "escalate", "impersonate", "approve", "sign", "proxy", "use",
)  # fmt: skip
PATHS = ("/", "/api", "/api/v1", "/apis/apps/v1", "/healthz", "/livez/ping", "/metrics", "/version",
         "/openapi/v2", "/.well-known/openid-configuration", "/logs", "/configz")  # fmt: skip


def account(namespace: str, name: str) -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return authenticated(f"system:serviceaccount:{namespace}:{name}", groups)


PEOPLE = {
    "anonymous": ANONYMOUS,
    "somebody": authenticated("somebody", ()),
    "administrator": authenticated("kubernetes-admin", ("system:masters",)),
    "namespace admin": authenticated("alice", ()),
    "editor": authenticated("ed", ()),
    "viewer": authenticated("vi", ("auditors",)),
    "service account": account("team", "default"),
    "scheduler": authenticated("system:kube-scheduler", ()),
    "controller manager": authenticated("system:kube-controller-manager", ()),
    "proxy": authenticated("system:kube-proxy", ()),
    "monitoring": authenticated("probe", ("system:monitoring",)),
    "node": authenticated("system:node:n1", ("system:nodes",)),
    "other node": authenticated("system:node:n2", ("system:nodes",)),
    **{
        f"controller {name}": account("kube-system", account_of(name))
        for name in CONTROLLERS
        if account_of(name)
    },
}
TEAM_BINDINGS = [
    ("admin", {"kind": "User", "name": "alice"}),
    ("edit", {"kind": "User", "name": "ed"}),
    ("view", {"kind": "Group", "name": "auditors"}),
]
POD: Object = {
    "metadata": {"name": "p", "namespace": "team"},
    "spec": {"nodeName": "n1", "serviceAccountName": "x", "imagePullSecrets": [{"name": "x"}]},
}


def cluster_roles() -> dict[str, Object]:
    """All cluster roles by name, aggregated as the controller does it: view before edit, admin."""
    roles = {role["metadata"]["name"]: role for role in policy.cluster_roles()}
    for name in ("view", "edit", "admin"):
        roles[name]["rules"] = aggregated_rules(roles[name], roles.values())
    return roles


def all_bindings() -> Iterator[tuple[str, Object]]:
    """Every binding with its namespace."""
    for binding in policy.cluster_role_bindings():
        yield "", binding
    for binding in policy.role_bindings():
        yield binding["metadata"]["namespace"], binding
    for role, subject in TEAM_BINDINGS:
        ref = {"kind": "ClusterRole", "name": role}
        yield "team", {"metadata": {"name": role}, "roleRef": ref, "subjects": [subject]}


@pytest.fixture(scope="module")
def authorizer() -> Authorizer:
    bindings, graph = Bindings(), NodeGraph()
    for name, role in cluster_roles().items():
        bindings.set_role(("", name), role_of(role))
    for role in policy.roles():
        metadata = role["metadata"]
        bindings.set_role((metadata["namespace"], metadata["name"]), role_of(role))
    for namespace, binding in all_bindings():
        place = (namespace, binding["metadata"]["name"])
        bindings.set_binding(place, binding_of(binding, namespace))
    graph.set_pod(("team", "p"), POD)
    rbac = RbacAuthorizer(bindings)
    return Authorizer(rbac, (NodeAuthorizer(graph), rbac))


class Expected:
    """What the roles' text says of one user."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.rules = {place: list(self._rules(place)) for place in NAMESPACES}
        self.node_rules = next(
            role["rules"] for role in policy.cluster_roles()
            if role["metadata"]["name"] == "system:node"
        )  # fmt: skip

    def _rules(self, namespace: str) -> Iterator[Object]:
        shared = cluster_roles()
        local = {(r["metadata"]["namespace"], r["metadata"]["name"]): r for r in policy.roles()}
        for place, binding in all_bindings():
            if place not in ("", namespace) or not self._is_subject(binding):
                continue
            ref = binding["roleRef"]
            found = shared if ref["kind"] == "ClusterRole" else local
            key: Any = ref["name"] if ref["kind"] == "ClusterRole" else (place, ref["name"])
            yield from found[key]["rules"]

    def _is_subject(self, binding: Object) -> bool:
        for subject in binding.get("subjects") or ():
            name = subject["name"]
            if subject["kind"] == "ServiceAccount":
                name = f"system:serviceaccount:{subject['namespace']}:{name}"
            held = self.user.groups if subject["kind"] == "Group" else (self.user.name,)
            if name in held:
                return True
        return False

    def may(self, asked: Attributes) -> bool:
        if "system:masters" in self.user.groups:
            return True
        if allows(self.rules[asked.namespace], asked):
            return True
        if "system:nodes" not in self.user.groups:
            return False
        if (asked.resource, asked.verb) == ("resourceslices", "create"):
            return True  # of its own devices, which admission sees to
        return allows(self.node_rules, asked) and self._concerns_node(asked)

    def _concerns_node(self, asked: Attributes) -> bool:
        """What is left of system:node; in this matrix every object is called x."""
        if (asked.group, asked.resource) not in RULES:
            return True
        related = self.user.name.endswith("n1") and asked.namespace == "team" and asked.name == "x"
        if asked.resource in ("secrets", "serviceaccounts"):
            return related
        if asked.resource == "pods":
            return asked.verb in ("create", "delete", "update", "patch")
        if asked.resource == "nodes":
            return asked.verb in ("create", "update", "patch")
        return (asked.resource, asked.verb, asked.subresource) == ("csinodes", "create", "")


def allows(rules: Iterable[Object], asked: Attributes) -> bool:
    def has(values: Any, *wanted: str) -> bool:
        return "*" in (values or ()) or any(value in (values or ()) for value in wanted)

    for rule in rules:
        if not has(rule["verbs"], asked.verb):
            continue
        if not asked.resource:
            paths = rule.get("nonResourceURLs") or ()
            if any(
                asked.path == p or (p.endswith("*") and asked.path.startswith(p[:-1]))
                for p in paths
            ):
                return True
            continue
        whole = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
        wanted = (whole, f"*/{asked.subresource}") if asked.subresource else (whole,)
        names = rule.get("resourceNames")
        if (
            has(rule.get("apiGroups"), asked.group)
            and has(rule.get("resources"), *wanted)
            and (not names or asked.name in names)
        ):
            return True
    return False


def questions() -> Iterator[Attributes]:
    """Every verb on every resource and subresource, of the cluster and of two namespaces."""
    named = {"list", "watch", "deletecollection", "create"}
    for row in RESOURCES:
        for subresource in ("", *(one.name for one in row.subresources)):
            for verb in VERBS:
                name = "x" if subresource or verb not in named else ""
                for place in NAMESPACES if row.namespaced else ("",):
                    yield Attributes(verb, "", row.group, row.plural, subresource, place, name)
    for path in PATHS:
        for verb in ("get", "head", "post"):
            yield Attributes(verb, path)


@pytest.mark.parametrize("who", PEOPLE)
def test_no_cell_differs(authorizer: Authorizer, who: str) -> None:
    user, cells = PEOPLE[who], 0
    expected = Expected(user)
    differing = []
    for asked in questions():
        cells += 1
        if authorizer.decide(user, asked).allowed != expected.may(asked):
            differing.append(asked)
    assert cells > 3000
    assert differing == []


def test_every_controller_has_a_role() -> None:
    accounts = {account_of(name) for name in CONTROLLERS} - {""}
    everywhere = set(CONTROLLER_ROLES)
    somewhere = {who for _, subjects in policy.BINDINGS.values() for _, who in subjects}
    assert {who for who in accounts - everywhere if f"kube-system/{who}" not in somewhere} == set()
