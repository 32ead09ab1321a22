"""What a client of HTTP may cost, and how its connections end."""

import asyncio
import contextlib
import http.client
import json
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datastore.gateway.connections import Connections
from tests.contract.http.metrics import value_of
from tests.contract.http.web import Ports, Web, b64, eventually, send_raw
from tests.support.datastore import REPOSITORY, Datastore
from tests.support.ports import free_port

MIB = 1 << 20


@pytest.fixture(scope="module")
def ports() -> Iterator[Ports]:
    ports = Ports.chosen()
    with Datastore(flags=ports.flags):
        yield ports


@pytest.fixture
def web(ports: Ports) -> Web:
    return ports.web


def watching(web: Web, key: bytes) -> socket.socket:
    """A connection with a watch that nobody reads yet."""
    host, port = web.address.split(":")
    body = json.dumps({"create_request": {"key": b64(key)}})
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    held.settimeout(60)
    held.connect((host, int(port)))
    head = f"POST /v3/watch HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    held.sendall((head + body).encode())
    return held


def test_a_watch_that_is_not_read_waits_and_loses_nothing(web: Web) -> None:
    count = 24
    with contextlib.closing(watching(web, b"slow")) as held:
        eventually(lambda: value_of(web, "etcd_debugging_mvcc_watcher_total") == 1, "the watch")
        for number in range(count):
            value = b64(b"%08d" % number + b"x" * (MIB - 8))
            web.call("kv/put", {"key": b64(b"slow"), "value": value})
        assert value_of(web, "etcd_debugging_mvcc_slow_watcher_total") == 1
        assert value_of(web, "etcd_debugging_mvcc_pending_events_total") < 8

        response = http.client.HTTPResponse(held)
        response.begin()
        assert json.loads(response.readline())["result"]["created"]
        seen: list[str] = []
        while len(seen) < count:
            result = json.loads(response.readline())["result"]
            seen += [event["kv"]["version"] for event in result["events"]]
        response.close()

    assert seen == [str(number) for number in range(1, count + 1)]


def test_a_head_has_a_limit(web: Web) -> None:
    head = b"GET /version HTTP/1.1\r\nHost: x\r\n" + b"X-A: %b\r\n" % (b"a" * 1000) * 1200

    assert send_raw(web.address, head).startswith(b"HTTP/1.1 431 ")


def test_a_body_has_a_limit(web: Web) -> None:
    answer = web.send("POST", "/v3/kv/put", b" " * (5 * MIB))

    assert (answer.status, answer.json["code"]) == (429, 8)


def nested(levels: int, key: bytes) -> dict[str, Any]:
    """A Txn that puts in the innermost of so many Txns."""
    txn: dict[str, Any] = {"success": [{"request_put": {"key": b64(key)}}]}
    for _ in range(levels):
        txn = {"success": [{"request_txn": txn}]}
    return txn


def test_a_txn_as_deep_as_may_be_is_answered(web: Web) -> None:
    answer = web.call("kv/txn", nested(48, b"deep"))

    for _ in range(48):
        (operation,) = answer["responses"]
        answer = operation["response_txn"]
    assert answer["responses"][0].keys() == {"response_put"}


def test_a_txn_that_could_not_be_answered_is_not_begun(web: Web) -> None:
    answer = web.send("POST", "/v3/kv/txn", nested(49, b"deeper"))

    assert (answer.status, answer.json) == (
        400,
        {"code": 3, "message": "proto: exceeded maximum recursion depth"},
    )
    assert "kvs" not in web.call("kv/range", {"key": b64(b"deeper")})


def test_a_message_has_a_limit_of_values(web: Web) -> None:
    answer = web.send("POST", "/v3/kv/txn", '{"compare": [' + "{}," * 200_000 + "{}]}")

    assert (answer.status, answer.json["code"]) == (400, 3)


def test_a_message_of_a_stream_has_a_limit(web: Web) -> None:
    answer = web.send("POST", "/v3/lease/keepalive", b'{"ID": "' + b"1" * (5 * MIB))

    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("data", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\r\n\r\n"])
def test_what_is_no_http(web: Web, data: bytes) -> None:
    assert send_raw(web.address, data).startswith(b"HTTP/1.1 400 ")


UPGRADE = (
    b"GET /v3/watch HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize(
    "header", [b"Sec-WebSocket-Protocol: Bearer, \xff", b"Sec-WebSocket-Extensions: \xc3\xa9"]
)
async def test_an_upgrade_that_is_not_ascii(header: bytes) -> None:
    connections = Connections(None)
    with socket.create_server(("127.0.0.1", 0)) as bound:
        await connections.listen([bound], None)
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        writer.write(UPGRADE + header + b"\r\n\r\n")

        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
        await connections.stop(0)
        await connections.stop(0)


def test_streams_end_when_the_server_stops() -> None:
    ports = Ports.chosen()
    server = Datastore(flags=ports.flags)
    with server, ports.web.stream("watch", {"create_request": {"key": "YQ=="}}) as stream:
        stream.result()
        code = server.end()
        error = stream.read()["error"]

        assert (error, stream.ended()) == (
            {"code": 14, "message": "etcdserver: server stopped"},
            True,
        )
    assert code == 0


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    with Datastore(flags=[f"--listen-metrics-urls=unix://{path}"]) as server:
        eventually(path.is_socket, "the socket")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with socket.socket(socket.AF_UNIX) as held:
            held.connect(str(path))
            held.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert held.recv(100).startswith(b"HTTP/1.1 200 ")
        server.end()
        assert not path.exists()


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "datastore", "--endpoint", f"sqlite:///{tmp_path}/s.db"),
                *("--listen-client-urls", f"http://127.0.0.1:{free_port()}"),
                *("--listen-metrics-urls", url),
            ],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 2
    assert url in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "s.db").exists()
