"""Cluster IPs and node ports: allocated, kept, given back, and refused."""

import ipaddress
from typing import Any

import pytest

from tests.control_plane.apiserver.objects import service
from tests.support.raw_api import RawApi

NETWORK = ipaddress.ip_network("10.96.0.0/16")


@pytest.fixture
def path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/services"


def test_every_service_gets_an_address(api: RawApi, path: str) -> None:
    spec = api.post(path, service("a")).json["spec"]
    assert ipaddress.ip_address(spec["clusterIP"]) in NETWORK
    assert spec["clusterIPs"] == [spec["clusterIP"]]
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")
    assert (spec["type"], spec["sessionAffinity"]) == ("ClusterIP", "None")


def test_an_address_may_be_chosen_once(api: RawApi, path: str) -> None:
    first = api.post(path, service("a")).json["spec"]["clusterIP"]
    api.delete(f"{path}/a")
    assert api.post(path, service("b", clusterIP=first)).json["spec"]["clusterIP"] == first
    taken = api.post(path, service("c", clusterIP=first))
    assert (taken.code, taken.reason) == (422, "Invalid")
    assert taken.json["details"]["causes"][0]["field"] == "spec.clusterIPs"
    assert f"failed to allocate IP {first}: provided IP is already allocated" in taken.message
    outside = api.post(path, service("c", clusterIP="192.168.0.1"))
    assert "the provided network does not match the current range" in outside.message


def test_addresses_that_contradict_each_other_are_refused(api: RawApi, path: str) -> None:
    answer = api.post(path, service("a", clusterIP="10.96.7.6", clusterIPs=["10.96.7.5"]))

    assert (answer.code, answer.reason) == (422, "Invalid")
    assert "spec.clusterIPs: Invalid value" in answer.message
    assert "first value must match `clusterIP`" in answer.message
    assert api.post(path, service("b", clusterIP="10.96.7.6")).code == 201


def test_a_failed_create_gives_its_address_back(api: RawApi, path: str) -> None:
    spec = api.post(path, service("a", type="NodePort")).json["spec"]
    port = spec["ports"][0]["nodePort"]
    api.delete(f"{path}/a")
    ports = [{"port": 80, "nodePort": port}]
    bad = service("b", type="NodePort", clusterIP=spec["clusterIP"], ports=ports)
    bad["spec"]["sessionAffinity"] = "Sometimes"
    assert api.post(path, bad).code == 422
    good = service("c", type="NodePort", clusterIP=spec["clusterIP"], ports=ports)
    assert api.post(path, good).code == 201


def test_headless_and_external_services_get_none(api: RawApi, path: str) -> None:
    headless = api.post(path, service("h", clusterIP="None")).json["spec"]
    assert headless["clusterIPs"] == ["None"]
    external = service("e", type="ExternalName", externalName="example.com")
    made = api.post(path, external)
    assert made.code == 201, made.text
    assert "clusterIP" not in made.json["spec"]


def test_node_ports_come_and_go_with_the_type(api: RawApi, path: str) -> None:
    made = api.post(path, service("a", type="NodePort")).json["spec"]
    port = made["ports"][0]["nodePort"]
    assert 30000 <= port <= 32767
    kept = api.patch(f"{path}/a", {"metadata": {"labels": {"x": "y"}}}).json["spec"]
    assert kept["ports"][0]["nodePort"] == port
    plain = api.patch(f"{path}/a", {"spec": {"type": "ClusterIP"}}).json["spec"]
    assert "nodePort" not in plain["ports"][0]
    assert plain["clusterIP"] == made["clusterIP"]
    ports = [{"port": 80, "nodePort": port}]
    assert api.post(path, service("b", type="NodePort", ports=ports)).code == 201


@pytest.mark.parametrize(
    ("port", "message"),
    [
        (80, "provided port is not in the valid range. The range of valid ports is 30000-32767"),
        (None, "provided port is already allocated"),
    ],
)
def test_node_ports_that_cannot_be_had(
    api: RawApi, path: str, port: int | None, message: str
) -> None:
    taken = api.post(path, service("a", type="NodePort")).json["spec"]["ports"][0]["nodePort"]
    ports = [{"port": 80, "nodePort": port or taken}]
    answer = api.post(path, service("b", type="NodePort", ports=ports))
    assert answer.code == 422
    (cause,) = answer.json["details"]["causes"]
    assert cause["field"] == "spec.ports[0].nodePort"
    assert message in cause["message"]


def test_ports_that_differ_in_protocol_share_a_node_port(api: RawApi, path: str) -> None:
    ports: list[dict[str, Any]] = [
        {"name": "tcp", "port": 53, "protocol": "TCP"},
        {"name": "udp", "port": 53, "protocol": "UDP"},
    ]
    made = api.post(path, service("dns", type="NodePort", ports=ports)).json["spec"]["ports"]
    assert made[0]["nodePort"] == made[1]["nodePort"]


def test_an_address_does_not_change(api: RawApi, path: str) -> None:
    api.post(path, service("a"))
    answer = api.patch(f"{path}/a", {"spec": {"clusterIP": "10.96.200.200"}})
    assert answer.code == 422
    assert "spec.clusterIPs[0]" in answer.message
    assert "may not change once set" in answer.message


def test_dual_stack_is_refused(api: RawApi, path: str) -> None:
    answer = api.post(path, service("a", ipFamilyPolicy="RequireDualStack"))
    assert answer.code == 422
    assert "this cluster is not configured for dual-stack services" in answer.message


def test_the_cluster_has_its_own_service(api: RawApi) -> None:
    spec = api.get("/api/v1/namespaces/default/services/kubernetes").json["spec"]
    assert spec["clusterIP"] == "10.96.0.1"
    assert [port["port"] for port in spec["ports"]] == [443]


def test_numbers_are_held_as_long_as_the_service(api: RawApi, path: str) -> None:
    """A finalizer keeps the service, and with it its address and port; both go with its end."""
    held = service("held", type="NodePort")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    spec = api.post(path, held).json["spec"]
    port = {"port": 80, "nodePort": spec["ports"][0]["nodePort"]}
    api.delete(f"{path}/held")
    by_address, by_port = service("a", clusterIP=spec["clusterIP"]), service("b", type="NodePort")
    by_port["spec"]["ports"] = [port]
    assert [api.post(path, each).code for each in (by_address, by_port)] == [422, 422]
    assert api.patch(f"{path}/held", {"metadata": {"finalizers": None}}).code == 200
    assert [api.post(path, each).code for each in (by_address, by_port)] == [201, 201]
