"""What roles and bindings come to: the decisions and reasons of RBAC, from objects in memory."""

from collections.abc import Mapping
from typing import Any

import pytest

from control_plane.apiserver.auth.rbac.authorizer import RbacAuthorizer
from control_plane.apiserver.auth.rbac.bindings import Bindings, binding_of
from control_plane.apiserver.auth.rbac.permissions import role_of
from control_plane.apiserver.auth.rules import Attributes
from control_plane.apiserver.auth.user import User, authenticated

JANE = authenticated("jane", ("dev",))
GROUP = "rbac.authorization.k8s.io"


class World:
    """Roles and bindings, and what they decide."""

    def __init__(self) -> None:
        self.bindings = Bindings()
        self.rbac = RbacAuthorizer(self.bindings)

    def role(self, name: str, *rules: Mapping[str, Any], namespace: str = "") -> None:
        self.bindings.set_role((namespace, name), role_of({"rules": list(rules)}))

    def bind(
        self, name: str, role: str, *subjects: Any, namespace: str = "", kind: str = "ClusterRole"
    ) -> None:
        obj = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role},
            "subjects": list(subjects),
        }
        self.bindings.set_binding((namespace, name), binding_of(obj, namespace))

    def allows(self, user: User, verb: str, resource: str, **more: Any) -> bool:
        return self.rbac.decide(user, asked(verb, resource, **more)).allowed


def asked(verb: str, resource: str, **more: Any) -> Attributes:
    plural, _, subresource = resource.partition("/")
    return Attributes(verb, resource=plural, subresource=subresource, **more)


def rule(verbs: str, groups: str, resources: str, *names: str) -> dict[str, list[str]]:
    found = {
        "verbs": verbs.split(","),
        "apiGroups": groups.split(","),
        "resources": resources.split(","),
    }
    return {**found, "resourceNames": list(names)} if names else found


def user(name: str) -> dict[str, str]:
    return {"kind": "User", "name": name}


@pytest.mark.parametrize(
    ("given", "verb", "resource", "more", "allowed"),
    [
        (rule("get", "", "pods"), "get", "pods", {}, True),
        (rule("get", "", "pods"), "list", "pods", {}, False),
        (rule("get", "", "pods"), "get", "pods", {"group": "apps"}, False),
        (rule("get", "", "pods"), "get", "pods/log", {}, False),
        (rule("get", "", "pods/log"), "get", "pods/log", {}, True),
        (rule("get", "", "pods/log"), "get", "pods", {}, False),
        (rule("get", "*", "*/scale"), "get", "deployments/scale", {"group": "apps"}, True),
        (rule("get", "*", "*/scale"), "get", "deployments", {"group": "apps"}, False),
        (rule("get", "*", "*/scale"), "get", "deployments/status", {"group": "apps"}, False),
        (rule("*", "*", "*"), "deletecollection", "x/y", {"group": "z", "name": "n"}, True),
        (rule("get", "", "*"), "get", "pods/log", {}, True),
        (rule("get", "", "secrets", "a"), "get", "secrets", {"name": "a"}, True),
        (rule("get", "", "secrets", "a"), "get", "secrets", {"name": "b"}, False),
        (rule("create", "", "secrets", "a"), "create", "secrets", {}, False),
    ],
)
def test_a_rule_fits(
    given: dict[str, Any], verb: str, resource: str, more: dict[str, str], allowed: bool
) -> None:
    world = World()
    world.role("r", given)
    world.bind("b", "r", user("jane"))
    assert world.allows(JANE, verb, resource, namespace="x", **more) is allowed


@pytest.mark.parametrize(
    ("urls", "path", "allowed"),
    [
        (["/metrics"], "/metrics", True),
        (["/metrics"], "/metrics/slis", False),
        (["/healthz/*"], "/healthz/etcd", True),
        (["/healthz/*"], "/healthz", False),
        (["/health*"], "/healthz", True),
        (["*"], "/anything", True),
    ],
)
def test_a_path_fits(urls: list[str], path: str, allowed: bool) -> None:
    world = World()
    world.role("r", {"verbs": ["get"], "nonResourceURLs": urls})
    world.bind("b", "r", user("jane"))
    assert world.rbac.decide(JANE, Attributes("get", path)).allowed is allowed
    assert not world.rbac.decide(JANE, Attributes("post", path)).allowed


def test_whom_a_binding_means() -> None:
    world = World()
    world.role("r", rule("get", "", "pods"))
    world.bind("users", "r", user("jane"))
    world.bind("groups", "r", {"kind": "Group", "name": "ops"})
    account = {"kind": "ServiceAccount", "name": "robot"}
    world.bind("here", "r", account, namespace="x")
    world.bind("there", "r", {**account, "namespace": "x"}, namespace="y")
    robot = User("system:serviceaccount:x:robot")
    assert world.allows(JANE, "get", "pods")
    assert world.allows(User("joe", ("ops",)), "get", "pods", namespace="z")
    assert not world.allows(User("joe", ("jane",)), "get", "pods")
    assert not world.allows(User("ops"), "get", "pods")
    places = [world.allows(robot, "get", "pods", namespace=place) for place in ("", "x", "y", "z")]
    assert places == [False, True, True, False]


def test_the_reason_names_binding_role_and_subject() -> None:
    world = World()
    world.role("reader", rule("get", "", "pods"))
    world.role("local", rule("list", "", "pods"), namespace="x")
    world.bind("everywhere", "reader", {"kind": "Group", "name": "dev"})
    world.bind("here", "local", user("jane"), namespace="x", kind="Role")
    account = {"kind": "ServiceAccount", "name": "robot"}
    world.bind("robots", "reader", account, namespace="x")

    def reason(who: User, verb: str) -> str:
        return world.rbac.decide(who, asked(verb, "pods", namespace="x")).reason

    assert reason(JANE, "get") == (
        'RBAC: allowed by ClusterRoleBinding "everywhere" of ClusterRole "reader" to Group "dev"'
    )
    assert reason(JANE, "list") == (
        'RBAC: allowed by RoleBinding "here/x" of Role "local" to User "jane"'
    )
    assert reason(User("system:serviceaccount:x:robot"), "get") == (
        'RBAC: allowed by RoleBinding "robots/x" of ClusterRole "reader" '
        'to ServiceAccount "robot/x"'
    )


def test_a_role_that_is_missing_is_told() -> None:
    world = World()
    world.bind("b", "gone", user("jane"))
    world.bind("c", "lost", user("jane"), namespace="x", kind="Role")
    decision = world.rbac.decide(JANE, asked("get", "pods", namespace="x"))
    assert (decision.allowed, decision.denied) == (False, False)
    assert decision.reason == (
        'RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, '
        'role.rbac.authorization.k8s.io "lost" not found]'
    )
    world.role("gone", rule("get", "", "pods"))
    assert world.allows(JANE, "get", "pods", namespace="x")


def test_changes_are_in_force_at_once() -> None:
    world = World()
    world.role("r", rule("get", "", "pods"))
    world.bind("b", "r", user("jane"))
    assert world.allows(JANE, "get", "pods")
    world.role("r", rule("list", "", "pods"))
    assert not world.allows(JANE, "get", "pods")
    world.bind("b", "r", user("joe"))
    assert not world.allows(JANE, "list", "pods")
    assert world.allows(User("joe"), "list", "pods")
    world.bindings.set_binding(("", "b"), None)
    assert not world.allows(User("joe"), "list", "pods")


def test_rules_of_a_user() -> None:
    world = World()
    world.role("r", rule("get", "", "pods"), {"verbs": ["get"], "nonResourceURLs": ["/x"]})
    world.role("l", rule("list", "", "pods"), namespace="x")
    world.bind("b", "r", user("jane"))
    world.bind("b", "l", user("jane"), namespace="x", kind="Role")
    rules = world.rbac.rules_of(JANE, "x")
    assert [one.document() for one in rules.resources] == [
        rule("get", "", "pods"),
        rule("list", "", "pods"),
    ]
    assert [one.document() for one in rules.paths] == [
        {"verbs": ["get"], "nonResourceURLs": ["/x"]}
    ]
    assert not rules.incomplete
    assert len(world.rbac.rules_of(JANE, "y").resources) == 1
