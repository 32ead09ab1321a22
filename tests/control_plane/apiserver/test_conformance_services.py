"""Conformance tests of services and their addresses, each named after upstream's."""

import ipaddress
import random
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.control_plane.apiserver.objects import service
from tests.support.raw_api import RawApi

Object = dict[str, Any]
NETWORKING = "/apis/networking.k8s.io/v1"
SERVICECIDRS, IPADDRESSES = f"{NETWORKING}/servicecidrs", f"{NETWORKING}/ipaddresses"
SECONDS = 60.0


@pytest.fixture
def path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/services"


@pytest.fixture
def label() -> str:
    return f"test-{random.randrange(2**32):x}"


def _seen(api: RawApi, path: str, version: str, kinds: list[str]) -> None:
    """The next events of a watch from `version` are of these types."""
    separator = "&" if "?" in path else "?"
    watch = f"{path}{separator}watch=1&resourceVersion={version}"
    with closing(api.watch(watch)) as events:
        assert [next(events)["type"] for _ in kinds] == kinds


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _lives(api: RawApi, collection: str, obj: Object, label: str) -> None:
    """Create, get, list, watch, patch, update, delete and delete the rest of a kind."""
    chosen = f"{collection}?labelSelector=test%3D{label}"
    obj["metadata"]["labels"] = {"test": label}
    start = api.get(chosen).json["metadata"]["resourceVersion"]
    made = api.post(collection, obj)
    assert made.code == 201, made.text
    one = f"{collection}/{obj['metadata']['name']}"
    assert api.get(one).json == made.json
    assert [item["metadata"]["name"] for item in api.get(chosen).json["items"]] == [
        obj["metadata"]["name"]
    ]
    patched = api.patch(one, {"metadata": {"annotations": {"patched": "true"}}}).json
    assert patched["metadata"]["annotations"] == {"patched": "true"}
    patched["metadata"]["annotations"]["updated"] = "true"
    assert api.put(one, patched).json["metadata"]["annotations"]["updated"] == "true"
    _seen(api, chosen, start, ["ADDED", "MODIFIED", "MODIFIED"])


@pytest.mark.conformance(
    "[sig-network] ServiceCIDR and IPAddress API should support ServiceCIDR API operations "
    "[Conformance]",
)
def test_service_cidr_api_operations(api: RawApi, label: str) -> None:
    """ServiceCIDR and IPAddress API should support ServiceCIDR API operations"""
    name = f"cidr-{label}"
    obj: Object = {"metadata": {"name": name}, "spec": {"cidrs": ["192.0.2.0/24"]}}
    _lives(api, SERVICECIDRS, obj, label)
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "TestReason",
        "message": "from a test",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    one = f"{SERVICECIDRS}/{name}"
    patched = api.patch(f"{one}/status", {"status": {"conditions": [condition]}})
    assert patched.json["status"]["conditions"] == [condition]
    updated = api.get(f"{one}/status").json
    updated["status"]["conditions"].append({**condition, "type": "Other"})
    assert len(api.put(f"{one}/status", updated).json["status"]["conditions"]) == 2
    assert api.delete(f"{SERVICECIDRS}?labelSelector=test%3D{label}").code == 200
    _until(lambda: api.get(one).code == 404)


@pytest.mark.conformance(
    "[sig-network] ServiceCIDR and IPAddress API should support IPAddress API operations "
    "[Conformance]",
)
def test_ip_address_api_operations(api: RawApi, label: str) -> None:
    """ServiceCIDR and IPAddress API should support IPAddress API operations"""
    number = random.randrange(2**64)
    name = str(ipaddress.IPv6Address((0x20010DB8 << 96) + number))
    parent = {"group": "test.example", "resource": "things", "name": "one", "namespace": "ns"}
    obj: Object = {"metadata": {"name": name}, "spec": {"parentRef": parent}}
    _lives(api, IPADDRESSES, obj, label)
    moved = api.patch(f"{IPADDRESSES}/{name}", {"spec": {"parentRef": {"name": "two"}}})
    assert moved.code == 422
    assert api.delete(f"{IPADDRESSES}/{name}").code == 200
    assert api.get(f"{IPADDRESSES}/{name}").code == 404
    assert api.delete(f"{IPADDRESSES}?labelSelector=test%3D{label}").code == 200


@pytest.mark.conformance(
    "[sig-network] Services should complete a service status lifecycle [Conformance]",
)
def test_service_status_lifecycle(api: RawApi, path: str) -> None:
    """Services should complete a service status lifecycle"""
    ports = [{"name": "http", "port": 80}]
    start = api.get(path).json["metadata"]["resourceVersion"]
    made = api.post(path, service("s", type="LoadBalancer", ports=ports)).json
    assert made["status"] == {"loadBalancer": {}}
    one = f"{path}/s/status"
    ingress = {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}}
    patched = api.patch(one, {**ingress, "metadata": {"annotations": {"patchedstatus": "true"}}})
    assert patched.json["metadata"]["annotations"] == {"patchedstatus": "true"}
    assert patched.json["status"]["loadBalancer"]["ingress"][0]["ip"] == "203.0.113.1"
    updated = api.get(one).json
    updated["status"]["conditions"] = [
        {
            "type": "StatusUpdate",
            "status": "True",
            "reason": "E2E",
            "message": "Set from e2e test",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ]
    assert api.put(one, updated).json["status"]["conditions"][0]["reason"] == "E2E"
    patched = api.patch(f"{path}/s", {"spec": {"ports": [{"name": "http", "port": 81}]}})
    assert patched.json["status"]["conditions"][0]["type"] == "StatusUpdate"
    assert api.delete(f"{path}/s").code == 200
    _seen(api, path, start, ["ADDED", *["MODIFIED"] * 3, "DELETED"])


@pytest.mark.conformance(
    "[sig-network] Services should delete a collection of services [Conformance]",
)
def test_collection_of_services(api: RawApi, path: str) -> None:
    """Services should delete a collection of services"""
    addresses = []
    for number in range(3):
        obj = service(f"s{number}", type="ClusterIP" if number else "NodePort")
        obj["metadata"]["labels"] = {"many": "yes"}
        addresses.append(api.post(path, obj).json["spec"]["clusterIP"])
    assert api.delete(f"{path}?labelSelector=many%3Dyes").code == 200
    assert api.get(path).json["items"] == []
    assert {api.get(f"{IPADDRESSES}/{address}").code for address in addresses} == {404}


@pytest.mark.conformance(
    "[sig-network] Services should be able to change the type from ClusterIP to "
    "ExternalName [Conformance]",
    "[sig-network] Services should be able to change the type from ExternalName to "
    "ClusterIP [Conformance]",
    "[sig-network] Services should be able to change the type from ExternalName to "
    "NodePort [Conformance]",
    "[sig-network] Services should be able to change the type from NodePort to "
    "ExternalName [Conformance]",
)
@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort"])
def test_service_types_change(api: RawApi, path: str, kind: str) -> None:
    """Services should be able to change the type from ClusterIP and NodePort to ExternalName, and
    back
    """
    spec = api.post(path, service("s", type=kind)).json["spec"]
    external = {"type": "ExternalName", "externalName": "a.example", "ports": None}
    changed = api.patch(f"{path}/s", {"spec": external}).json["spec"]
    assert not changed.keys() & {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}
    assert api.get(f"{IPADDRESSES}/{spec['clusterIP']}").code == 404
    back = {"type": kind, "externalName": None, "ports": [{"port": 80, "protocol": "TCP"}]}
    changed = api.patch(f"{path}/s", {"spec": back}).json["spec"]
    assert api.get(f"{IPADDRESSES}/{changed['clusterIP']}").code == 200
    assert bool(changed["ports"][0].get("nodePort")) == (kind == "NodePort")


@pytest.mark.conformance(
    "[sig-network] API Server should provide secure master service [Conformance]",
)
def test_secure_master_service(api: RawApi) -> None:
    """API Server should provide secure master service"""
    spec = api.get("/api/v1/namespaces/default/services/kubernetes").json["spec"]
    assert [port["port"] for port in spec["ports"] if port["name"] == "https"] == [443]
