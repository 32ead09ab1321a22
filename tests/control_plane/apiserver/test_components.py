"""componentstatuses, and bindings of a namespace: resources that are not stored."""

import datetime
from pathlib import Path

import pytest

from control_plane.api.timestamps import format_micro_time
from tests.control_plane.apiserver.objects import pod
from tests.control_plane.apiserver.test_clients import Kubectl
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

pytestmark = pytest.mark.every_store

STATUSES = "/api/v1/componentstatuses"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
DEPRECATED = '299 - "v1 ComponentStatus is deprecated in v1.19+"'


@pytest.fixture
def kubectl(server: ThreadedApiServer, tmp_path: Path, namespace: str) -> Kubectl:
    return Kubectl(server.kubeconfig, tmp_path, namespace)


def hold_lease(api: RawApi, name: str, renewed: datetime.datetime) -> None:
    spec = {
        "holderIdentity": "me",
        "leaseDurationSeconds": 15,
        "renewTime": format_micro_time(renewed),
    }
    lease = {"metadata": {"name": name}, "spec": spec}
    answer = api.patch(f"{LEASES}/{name}", {"spec": spec})
    assert answer.code == 200 or api.post(LEASES, lease).code == 201


def conditions(api: RawApi) -> dict[str, tuple[str, str]]:
    answer = api.get(STATUSES)
    assert (answer.code, answer.headers["Warning"]) == (200, DEPRECATED)
    found = {item["metadata"]["name"]: item["conditions"] for item in answer.json["items"]}
    return {name: (one["status"], one["message"]) for name, (one,) in found.items()}


def test_components_are_well_while_they_renew_their_leases(api: RawApi, kubectl: Kubectl) -> None:
    now = datetime.datetime.now(datetime.UTC)
    hold_lease(api, "kube-scheduler", now + datetime.timedelta(hours=1))
    hold_lease(api, "kube-controller-manager", now - datetime.timedelta(hours=1))
    api.get(f"{LEASES}")
    found = conditions(api)
    assert list(found) == ["controller-manager", "etcd-0", "scheduler"]
    assert found["etcd-0"] == found["scheduler"] == ("True", "ok")
    assert found["controller-manager"][0] == "False"
    assert found["controller-manager"][1].startswith("me has not renewed the lease")
    assert kubectl("get", "cs", "scheduler", "--no-headers").split() == [
        "scheduler", "Healthy", "ok",
    ]  # fmt: skip


def test_nothing_is_said_of_who_elects_no_leader(api: RawApi, kubectl: Kubectl) -> None:
    api.delete(f"{LEASES}/kube-scheduler")
    path = f"{STATUSES}/scheduler"
    wait_until(lambda: "conditions" not in api.get(path).json, "the lease's end")
    assert kubectl("get", "cs", "scheduler", "--no-headers").split() == ["scheduler", "Unknown"]


def test_one_component_and_selected_ones(api: RawApi) -> None:
    assert api.get(f"{STATUSES}/etcd-0").json["conditions"][0]["type"] == "Healthy"
    assert api.get(f"{STATUSES}/none").code == 404
    chosen = api.get(f"{STATUSES}?fieldSelector=metadata.name%3Dscheduler").json
    assert [item["metadata"]["name"] for item in chosen["items"]] == ["scheduler"]
    assert chosen["metadata"] == {}
    assert api.get(f"{STATUSES}?labelSelector=a%3Db").json["items"] == []
    assert api.delete(f"{STATUSES}/etcd-0").code == 405
    assert api.get(f"{STATUSES}?watch=true").code == 405


def test_a_binding_assigns_the_pod_it_is_called_after(api: RawApi, namespace: str) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    bindings = f"/api/v1/namespaces/{namespace}/bindings"
    api.post(pods, pod("p"))
    binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}}
    made = api.post(bindings, binding)
    assert (made.code, made.json["status"]) == (201, "Success")
    assert api.get(f"{pods}/p").json["spec"]["nodeName"] == "n1"
    again = api.post(bindings, binding)
    assert again.code == 409
    assert 'pod p is already assigned to node "n1"' in again.message
    nameless = api.post(bindings, {"target": {"kind": "Node", "name": "n1"}})
    assert (nameless.code, nameless.message) == (400, "Name parameter required.")
    assert api.post(bindings, {**binding, "metadata": {"name": "none"}}).code == 404


def test_every_request_for_endpoints_is_warned(api: RawApi, namespace: str) -> None:
    warning = api.get(f"/api/v1/namespaces/{namespace}/endpoints").headers["Warning"]
    assert warning == (
        '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'
    )
