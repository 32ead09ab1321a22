"""IPAddress and ServiceCIDR objects: what a service's address is, and where it comes from."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.protobuf.envelope import MAGIC
from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import service
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.raw_api import Answer, RawApi

NETWORKING = "/apis/networking.k8s.io/v1"
IPADDRESSES, SERVICECIDRS = f"{NETWORKING}/ipaddresses", f"{NETWORKING}/servicecidrs"
SERVICES = "/api/v1/namespaces/default/services"
SECONDS = 60.0


@pytest.fixture
def path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/services"


@pytest.fixture
def small(store: Etcd | Datastore, tmp_path: Path) -> Iterator[RawApi]:
    """A cluster of its own in the same store, whose service range has six addresses."""
    prefix = f"/small-{tmp_path.name}"
    config = {"etcd_prefix": prefix, "service_cluster_ip_range": "10.7.0.0/29"}
    with ThreadedApiServer(store.endpoint, tmp_path, **config) as server, raw_api(server) as api:
        yield api


def until(answered: Callable[[], Answer], code: int) -> Answer:
    """Ask until the answer has this code: caches of objects just written are a moment behind."""
    deadline = time.monotonic() + SECONDS
    while (answer := answered()).code != code:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.02)
    return answer


def test_an_address_is_an_object_that_names_its_service(
    api: RawApi, path: str, namespace: str
) -> None:
    address = api.post(path, service("a")).json["spec"]["clusterIP"]
    found = api.get(f"{IPADDRESSES}/{address}").json
    assert found["spec"]["parentRef"] == {
        "resource": "services",
        "namespace": namespace,
        "name": "a",
    }
    assert found["metadata"]["labels"] == {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }
    assert found["metadata"]["managedFields"][0]["manager"] == "kube-apiserver"
    api.delete(f"{path}/a")
    assert api.get(f"{IPADDRESSES}/{address}").code == 404


def test_a_service_and_its_address_have_one_resource_version(api: RawApi, path: str) -> None:
    made = api.post(path, service("a")).json
    address = api.get(f"{IPADDRESSES}/{made['spec']['clusterIP']}").json
    assert address["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_an_address_goes_with_the_type_and_comes_back(api: RawApi, path: str) -> None:
    address = api.post(path, service("a")).json["spec"]["clusterIP"]
    external = {"spec": {"type": "ExternalName", "externalName": "a.example"}}
    assert "clusterIP" not in api.patch(f"{path}/a", external).json["spec"]
    assert api.get(f"{IPADDRESSES}/{address}").code == 404
    back = {"spec": {"type": "ClusterIP", "externalName": None}}
    address = api.patch(f"{path}/a", back).json["spec"]["clusterIP"]
    assert api.get(f"{IPADDRESSES}/{address}").code == 200


def test_a_dry_run_takes_nothing(api: RawApi, path: str) -> None:
    answer = api.post(f"{path}?dryRun=All", service("a", type="NodePort"))
    assert answer.code == 201
    spec = answer.json["spec"]
    assert api.get(f"{IPADDRESSES}/{spec['clusterIP']}").code == 404
    ports = [{"port": 80, "nodePort": spec["ports"][0]["nodePort"]}]
    assert api.post(path, service("b", type="NodePort", ports=ports)).code == 201


def test_the_default_service_cidr(api: RawApi) -> None:
    found = api.get(f"{SERVICECIDRS}/kubernetes").json
    assert found["spec"] == {"cidrs": ["10.96.0.0/16"]}
    (ready,) = found["status"]["conditions"]
    assert (ready["type"], ready["status"], ready["message"]) == (
        "Ready",
        "True",
        "Kubernetes default Service CIDR is ready",
    )


def test_a_full_range_is_widened_by_another_service_cidr(small: RawApi) -> None:
    for number in range(5):
        assert small.post(SERVICES, service(f"s{number}")).code == 201
    full = small.post(SERVICES, service("more"))
    assert (full.code, full.reason) == (500, "InternalError")
    assert full.message == (
        "Internal error occurred: failed to allocate a serviceIP: range is full"
    )
    wider = {"metadata": {"name": "wider"}, "spec": {"cidrs": ["10.8.0.0/28"]}}
    assert small.post(SERVICECIDRS, wider).code == 201
    answer = until(lambda: small.post(SERVICES, service("more")), 201)
    given = answer.json["spec"]["clusterIP"]
    assert given.startswith("10.8.0.")
    other = "10.8.0.14" if given != "10.8.0.14" else "10.8.0.13"
    chosen = small.post(SERVICES, service("chosen", clusterIP=other))
    assert chosen.code == 201, chosen.text


def test_a_service_cidr_that_is_not_ready_gives_nothing(small: RawApi) -> None:
    one: dict[str, Any] = {"metadata": {"name": "one"}, "spec": {"cidrs": ["10.8.0.0/28"]}}
    assert small.post(SERVICECIDRS, one).code == 201
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "Test",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    answer = small.patch(f"{SERVICECIDRS}/one/status", {"status": {"conditions": [condition]}})
    assert answer.code == 200, answer.text
    numbers = itertools.count(1)

    def ask() -> Answer:
        number = next(numbers)
        return small.post(SERVICES, service(f"s{number}", clusterIP=f"10.8.0.{number}"))

    answer = until(ask, 422)
    assert "the provided network does not match the current range" in answer.message


def test_two_families(store: Etcd | Datastore, tmp_path: Path) -> None:
    config = {
        "etcd_prefix": f"/dual-{tmp_path.name}",
        "service_cluster_ip_range": "10.7.0.0/24,fd00:7::/112",
    }
    with ThreadedApiServer(store.endpoint, tmp_path, **config) as server, raw_api(server) as api:
        assert api.get(f"{SERVICECIDRS}/kubernetes").json["spec"]["cidrs"] == [
            "10.7.0.0/24",
            "fd00:7::/112",
        ]
        assert api.post(SERVICES, service("one")).json["spec"]["ipFamilies"] == ["IPv4"]
        spec = api.post(SERVICES, service("two", ipFamilyPolicy="RequireDualStack")).json["spec"]
        assert spec["ipFamilies"] == ["IPv4", "IPv6"]
        first, second = spec["clusterIPs"]
        assert spec["clusterIP"] == first
        assert {api.get(f"{IPADDRESSES}/{ip}").code for ip in (first, second)} == {200}
        family = "ipaddress.kubernetes.io/ip-family"
        assert api.get(f"{IPADDRESSES}/{second}").json["metadata"]["labels"][family] == "IPv6"
        narrower = {"spec": {"ipFamilyPolicy": "SingleStack"}}
        assert api.patch(f"{SERVICES}/two", narrower).json["spec"]["clusterIPs"] == [first]
        assert api.get(f"{IPADDRESSES}/{second}").code == 404
        wider = {"spec": {"ipFamilyPolicy": "PreferDualStack"}}
        assert len(api.patch(f"{SERVICES}/two", wider).json["spec"]["clusterIPs"]) == 2
        chosen = service("six", clusterIPs=["fd00:7::9"], clusterIP="fd00:7::9")
        assert api.post(SERVICES, chosen).json["spec"]["ipFamilies"] == ["IPv6"]


async def test_what_a_real_server_stored_is_taken_over(
    store: Etcd | Datastore, tmp_path: Path
) -> None:
    """Its set of ports is protobuf, its addresses have objects; there may be no ServiceCIDR yet."""
    etcd = EtcdClient(EtcdEndpoints((store.endpoint,)))
    prefix = f"/real-{tmp_path.name}"
    port = 30000 + 100
    allocation = _message(2, b"30000-32767") + _message(3, (1 << 100).to_bytes(13, "big"))
    identity = _message(1, b"v1") + _message(2, b"RangeAllocation")
    unknown = MAGIC + _message(1, identity) + _message(2, allocation)
    await etcd.put_if(f"{prefix}/ranges/servicenodeports".encode(), unknown, 0)
    address = {
        "kind": "IPAddress",
        "apiVersion": "networking.k8s.io/v1",
        "metadata": {"name": "10.96.3.3", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"parentRef": {"resource": "services", "namespace": "ns", "name": "x"}},
    }
    await etcd.put_if(f"{prefix}/ipaddresses/10.96.3.3".encode(), orjson.dumps(address), 0)
    await etcd.close()
    with (
        ThreadedApiServer(store.endpoint, tmp_path, etcd_prefix=prefix) as server,
        raw_api(server) as api,
    ):
        taken = api.post(
            SERVICES, service("a", type="NodePort", ports=[{"port": 1, "nodePort": port}])
        )
        assert "provided port is already allocated" in taken.message
        taken = api.post(SERVICES, service("a", clusterIP="10.96.3.3"))
        assert "provided IP is already allocated" in taken.message
        assert api.post(SERVICES, service("a", type="NodePort")).code == 201


def _message(number: int, value: bytes) -> bytes:
    """A field of bytes on the protobuf wire."""
    return bytes([number << 3 | 2, len(value)]) + value
