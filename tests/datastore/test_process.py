"""The process: what it tells systemd, how it stops, and where it keeps a store by default."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import grpc
import pytest

from proto.etcd import rpc_pb2 as pb
from proto.etcd import rpc_pb2_grpc
from tests.support.datastore import REPOSITORY, Datastore
from tests.support.ports import free_port

SECONDS = 60.0


@contextmanager
def running(cwd: Path, *flags: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A datastore whose output is read; it is killed if the test leaves it running."""
    with subprocess.Popen(
        [sys.executable, "-m", "datastore", *flags],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_with(process: subprocess.Popen[str], text: str) -> str:
    assert process.stderr is not None
    return next(line for line in process.stderr if text in line)


def refused(cwd: Path, *flags: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "datastore", *flags],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 2, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def url() -> str:
    return f"--listen-client-urls=http://127.0.0.1:{free_port()}"


def test_without_a_database_the_store_lies_where_etcds_would(tmp_path: Path) -> None:
    with running(tmp_path, url(), "--name=infra0", "--log-format=json") as process:
        ready = json.loads(line_with(process, "ready to serve client requests"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0

    assert ready["msg"] == "ready to serve client requests"
    assert ready["urls"].startswith("http://127.0.0.1:")
    assert (tmp_path / "infra0.etcd" / "store.db").exists()
    assert (tmp_path / "infra0.etcd").stat().st_mode & 0o777 == 0o700


def test_etcds_own_data_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "default.etcd" / "member").mkdir(parents=True)

    said = refused(tmp_path, url())

    assert "holds etcd's own data" in said
    assert [path.name for path in (tmp_path / "default.etcd").iterdir()] == ["member"]


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert "file/data: Not a directory" in refused(tmp_path, url(), "--data-dir=file/data")


def test_a_file_in_place_of_the_data_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file.db").write_text("")

    said = refused(tmp_path, url(), "--data-dir=file.db")

    assert "--data-dir file.db is a file: give the directory" in said
    assert "--endpoint sqlite:///file.db" in said


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--cert-file=no.crt", "--key-file=no.key"], "--cert-file no.crt: No such file"),
        (["--cert-file=text", "--key-file=text"], "--cert-file text and --key-file text"),
    ],
)
def test_certificates_that_cannot_be_used_are_named(
    tmp_path: Path, flags: list[str], named: str
) -> None:
    (tmp_path / "text").write_text("no certificate")

    assert named in refused(tmp_path, *flags, f"{url()}".replace("http:", "https:"))
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_systemd_is_told(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(SECONDS)
        with running(tmp_path, url(), NOTIFY_SOCKET=path) as process:
            assert systemd.recv(100) == b"READY=1"
            process.send_signal(signal.SIGTERM)
            assert systemd.recv(100) == b"STOPPING=1"
            assert process.wait(SECONDS) == 0


async def test_a_stop_ends_streams_so_that_clients_resume_elsewhere() -> None:
    with Datastore() as server:
        async with grpc.aio.insecure_channel(server.address) as channel:
            create = pb.WatchCreateRequest(key=b"a")
            call = rpc_pb2_grpc.WatchStub(channel).Watch(
                iter_once(pb.WatchRequest(create_request=create))
            )
            assert (await call.read()).created
            code = await asyncio.to_thread(server.end)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call.read()

    assert code == 0
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def iter_once(request: pb.WatchRequest):  # type: ignore[no-untyped-def]
    """Send one request and leave the stream open."""
    yield request
    await asyncio.Event().wait()


async def test_the_peer_urls_that_were_given_are_told() -> None:
    with Datastore(flags=["--initial-advertise-peer-urls=https://10.0.0.5:2380"]) as server:
        async with grpc.aio.insecure_channel(server.address) as channel:
            found = await rpc_pb2_grpc.ClusterStub(channel).MemberList(pb.MemberListRequest())

    assert list(found.members[0].peerURLs) == ["https://10.0.0.5:2380"]
    assert list(found.members[0].clientURLs) == [server.endpoint]


def test_a_second_signal_ends_the_process_at_once(tmp_path: Path) -> None:
    """The first one waits for a write, which waits here for another user of the file."""
    address = f"127.0.0.1:{free_port()}"
    flags = ("--endpoint=sqlite:///store.db", f"--listen-client-urls=http://{address}")
    with running(tmp_path, *flags) as process, grpc.insecure_channel(address) as channel:
        line_with(process, "ready to serve client requests")
        with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            kv = rpc_pb2_grpc.KVStub(channel)
            kv.Put.future(pb.PutRequest(key=b"a"))
            kv.Range(pb.RangeRequest(key=b"b"))  # answered: so the put has come, too
            process.send_signal(signal.SIGTERM)
            line_with(process, "stopped taking calls")
            process.send_signal(signal.SIGTERM)

            assert process.wait(SECONDS) == -signal.SIGTERM
