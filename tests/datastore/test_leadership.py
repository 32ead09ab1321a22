"""Of servers that share a database exactly one leads, and every one of them says which."""

import itertools
import urllib.request
from collections.abc import Callable, Iterator

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from datastore.tools.standing.holder import holder_of
from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.contract.etcdctl.program import Etcdctl
from tests.support.datastore import Datastore
from tests.support.ports import free_port
from tests.support.wait import wait_until

METRICS: dict[str, str] = {}  # URLs by the server's name
FAMILIES = ("has_leader", "is_leader", "leader_changes_seen_total")
_databases = itertools.count(1)


@pytest.fixture(params=["postgres", "mariadb"])
def shared(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database that servers can share."""
    server = request.getfixturevalue(request.param)
    return str(server.url(f"leadership{next(_databases)}"))


@pytest.fixture
def two(shared: str) -> Iterator[tuple[Datastore, Datastore]]:
    """Two servers of it, the first of which leads."""
    with Datastore(shared, flags("one")) as one, Datastore(shared, flags("two")) as two:
        yield one, two


def flags(name: str) -> list[str]:
    """How a server of a name is started."""
    METRICS[name] = f"http://127.0.0.1:{free_port()}"
    advertised = ["--advertise-client-urls", "{client-url}"]
    return ["--name", name, *advertised, "--listen-metrics-urls", METRICS[name]]


def status(server: Datastore) -> pb.StatusResponse:
    """What a server says of itself."""
    with grpc.insecure_channel(server.address) as channel:
        answer: pb.StatusResponse = rpc_pb2_grpc.MaintenanceStub(channel).Status(
            pb.StatusRequest(), timeout=60
        )
        return answer


def metrics(name: str) -> dict[str, float]:
    """What a server's metrics say of the leader."""
    with urllib.request.urlopen(f"{METRICS[name]}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    return {
        sample.name.removeprefix("etcd_server_"): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.removeprefix("etcd_server_") in FAMILIES
    }


def said_until(server: Datastore, wanted: Callable[[pb.StatusResponse], bool]) -> list[str]:
    """Ask until it is so; return the errors of all answers before."""
    errors: list[str] = []

    def asked() -> bool:
        answer = status(server)
        if wanted(answer):
            return True
        errors.extend(answer.errors)
        return False

    wait_until(asked, "the leader")
    return errors


async def test_one_of_two_leads_hands_over_and_is_followed(
    two: tuple[Datastore, Datastore],
) -> None:
    one, other = two
    first, second = status(one), status(other)
    before = metrics("one"), metrics("two")
    table = await Etcdctl(one.endpoint).run("endpoint", "status", "--cluster", "-w", "table")
    rows = [line.split("|") for line in table.splitlines() if "http://" in line]
    not_leader = refused(other, first.header.member_id)
    nobody = refused(one, 1)
    target = f"{second.header.member_id:x}"
    moved = await Etcdctl(f"{one.endpoint},{other.endpoint}").run("move-leader", target)
    after = status(one).leader, status(other).leader, metrics("one")
    other.kill()
    said = said_until(one, lambda answer: answer.leader == first.header.member_id)

    assert first.leader == second.leader == first.header.member_id
    assert before == (
        {"has_leader": 1, "is_leader": 1, "leader_changes_seen_total": 1},
        {"has_leader": 1, "is_leader": 0, "leader_changes_seen_total": 1},
    )
    assert sorted(row[5].strip() for row in rows) == ["false", "true"], table
    assert not_leader == "etcdserver: not leader"
    assert nobody == "etcdserver: bad leader transferee"
    assert "Leadership transferred" in moved
    assert after[:2] == (second.header.member_id,) * 2
    assert after[2] == {"has_leader": 1, "is_leader": 0, "leader_changes_seen_total": 2}
    assert set(said) <= {"etcdserver: no leader"}
    assert list(status(one).errors) == []
    assert metrics("one")["is_leader"] == 1


def test_a_leader_that_stops_lets_go_at_once(shared: str) -> None:
    with Datastore(shared, flags("one")) as one:
        leader = holder_of(shared)
        one.end()
        left = holder_of(shared)

    assert leader is not None
    assert leader.name == "one"
    assert left is not None
    assert left.member == 0


def refused(server: Datastore, target: int) -> str:
    """Why a server does not let another lead."""
    with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError) as error:
        rpc_pb2_grpc.MaintenanceStub(channel).MoveLeader(pb.MoveLeaderRequest(targetID=target))
    assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    return str(error.value.details())
