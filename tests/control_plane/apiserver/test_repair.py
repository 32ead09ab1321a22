"""Two servers repair what a crash between claim and write, or a hand, has left in the store."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from control_plane.apiserver.allocation.cluster_ips import new_address
from control_plane.apiserver.allocation.port_set import PortSet, decode
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.repair import repairs
from tests.control_plane.apiserver.conftest import raw_api
from tests.control_plane.apiserver.objects import service
from tests.support.apiserver import ThreadedApiServer
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.raw_api import RawApi

pytestmark = pytest.mark.every_store

SERVICES = "/api/v1/namespaces/default/services"
IPADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"
EVENTS = "/api/v1/namespaces/default/events"
SECONDS = 60.0

Servers = Callable[[], AbstractContextManager[RawApi]]


class Left:
    """A cluster's keys in the store, written past every server."""

    def __init__(self, endpoint: str, prefix: str) -> None:
        self.endpoint, self.prefix = endpoint, prefix
        self._etcd = EtcdClient(EtcdEndpoints((endpoint,)))

    async def put(self, key: str, value: bytes) -> None:
        name = f"{self.prefix}/{key}".encode()
        current, _ = await self._etcd.get(name)
        revision = current.mod_revision if current is not None else 0
        assert (await self._etcd.put_if(name, value, revision)).succeeded

    async def ports(self) -> set[int]:
        kv, _ = await self._etcd.get(f"{self.prefix}/ranges/servicenodeports".encode())
        ports = decode(kv.value, 30000, 32767) if kv is not None else None
        return ports.taken() if ports is not None else set()

    async def close(self) -> None:
        await self._etcd.close()


@pytest.fixture
async def left(store: Etcd | Datastore, tmp_path: Path) -> Any:
    found = Left(store.endpoint, f"/repair-{tmp_path.name}")
    yield found
    await found.close()


@pytest.fixture
def servers(left: Left, tmp_path: Path) -> Servers:
    """Start two servers over what was left."""

    @contextmanager
    def start() -> Iterator[RawApi]:
        config = {"etcd_prefix": left.prefix}
        with (
            ThreadedApiServer(left.endpoint, tmp_path / "a", **config) as one,
            ThreadedApiServer(left.endpoint, tmp_path / "b", **config),
            raw_api(one) as api,
        ):
            yield api

    return start


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _reasons(api: RawApi, name: str) -> list[str]:
    items = api.get(f"{EVENTS}?fieldSelector=involvedObject.name={name}").json["items"]
    return [item["reason"] for item in items]


async def test_a_claim_whose_service_never_came_is_given_back(
    left: Left, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state that a server leaves which was killed after claiming an address and a port."""
    monkeypatch.setattr(repairs, "ROUND_SECONDS", 0.2)
    address = new_address("10.96.7.7", ("default", "never"), "2026-01-01T00:00:00Z")
    await left.put("ipaddresses/10.96.7.7", orjson.dumps(address))
    await left.put("ranges/servicenodeports", PortSet(30000, 32767, [30777]).encode())
    with servers() as api:
        _until(lambda: api.get(f"{IPADDRESSES}/10.96.7.7").code == 404)
        assert "IPAddressNotAllocated" in _reasons(api, "10.96.7.7")
        ports = [{"port": 80, "nodePort": 30777}]
        body = service("heir", type="NodePort", clusterIP="10.96.7.7", ports=ports)
        _until(lambda: api.post(SERVICES, body).code == 201)


async def test_a_young_claim_is_left_to_its_server(left: Left, servers: Servers) -> None:
    address = new_address("10.96.7.8", ("default", "soon"), "2999-01-01T00:00:00Z")
    await left.put("ipaddresses/10.96.7.8", orjson.dumps(address))
    with servers() as api:
        assert api.get(f"{IPADDRESSES}/10.96.7.8").code == 200
        taken = api.post(SERVICES, service("other", clusterIP="10.96.7.8"))
        assert "provided IP is already allocated" in taken.message


async def test_a_deleted_address_of_a_service_comes_back(left: Left, servers: Servers) -> None:
    with servers() as api:
        made = api.post(SERVICES, service("kept")).json
        path = f"{IPADDRESSES}/{made['spec']['clusterIP']}"
        before = api.get(path).json["metadata"]["uid"]
        assert api.delete(path).code == 200
        _until(lambda: api.get(path).code == 200)
        again = api.get(path).json
        assert again["metadata"]["uid"] != before
        assert again["spec"]["parentRef"]["name"] == "kept"
        _until(lambda: "ClusterIPNotAllocated" in _reasons(api, "kept"))


async def test_services_that_were_written_without_claims_get_them(
    left: Left, servers: Servers
) -> None:
    """A store from before addresses were objects, with a set of ports that knows nothing."""
    old = service(
        "old",
        type="NodePort",
        clusterIP="10.96.5.5",
        clusterIPs=["10.96.5.5"],
        ports=[{"port": 80, "nodePort": 30555, "protocol": "TCP"}],
    )
    old["metadata"] |= {
        "namespace": "default",
        "uid": "u",
        "creationTimestamp": "2020-01-01T00:00:00Z",
    }
    await left.put("services/specs/default/old", orjson.dumps(old))
    await left.put("ranges/servicenodeports", PortSet(30000, 32767).encode())
    with servers() as api:
        assert api.get(f"{IPADDRESSES}/10.96.5.5").code == 200
        _until(lambda: "PortNotAllocated" in _reasons(api, "old"))
        assert 30555 in await left.ports()
