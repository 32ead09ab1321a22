"""Which FlowSchema a request belongs to, and which flow of it."""

import copy
from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.flow_bootstrap import (
    MANDATORY_LEVELS,
    MANDATORY_SCHEMAS,
    SUGGESTED_LEVELS,
    SUGGESTED_SCHEMAS,
    bootstrap_objects,
)
from control_plane.api.resources import FLOWSCHEMAS
from control_plane.apiserver.auth.authz import Attributes
from control_plane.apiserver.auth.user import ANONYMOUS, User, authenticated
from control_plane.apiserver.flow_control.classification import (
    USERS,
    Classifier,
    compiled,
    in_order,
)
from control_plane.apiserver.flow_control.configuration import configuration_of

Object = dict[str, Any]

SCHEMAS = [*bootstrap_objects(MANDATORY_SCHEMAS), *bootstrap_objects(SUGGESTED_SCHEMAS)]
LEVELS = [*bootstrap_objects(MANDATORY_LEVELS), *bootstrap_objects(SUGGESTED_LEVELS)]


def account(namespace: str) -> User:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return authenticated(f"system:serviceaccount:{namespace}:a", groups)


ADMIN = authenticated("kubernetes-admin", ("system:masters",))
NODE = authenticated("system:node:n", ("system:nodes",))
SCHEDULER = authenticated("system:kube-scheduler", ())
PERSON = authenticated("jane", ("developers",))


def on(verb: str, resource: str, namespace: str = "", group: str = "") -> Attributes:
    plural, _, subresource = resource.partition("/")
    return Attributes(verb, "", group, plural, subresource, namespace)


def at(path: str, verb: str = "get") -> Attributes:
    return Attributes(verb, path)


LEASE = on("update", "leases", "kube-node-lease", "coordination.k8s.io")


@pytest.mark.parametrize(
    ("user", "asked", "schema"),
    [
        (ADMIN, on("delete", "pods", "default"), "exempt"),
        (ADMIN, at("/version"), "exempt"),
        (ANONYMOUS, at("/readyz"), "probes"),
        (PERSON, at("/livez/etcd"), "probes"),
        (PERSON, at("/livez", "post"), "global-default"),
        (ANONYMOUS, at("/version"), "global-default"),
        (SCHEDULER, on("update", "leases", "kube-system", "coordination.k8s.io"),
         "system-leader-election"),
        (SCHEDULER, on("list", "leases", "", "coordination.k8s.io"), "kube-scheduler"),
        (SCHEDULER, on("list", "pods"), "kube-scheduler"),
        (NODE, LEASE, "system-node-high"),
        (NODE, on("patch", "nodes/status"), "system-node-high"),
        (NODE, on("list", "pods"), "system-nodes"),
        (account("kube-system"), on("list", "pods"), "kube-system-service-accounts"),
        (account("kube-system"), LEASE, "system-leader-election"),
        (account("kube-systems"), on("list", "pods"), "service-accounts"),
        (account("default"), LEASE, "service-accounts"),
        (PERSON, on("list", "pods"), "global-default"),
        (User("nobody", ()), on("list", "pods"), "catch-all"),
    ],
)  # fmt: skip
def test_the_schemas_that_every_cluster_has(user: User, asked: Attributes, schema: str) -> None:
    classifier = Classifier(configuration_of(SCHEMAS, LEVELS).schemas)
    assert classifier.classify(user, asked).name == schema


def schema(name: str, precedence: Any = 100, subjects: Any = None, **rules: Any) -> Object:
    everybody = [{"kind": "Group", "group": {"name": "*"}}]
    rule = {"subjects": subjects or everybody, **rules}
    obj: Object = {
        "metadata": {"name": name, "uid": f"uid-{name}"},
        "spec": {
            "matchingPrecedence": precedence,
            "priorityLevelConfiguration": {"name": "global-default"},
            "rules": [rule],
        },
    }
    return copy.deepcopy(obj)


def pods(**fields: Any) -> Object:
    rule = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], **fields}
    return {"resourceRules": [rule]}


@pytest.mark.parametrize(
    ("rule", "asked", "takes"),
    [
        (pods(), on("get", "pods", "a"), True),
        (pods(), on("get", "nodes"), False),
        (pods(clusterScope=True), on("get", "nodes"), True),
        (pods(namespaces=["b"]), on("get", "pods", "a"), False),
        (pods(namespaces=[], clusterScope=True), on("get", "pods", "a"), False),
        (pods(verbs=["list"]), on("get", "pods", "a"), False),
        (pods(apiGroups=["apps"]), on("get", "pods", "a"), False),
        (pods(resources=["pods"]), on("get", "pods/log", "a"), False),
        (pods(resources=["pods/log"]), on("get", "pods/log", "a"), True),
        (pods(), at("/version"), False),
    ],
)
def test_rules_on_resources(rule: Object, asked: Attributes, takes: bool) -> None:
    objects = [*SCHEMAS, schema("mine", **rule)]
    classifier = Classifier(configuration_of(objects, LEVELS).schemas)
    assert (classifier.classify(PERSON, asked).name == "mine") == takes


@pytest.mark.parametrize(
    ("url", "path", "takes"),
    [
        ("*", "/anything", True),
        ("/a", "/a", True),
        ("/a", "/a/b", True),
        ("/a", "/ab", False),
        ("/a/*", "/a/b/c", True),
        ("/a/*", "/a", False),
        ("/", "/a", True),
    ],
)
def test_rules_on_other_paths(url: str, path: str, takes: bool) -> None:
    rule = {"nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": [url]}]}
    objects = [*SCHEMAS, schema("mine", **rule)]
    classifier = Classifier(configuration_of(objects, LEVELS).schemas)
    assert (classifier.classify(PERSON, at(path)).name == "mine") == takes


@pytest.mark.parametrize(
    ("subject", "user", "concerns"),
    [
        ({"kind": "User", "user": {"name": "jane"}}, PERSON, True),
        ({"kind": "User", "user": {"name": "*"}}, ANONYMOUS, True),
        ({"kind": "User", "user": {"name": "joe"}}, PERSON, False),
        ({"kind": "Group", "group": {"name": "developers"}}, PERSON, True),
        ({"kind": "Group", "group": {"name": "system:nodes"}}, PERSON, False),
        ({"kind": "ServiceAccount", "serviceAccount": {"namespace": "n", "name": "a"}},
         account("n"), True),
        ({"kind": "ServiceAccount", "serviceAccount": {"namespace": "n", "name": "b"}},
         account("n"), False),
        ({"kind": "ServiceAccount", "serviceAccount": {"namespace": "n", "name": "*"}},
         account("n"), True),
    ],
)  # fmt: skip
def test_subjects(subject: Object, user: User, concerns: bool) -> None:
    objects = [*SCHEMAS, schema("mine", subjects=[subject], **pods())]
    classifier = Classifier(configuration_of(objects, LEVELS).schemas)
    assert (classifier.classify(user, on("get", "pods", "a")).name == "mine") == concerns


def test_precedence_then_name_decide() -> None:
    objects = [schema("b", 5, **pods()), schema("a", 6, **pods()), schema("c", 5, **pods())]
    assert [found.name for found in in_order(map(compiled, objects))] == ["b", "c", "a"]


@pytest.mark.parametrize(("method", "flow"), [("ByUser", "jane"), ("ByNamespace", "a"), ("", "")])
def test_what_tells_flows_apart(method: str, flow: str) -> None:
    obj = schema("mine", **pods())
    if method:
        obj["spec"]["distinguisherMethod"] = {"type": method}
    assert compiled(obj).distinguisher(PERSON, on("get", "pods", "a")) == flow


def test_schemas_of_missing_levels_are_not_used() -> None:
    lost = schema("lost", **pods())
    lost["spec"]["priorityLevelConfiguration"]["name"] = "gone"
    configuration = configuration_of([*SCHEMAS, lost], LEVELS)
    assert configuration.missing["lost"]
    assert not configuration.missing["global-default"]
    assert "lost" not in [found.name for found in configuration.schemas]


def test_what_is_mandatory_is_supplied() -> None:
    configuration = configuration_of((), ())
    assert [found.name for found in configuration.schemas] == ["exempt", "catch-all"]
    assert [level.name for level in configuration.levels] == ["exempt", "catch-all"]
    assert configuration.missing == {}


def test_objects_that_make_no_sense_are_left_out() -> None:
    broken = {"metadata": {"name": "broken"}, "spec": {"rules": 5}}
    configuration = configuration_of([broken], [{"metadata": {"name": "broken"}, "spec": None}])
    assert len(configuration.schemas) == len(configuration.levels) == 2


def test_users_are_remembered_within_bounds() -> None:
    classifier = Classifier(configuration_of(SCHEMAS, LEVELS).schemas)
    for number in range(USERS + 5):
        user = authenticated(f"user-{number}", ())
        assert classifier.classify(user, at("/version")).name == "global-default"
    assert len(classifier._of_user) <= USERS


def test_defaults_are_enough_to_be_compiled() -> None:
    obj: Object = {
        "metadata": {"name": "least"},
        "spec": {"priorityLevelConfiguration": {"name": "x"}},
    }
    apply_defaults(FLOWSCHEMAS, obj)
    assert compiled(obj).precedence == 1000
