"""What a node's certificate may do to objects, through a server."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from control_plane.apiserver.admission.node_restriction import forbidden_labels
from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import config_map, pod
from tests.support.apiserver import NODE, ThreadedApiServer
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

NODES = "/api/v1/nodes"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


@pytest.fixture
def node(server: ThreadedApiServer) -> Iterator[RawApi]:
    with raw_api(server, f"kubelet-{NODE}") as client:
        yield client


@pytest.fixture
def registered(api: RawApi, node: RawApi) -> Iterator[str]:
    """The node's own object, made by itself; the uid."""
    api.delete(f"{NODES}/{NODE}")
    answer = node.post(NODES, {"metadata": {"name": NODE}})
    assert answer.code == 201, answer.text
    yield answer.json["metadata"]["uid"]
    api.delete(f"{NODES}/{NODE}")


def test_a_node_changes_itself_alone(api: RawApi, node: RawApi, registered: str) -> None:
    del registered
    other = f"other-{uuid.uuid4().hex[:6]}"
    assert api.post(NODES, {"metadata": {"name": other}}).code == 201
    for path in (f"{NODES}/{other}", f"{NODES}/{other}/status"):
        answer = node.patch(path, {"metadata": {"annotations": {"a": "b"}}})
        assert answer.code == 403
        assert answer.message == (
            f'nodes "{other}" is forbidden: node "{NODE}" is not allowed to modify node "{other}"'
        )
    assert node.get(f"{NODES}/{NODE}").code == 200
    assert node.get(f"{NODES}/{other}").message.endswith(
        f"at the cluster scope: node '{NODE}' cannot read '{other}', only its own Node object"
    )
    mine = f"{NODES}/{NODE}"
    assert node.patch(mine, {"metadata": {"labels": {"kubernetes.io/arch": "x"}}}).code == 200
    assert node.patch(f"{mine}/status", {"status": {"capacity": {"cpu": "1"}}}).code == 200
    taints = node.patch(mine, {"spec": {"taints": [{"key": "k", "effect": "NoExecute"}]}})
    assert taints.message.endswith(f'node "{NODE}" is not allowed to modify taints')
    labels = {"example.com/own": "x", "node-restriction.kubernetes.io/a": "x", "k8s.io/b": "x"}
    refused = node.patch(mine, {"metadata": {"labels": labels}})
    assert refused.message.endswith(
        f'node "{NODE}" is not allowed to modify labels: k8s.io/b, node-restriction.kubernetes.io/a'
    )
    assert api.delete(f"{NODES}/{other}").code == 200


@pytest.mark.parametrize(
    ("label", "allowed"),
    [
        ("plain", True),
        ("example.com/a", True),
        ("kubernetes.io/hostname", True),
        ("topology.kubernetes.io/zone", True),
        ("beta.kubernetes.io/os", True),
        ("kubelet.kubernetes.io/x", True),
        ("a.node.kubernetes.io/x", True),
        ("node-role.kubernetes.io/control-plane", False),
        ("kubernetes.io/other", False),
        ("a.k8s.io/b", False),
        ("a.node-restriction.kubernetes.io/b", False),
    ],
)
def test_labels_that_a_node_may_set(label: str, allowed: bool) -> None:
    assert forbidden_labels({}, {label: "x"}) == ([] if allowed else [label])
    assert forbidden_labels({label: "x"}, {}) == ([] if allowed else [label])
    assert forbidden_labels({label: "x"}, {label: "x"}) == []


def mirror(name: str, uid: str, **spec: Any) -> dict[str, Any]:
    owner = {"apiVersion": "v1", "kind": "Node", "name": NODE, "uid": uid, "controller": True}
    made = pod(
        name, NODE, annotations={"kubernetes.io/config.mirror": "x"}, ownerReferences=[owner]
    )
    made["spec"] |= {"automountServiceAccountToken": False, **spec}
    return made


def test_a_node_makes_mirror_pods_only(node: RawApi, namespace: str, registered: str) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"

    def refusal(body: dict[str, Any]) -> str:
        answer = node.post(pods, body)
        assert answer.code == 403, answer.text
        return answer.message.partition(": ")[2]

    assert refusal(pod("p", NODE)) == (
        f'pod does not have "kubernetes.io/config.mirror" annotation, '
        f'node "{NODE}" can only create mirror pods'
    )
    elsewhere = mirror("p", registered)
    elsewhere["spec"]["nodeName"] = "x"
    assert refusal(elsewhere).endswith("can only create pods with spec.nodeName set to itself")
    assert refusal(mirror("p", "1234")).endswith(f"expected 1234 got {registered}")
    secret = {"name": "v", "secret": {"secretName": "s"}}
    # the plugin of service accounts comes first
    asked = mirror("p", registered, volumes=[secret])
    assert refusal(asked) == "a mirror pod may not reference secrets"
    for volume, what in (
        ({"configMap": {"name": "s"}}, "configmaps"),
        ({"persistentVolumeClaim": {"claimName": "s"}}, "persistentvolumeclaims"),
    ):
        body = mirror("p", registered, volumes=[{"name": "v", **volume}])
        assert refusal(body) == f'node "{NODE}" can not create pods that reference {what}'
    assert node.post(pods, mirror("p", registered)).code == 201


def test_a_node_deletes_and_tells_of_its_own_pods(
    api: RawApi, node: RawApi, namespace: str, registered: str
) -> None:
    del registered
    pods = f"/api/v1/namespaces/{namespace}/pods"
    assert api.post(pods, pod("mine", NODE)).code == 201
    assert api.post(pods, pod("elsewhere", "other")).code == 201
    phase = {"status": {"phase": "Running"}}
    assert node.patch(f"{pods}/mine/status", phase).code == 200
    refused = node.patch(f"{pods}/elsewhere/status", phase)
    assert refused.message.endswith(
        f'node "{NODE}" can only update pod status for pods with spec.nodeName set to itself'
    )
    labels = node.patch(f"{pods}/mine/status", {"metadata": {"labels": {"a": "b"}}})
    assert labels.message.endswith("cannot update labels through pod status")
    assert node.delete(f"{pods}/elsewhere").message.endswith(
        f'node "{NODE}" can only delete pods with spec.nodeName set to itself'
    )
    eviction = {"metadata": {"name": "elsewhere", "namespace": namespace}}
    evicted = node.post(f"{pods}/elsewhere/eviction", eviction)
    assert evicted.message.endswith("can only evict pods with spec.nodeName set to itself")
    assert node.get(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{NODE}").code == 200
    assert node.get("/api/v1/pods").code == 403
    assert node.delete(f"{pods}/mine?gracePeriodSeconds=0").code == 200


def test_a_node_reads_what_its_pods_refer_to(
    api: RawApi, node: RawApi, namespace: str, registered: str
) -> None:
    del registered
    place = f"/api/v1/namespaces/{namespace}"
    for name in ("seen", "hidden"):
        assert api.post(f"{place}/configmaps", config_map(name)).code == 201
        assert api.post(f"{place}/secrets", {"metadata": {"name": name}}).code == 201
    body = pod("p", NODE)
    body["spec"]["volumes"] = [
        {"name": "a", "secret": {"secretName": "seen"}},
        {"name": "b", "configMap": {"name": "seen"}},
    ]
    assert node.get(f"{place}/secrets/seen").code == 403
    assert api.post(f"{place}/pods", body).code == 201
    for plural in ("secrets", "configmaps"):
        seen = f"{place}/{plural}/seen"
        wait_until(lambda seen=seen: node.get(seen).code == 200, seen)  # type: ignore[misc]
        hidden = node.get(f"{place}/{plural}/hidden")
        assert hidden.code == 403
        assert hidden.message.endswith(
            f'in the namespace "{namespace}": '
            f"no relationship found between node '{NODE}' and this object"
        )
    assert node.get(f"{place}/secrets").message.endswith(": No Object name found")


def test_a_node_gets_tokens_for_its_own_pods(
    api: RawApi, node: RawApi, namespace: str, registered: str
) -> None:
    del registered
    place = f"/api/v1/namespaces/{namespace}"
    uid = api.post(f"{place}/pods", pod("mine", NODE)).json["metadata"]["uid"]
    elsewhere = api.post(f"{place}/pods", pod("elsewhere", "other")).json["metadata"]["uid"]
    path = f"{place}/serviceaccounts/default/token"

    def ask(name: str, uid: str, **spec: Any) -> Any:
        ref = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}
        return node.post(path, {"spec": {"boundObjectRef": ref, **spec}})

    wait_until(lambda: ask("mine", uid).code == 201, "the pod to be known")
    unbound = node.post(path, {"spec": {}})
    assert unbound.code == 403
    assert unbound.message == (
        'serviceaccounts "default" is forbidden: node requested token not bound to a pod'
    )
    assert ask("mine", "").message.endswith("with a pod binding without a uid")
    assert ask("elsewhere", elsewhere).message.endswith(
        "node requested token bound to a pod scheduled on a different node"
    )
    assert ask("mine", uid, audiences=["vault"]).message.endswith(
        f'audience "vault" not found in pod spec volume, system:node:{NODE} is not authorized '
        "to request tokens for this audience"
    )


def test_a_node_has_its_own_lease_alone(api: RawApi, node: RawApi) -> None:
    lease = {"metadata": {"name": NODE}, "spec": {"holderIdentity": NODE}}
    api.delete(f"{LEASES}/{NODE}")
    assert node.post(LEASES, lease).code == 201
    other = node.post(LEASES, {**lease, "metadata": {"name": "other"}})
    assert other.message.endswith(
        "can only access node lease with the same name as the requesting node"
    )
    assert node.get(f"{LEASES}/other").code == 403
    assert api.delete(f"{LEASES}/{NODE}").code == 200
