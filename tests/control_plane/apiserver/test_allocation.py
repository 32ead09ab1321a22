"""What becomes of a service's address and ports when the write they were claimed for fails."""

import asyncio
import datetime
import ipaddress
from collections.abc import AsyncIterator

import pytest

from control_plane.api.errors import Conflict
from control_plane.api.objects import Object
from control_plane.api.resources import SERVICES
from control_plane.apiserver.allocation.allocators import Allocators
from control_plane.apiserver.allocation.cluster_ips import ClusterIPs
from control_plane.apiserver.allocation.errors import AllocationError
from control_plane.apiserver.allocation.node_ports import NodePorts
from control_plane.apiserver.allocation.services import ServiceAllocation
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.etcd.errors import StoreTimeoutError, StoreUnavailableError
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd

OTHER = ("ns", "other")


async def _no_ports() -> set[int]:
    return set()


@pytest.fixture
async def etcd(store: Etcd | Datastore) -> AsyncIterator[EtcdClient]:
    client = EtcdClient(EtcdEndpoints((store.endpoint,)))
    yield client
    await client.close()


@pytest.fixture
def addresses(etcd: EtcdClient) -> ClusterIPs:
    network = ipaddress.ip_network("10.7.0.0/24")
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    return ClusterIPs(etcd, b"/allocation-test/ips/", network, lambda: now)


@pytest.fixture
def ports(etcd: EtcdClient) -> NodePorts:
    return NodePorts(etcd, b"/allocation-test/ports", (30000, 30063), _no_ports)


def _service(name: str) -> Object:
    return {
        "metadata": {"namespace": "ns", "name": name},
        "spec": {"type": "NodePort", "ports": [{"port": 80, "protocol": "TCP"}]},
    }


async def _fail(allocators: Allocators, service: Object, error: BaseException) -> None:
    with pytest.raises(type(error)):
        async with allocators.for_write(SERVICES, service, None, dry_run=False):
            raise error


async def test_a_refused_write_gives_everything_back(
    addresses: ClusterIPs, ports: NodePorts
) -> None:
    allocators = Allocators(ServiceAllocation(addresses, ports))
    service = _service("refused")
    await _fail(allocators, service, Conflict("changed meanwhile"))
    spec = service["spec"]
    assert await addresses.claim(spec["clusterIP"], OTHER)
    await ports.claim(spec["ports"][0]["nodePort"])


@pytest.mark.parametrize(
    "error",
    [
        StoreTimeoutError("no answer"),
        StoreUnavailableError("went away"),
        asyncio.CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_write_that_may_have_happened_keeps_its_claims(
    addresses: ClusterIPs, ports: NodePorts, error: BaseException
) -> None:
    allocators = Allocators(ServiceAllocation(addresses, ports))
    service = _service("perhaps")
    await _fail(allocators, service, error)
    spec = service["spec"]
    with pytest.raises(AllocationError):
        await addresses.claim(spec["clusterIP"], OTHER)
    with pytest.raises(AllocationError):
        await ports.claim(spec["ports"][0]["nodePort"])


async def test_a_store_that_takes_nothing_back_does_not_undo_a_deletion(
    addresses: ClusterIPs, ports: NodePorts, etcd: EtcdClient, caplog: pytest.LogCaptureFixture
) -> None:
    allocators = Allocators(ServiceAllocation(addresses, ports))
    service = _service("deleted")
    async with allocators.for_write(SERVICES, service, None, dry_run=False):
        pass
    await etcd.close()
    unreachable = EtcdClient(EtcdEndpoints(("127.0.0.1:1",)))
    network = ipaddress.ip_network("10.7.0.0/24")
    gone = ClusterIPs(unreachable, b"/x/", network, lambda: datetime.datetime.now(datetime.UTC))
    await Allocators(ServiceAllocation(gone, ports)).release(SERVICES, service)
    await unreachable.close()
    assert "stays taken" in caplog.text
