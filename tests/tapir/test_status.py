"""`tapir status`: one screen about servers and their database, and an exit code for a cron job."""

import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.datastore.damage import Said, run
from tests.support.certificates import Authority
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.mariadb import Mariadb
from tests.support.ports import free_port
from tests.support.postgres import Postgres
from tests.support.secure_server import OURS, SecureServer
from tests.support.wait import wait_until
from tests.tapir.test_snapshot_command import put


def status(*words: str) -> Said:
    return run("status", *words)


@pytest.fixture(params=["postgresql", "mysql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database that servers can share."""
    server: Postgres | Mariadb = Postgres() if request.param == "postgresql" else Mariadb()
    with server:
        yield server.url("shared")


def test_two_servers_of_one_database(database: str) -> None:
    ports = free_port(), free_port()
    metrics = [f"http://127.0.0.1:{port}" for port in ports]
    flags = [
        ["--name", name, "--listen-metrics-urls", url, "--advertise-client-urls", "{client-url}"]
        for name, url in zip(("one", "two"), metrics, strict=True)
    ]
    with Datastore(database, flags[0]) as one, Datastore(database, flags[1]) as two:
        revision = put(one, b"a", b"1")
        endpoints = ("--endpoints", f"{one.endpoint},{two.endpoint}")
        words = (*endpoints, "--metrics-urls", ",".join(metrics), "--endpoint", database)
        wait_until(lambda: "held by one " in status(*words).out, "the lock's holder")
        shown = status(*words)
        alone = ("--endpoints", one.endpoint, "--endpoint", database)
        as_json = status(*alone, "--cluster", "--json")
        one.end()
        left = status(*words)

    assert (shown.code, shown.err) == (0, "")
    head, first, second, *below = shown.out.splitlines()
    assert head.startswith("ENDPOINT ")
    assert first.split()[:4] == [one.endpoint, "one", "3.6.14", str(revision)]
    assert second.split()[:4] == [two.endpoint, "two", "3.6.14", str(revision)]
    assert sum(line.startswith("lag  ") for line in below) == 2
    assert "0 watchers (0 behind), 0 events to send, 0 writes waiting" in shown.out
    members = [line for line in below if line.startswith("member")]
    assert {line.split()[2] for line in members} == {"one", "two"}
    assert all(" heard " in line and line.endswith(" s ago") for line in members)
    assert (first.split()[-2], second.split()[-2]) == ("itself", "one")
    assert below[-1].split() == ["alarm", "none"]
    told = json.loads(as_json.out)
    assert told["ok"] is True
    asked = {server["endpoint"] for server in told["endpoints"]}
    assert asked == {one.endpoint, two.endpoint}
    assert [server["revision"] for server in told["endpoints"]] == [revision] * 2
    assert told["lock"]["name"] == "one"
    assert [beat["name"] for beat in sorted(told["heard"], key=lambda beat: beat["name"])] == [
        "one",
        "two",
    ]
    assert left.code == 1
    assert f"{one.endpoint}  does not answer" in left.out
    assert f"{two.endpoint}  two " in left.out


def test_an_alarm_is_named_and_is_an_exit_code() -> None:
    with Datastore(flags=["--name", "alone"]) as server:
        well = status("--endpoints", server.endpoint)
        with grpc.insecure_channel(server.address) as channel:
            stub = rpc_pb2_grpc.MaintenanceStub(channel)
            member = stub.Status(pb.StatusRequest()).header.member_id
            action, alarm = pb.AlarmRequest.ACTIVATE, pb.NOSPACE
            stub.Alarm(pb.AlarmRequest(action=action, memberID=member, alarm=alarm))
        unwell = status("--endpoints", server.endpoint)
        as_json = status("--endpoints", server.endpoint, "--json")

    assert (well.code, unwell.code, as_json.code) == (0, 1, 1)
    assert "alarm       NOSPACE, raised by alone\n" in unwell.out
    assert "memberID:" not in unwell.out
    told = json.loads(as_json.out)
    assert told["alarms"] == [{"memberID": member, "alarm": "NOSPACE"}]
    assert (told["ok"], told["lock"]) == (False, None)


def test_a_real_etcd_too() -> None:
    with Etcd() as etcd:
        shown = status("--endpoints", etcd.endpoint, "--metrics-urls", etcd.endpoint)

    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines()[1].split()[2] == "3.6.14"
    assert "0 watchers (0 behind)" in shown.out


def test_over_tls_with_a_client_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("server", ["127.0.0.1"])
    client = authority.issue("client", [])
    flags = [
        f"--cert-file={pair.certificate}",
        f"--key-file={pair.key}",
        f"--trusted-ca-file={authority.certificate}",
        "--client-cert-auth",
    ]
    known = ("--cacert", str(authority.certificate))
    shown = ("--cert", str(client.certificate), "--key", str(client.key))
    with SecureServer(OURS, tmp_path, flags) as server:
        allowed = status("--endpoints", server.endpoint, *known, *shown)
        refused = status("--endpoints", server.endpoint, *known)

    assert allowed.code == 0, allowed
    assert refused.code == 1
    assert "takes connections but does not answer as https" in refused.out


def test_metrics_that_are_not_there_are_said_and_no_trouble() -> None:
    with Datastore() as server:
        nobody = f"http://127.0.0.1:{free_port()}"
        shown = status("--endpoints", server.endpoint, "--metrics-urls", nobody)

    assert shown.code == 0
    assert f"lag         {server.endpoint}: {nobody}: [Errno 111] Connection refused" in shown.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--endpoints", ","), "--endpoints names no server"),
        (("--endpoints", "ftp://a:1"), "ftp://a:1"),
        (("--endpoints", "http://a:1", "--metrics-urls", "http://a:1,http://b:1"), "one for each"),
        (("--endpoints", "https://a:1", "--cacert", "none"), "none: No such file"),
        (("--endpoints", "https://a:1", "--cert", "README.md"), "both or neither"),
        (("--endpoints", "http://a:1", "--endpoint", "oracle://x"), "is not one of"),
        (("--endpoint", "postgresql://u:secret@127.0.0.1:1/x"), "postgresql://127.0.0.1:1/x: "),
    ],
)
def test_what_cannot_be_asked_is_one_line(words: tuple[str, ...], said: str) -> None:
    done = status(*words)

    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done
    assert said in done.err
    assert "secret" not in done.err
