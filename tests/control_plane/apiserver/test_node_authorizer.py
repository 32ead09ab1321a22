"""What the node authorizer says, of a graph that objects are put into and taken out of again."""

from typing import Any

import pytest

from control_plane.apiserver.auth.node.authorizer import NodeAuthorizer
from control_plane.apiserver.auth.node.graph import NodeGraph
from control_plane.apiserver.auth.rules import Attributes
from control_plane.apiserver.auth.user import User
from tests.control_plane.apiserver.objects import pod

Object = dict[str, Any]
NODE = User("system:node:n1", ("system:nodes", "system:authenticated"))
OTHER = User("system:node:n2", ("system:nodes", "system:authenticated"))
NONE = "no relationship found between node 'n1' and this object"


def referring_pod() -> Object:
    """A pod on n1 that refers to something of each kind."""
    made = pod("p", "n1")
    made["spec"] |= {
        "serviceAccountName": "robot",
        "imagePullSecrets": [{"name": "pull"}],
        "resourceClaims": [{"name": "gpu", "resourceClaimName": "claim"}],
        "volumes": [
            {"name": "a", "secret": {"secretName": "volume"}},
            {"name": "b", "configMap": {"name": "settings"}},
            {"name": "c", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "d", "ephemeral": {"volumeClaimTemplate": {}}},
            {"name": "e", "projected": {"sources": [{"secret": {"name": "projected"}}]}},
            {"name": "f", "csi": {"driver": "x", "nodePublishSecretRef": {"name": "csi"}}},
        ],
    }
    made["spec"]["containers"][0] |= {
        "envFrom": [{"configMapRef": {"name": "all"}}, {"secretRef": {"name": "from"}}],
        "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "key", "key": "k"}}}],
    }
    made["status"] = {"resourceClaimStatuses": [{"name": "b", "resourceClaimName": "made"}]}
    return made


def volume(claim: str) -> Object:
    csi = {
        "nodeStageSecretRef": {"name": "stage", "namespace": "storage"},
        "controllerPublishSecretRef": {"name": "publish", "namespace": "storage"},
    }
    return {"spec": {"csi": csi, "claimRef": {"namespace": "ns", "name": claim}}}


@pytest.fixture
def graph() -> NodeGraph:
    graph = NodeGraph()
    graph.set_pod(("ns", "p"), referring_pod())
    graph.set_volume("pv", volume("data"))
    graph.set_on_node(("volumeattachments", "", "va"), {"spec": {"nodeName": "n1"}})
    graph.set_on_node(("resourceslices", "", "rs"), {"spec": {"nodeName": "n1"}})
    return graph


def asked(text: str) -> Attributes:
    """What "VERB RESOURCE[.GROUP][/SUBRESOURCE] [NAMESPACE/]NAME [FIELD=VALUE]" asks."""
    verb, what, *rest = text.split()
    resource, _, subresource = what.partition("/")
    resource, _, group = resource.partition(".")
    namespace, _, name = (rest[0] if rest else "").rpartition("/")
    selected = tuple(tuple(pair.split("=", 1)) for pair in rest[1:])
    return Attributes(
        verb,
        "",
        group,
        resource,
        subresource,
        namespace,
        name.strip("-"),
        selected,  # type: ignore[arg-type]
    )


RELATED = [
    *(f"get secrets ns/{name}" for name in ("pull", "volume", "projected", "csi", "from", "key")),
    "list secrets ns/pull",
    "watch configmaps ns/settings",
    "get configmaps ns/all",
    "get secrets storage/stage",
    "get persistentvolumeclaims ns/data",
    "patch persistentvolumeclaims/status ns/data",
    "get persistentvolumeclaims ns/p-d",
    "get persistentvolumes pv",
    "get resourceclaims.resource.k8s.io ns/claim",
    "get resourceclaims.resource.k8s.io ns/made",
    "get volumeattachments.storage.k8s.io va",
    "get resourceslices.resource.k8s.io rs",
    "create serviceaccounts/token ns/robot",
    "get serviceaccounts ns/robot",
    "get pods ns/p",
]
OWN = [
    "list pods - spec.nodeName=n1",
    "list resourceslices.resource.k8s.io - spec.nodeName=n1",
    "get nodes n1",
    "update leases.coordination.k8s.io kube-node-lease/n1",
    "get csinodes.storage.k8s.io n1",
]
STATIC = [
    "create nodes -",
    "patch nodes/status n1",
    "create leases.coordination.k8s.io kube-node-lease/-",
    "create pods ns/-",
    "delete pods ns/any",
    "patch pods/status ns/any",
    "create pods/eviction ns/any",
    "list services -",
    "create events ns/-",
    "create tokenreviews.authentication.k8s.io -",
    "create certificatesigningrequests.certificates.k8s.io -",
    "watch runtimeclasses.node.k8s.io -",
]


@pytest.mark.parametrize("text", RELATED + OWN + STATIC)
def test_a_node_may(graph: NodeGraph, text: str) -> None:
    authorizer = NodeAuthorizer(graph)
    assert authorizer.decide(NODE, asked(text)).allowed
    assert authorizer.decide(OTHER, asked(text)).allowed == (text in STATIC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("get secrets ns/other", NONE),
        ("get secrets storage/publish", NONE),
        ("get secrets elsewhere/pull", NONE),
        ("delete secrets ns/pull", "can only read resources of this type"),
        ("get secrets/status ns/pull", "cannot read subresource"),
        ("list secrets -", "can only read namespaced object of this type"),
        ("list secrets ns/-", "No Object name found"),
        ("list persistentvolumes -", "can only get individual resources of this type"),
        ("get persistentvolumes/status pv", "cannot get subresource"),
        ("create persistentvolumeclaims/status ns/data", "can only get/update/patch this type"),
        (
            "create serviceaccounts/token ns/-",
            "can only create tokens for individual service accounts",
        ),
        ("create serviceaccounts ns/a", "can only create token subresource of serviceaccount"),
        (
            "list leases.coordination.k8s.io kube-node-lease/-",
            "can only get, create, update, patch, or delete a node lease",
        ),
        (
            "get leases.coordination.k8s.io ns/n1",
            'can only access leases in the "kube-node-lease" system namespace',
        ),
        (
            "get leases.coordination.k8s.io kube-node-lease/n2",
            "can only access node lease with the same name as the requesting node",
        ),
        (
            "get csinodes.storage.k8s.io n2",
            "can only access CSINode with the same name as the requesting node",
        ),
        ("list nodes -", "node 'n1' cannot read all nodes, only its own Node object"),
        ("get nodes n2", "node 'n1' cannot read 'n2', only its own Node object"),
        ("list pods -", "can only list/watch pods with spec.nodeName field selector"),
        (
            "list pods - spec.nodeName=n2",
            "can only list/watch pods with spec.nodeName field selector",
        ),
        (
            "watch resourceslices.resource.k8s.io -",
            "can only list/watch/deletecollection resourceslices with nodeName field selector",
        ),
        ("delete nodes n1", ""),
        ("get pods/log ns/p", ""),
        ("create deployments.apps ns/-", ""),
    ],
)
def test_a_node_may_not(graph: NodeGraph, text: str, reason: str) -> None:
    decision = NodeAuthorizer(graph).decide(NODE, asked(text))
    assert (decision.allowed, decision.denied, decision.reason) == (False, False, reason)


def test_relations_end_with_the_pod(graph: NodeGraph) -> None:
    graph.set_pod(("ns", "q"), {**referring_pod(), "metadata": {"name": "q"}})
    graph.set_pod(("ns", "p"), None)
    assert graph.is_related("n1", ("secrets", "ns", "pull"))
    graph.set_pod(("ns", "q"), None)
    for text in RELATED[:-1]:
        if "volumeattachments" not in text and "resourceslices" not in text:
            assert not NodeAuthorizer(graph).decide(NODE, asked(text)).allowed, text


def test_relations_end_with_the_volume(graph: NodeGraph) -> None:
    graph.set_volume("pv", volume("another"))
    assert not graph.is_related("n1", ("persistentvolumes", "", "pv"))
    assert not graph.is_related("n1", ("secrets", "storage", "stage"))
    graph.set_volume("pv", None)
    graph.set_on_node(("volumeattachments", "", "va"), None)
    assert not graph.is_related("n1", ("volumeattachments", "", "va"))


def test_a_mirror_pod_relates_to_nothing() -> None:
    graph, mirror = NodeGraph(), referring_pod()
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    graph.set_pod(("ns", "p"), mirror)
    assert graph.is_related("n1", ("pods", "ns", "p"))
    assert not graph.is_related("n1", ("secrets", "ns", "pull"))


def test_a_pod_without_a_node_relates_to_nothing() -> None:
    graph, waiting = NodeGraph(), referring_pod()
    del waiting["spec"]["nodeName"]
    graph.set_pod(("ns", "p"), waiting)
    assert not graph.is_related("", ("secrets", "ns", "pull"))


def test_who_is_a_node() -> None:
    authorizer = NodeAuthorizer(NodeGraph())
    question = asked("list services -")
    nameless = User("system:node:", ("system:nodes",))
    assert authorizer.decide(nameless, question).reason == 'unknown node for user "system:node:"'
    assert not authorizer.decide(User("system:node:n1"), question).allowed
    assert not authorizer.decide(User("n1", ("system:nodes",)), question).allowed
    rules = authorizer.rules_of(NODE, "ns")
    assert (rules.incomplete, rules.error) == (
        True,
        "node authorizer does not support user rule resolution",
    )
