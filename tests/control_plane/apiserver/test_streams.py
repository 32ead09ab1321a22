"""Logs and exec: streams between a client and the kubelet of the pod's node."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from control_plane.apiserver.http.listener import bind
from tests.control_plane.apiserver.objects import pod
from tests.control_plane.apiserver.streams_stage import PODS, Cluster, streams_stage

EXEC = f"{PODS}/p/exec?command=cat&command=-n&stdin=true&stdout=true"


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with streams_stage(tmp_path) as stage:
        yield stage


async def test_logs_are_relayed(cluster: Cluster) -> None:
    url = f"{cluster.server.url}{PODS}/p/log?tailLines=5&timestamps=true"
    async with cluster.session.get(url) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain")
        assert await response.text() == "first\n"
    path, query = cluster.kubelet.queries[0]
    assert path == "/containerLogs/default/p/c"
    assert query == {"tailLines": ["5"], "timestamps": ["true"]}
    code, status = await cluster.send("GET", f"{PODS}/p/log?previous=true")
    assert (code, status["reason"]) == (400, "BadRequest")
    assert status["message"] == 'previous terminated container "c" in pod "p" not found'


async def test_logs_of_a_node_whose_certificate_nobody_believes(cluster: Cluster) -> None:
    client = cluster.server.pki.pair("admin")  # no server's certificate
    cluster.kubelet.tls.load_cert_chain(client.certificate, client.key)
    code, status = await cluster.send("GET", f"{PODS}/p/log")
    assert (code, status["reason"]) == (500, "InternalError")
    url = f"{cluster.server.url}{PODS}/p/log?insecureSkipTLSVerifyBackend=true"
    async with cluster.session.get(url) as response:
        assert await response.text() == "first\n"


async def test_logs_are_followed(cluster: Cluster) -> None:
    url = f"{cluster.server.url}{PODS}/p/log?follow=true"
    async with cluster.session.get(url) as response:
        assert await response.content.readline() == b"first\n"
        cluster.kubelet.follow.set()
        assert await response.content.readline() == b"second\n"
        assert await response.content.read() == b""


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "v4.channel.k8s.io"])
async def test_exec_is_relayed(cluster: Cluster, protocol: str) -> None:
    url = cluster.server.url + EXEC
    async with cluster.session.ws_connect(url, protocols=(protocol,)) as socket:
        assert socket.protocol == protocol
        assert await socket.receive_bytes() == b"\x01"
        big = bytes(range(256)) * 4096
        for content in (b"hello", big):
            await socket.send_bytes(b"\x00" + content)
            assert await socket.receive_bytes() == b"\x01" + content
        await socket.send_bytes(b"\xff\x00")
        channel, *_ = status = await socket.receive_bytes()
        assert channel == 3
        assert json.loads(status[1:])["status"] == "Success"
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 1000
    path, query = cluster.kubelet.queries[0]
    assert path == "/exec/default/p/c"
    assert query == {"command": ["cat", "-n"], "input": ["1"], "output": ["1"]}


async def test_a_kubelet_that_refuses_is_quoted(cluster: Cluster) -> None:
    code, status = await cluster.send("POST", EXEC)
    assert (code, status["message"]) == (400, "Upgrade request required")
    cluster.kubelet.refusal = 'container not found ("c")'
    for protocol in ("SPDY/3.1", "websocket"):
        url, headers = cluster.server.url + EXEC, {"Connection": "Upgrade", "Upgrade": protocol}
        async with cluster.session.post(url, headers=headers) as response:
            assert response.status == 500
            assert await response.text() == 'container not found ("c")\n'
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await cluster.session.ws_connect(url, protocols=("v5.channel.k8s.io",))
    assert refused.value.status == 500
    assert not cluster.kubelet.exec_ended.is_set()


async def test_a_connection_that_is_refused_can_be_followed_by_another(cluster: Cluster) -> None:
    """A refused upgrade is the last request of its connection; the client opens the next."""
    headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}
    for _ in range(3):
        url = f"{cluster.server.url}{PODS}/none/exec?command=x&stdout=1"
        async with cluster.session.post(url, headers=headers) as response:
            assert response.status == 404
            assert response.headers["Connection"] == "close"


@pytest.mark.parametrize("subresource", ["attach", "exec", "portforward"])
async def test_spdy_is_passed_on_with_its_handshake(cluster: Cluster, subresource: str) -> None:
    lines = [
        f"POST {PODS}/p/{subresource}?command=ls&stdin=1&stderr=true&tty=0 HTTP/1.1",
        "Host: x",
        "Connection: Upgrade",
        "Upgrade: SPDY/3.1",
        "Authorization: Bearer secret",
        "X-Stream-Protocol-Version: v5.channel.k8s.io",
        "X-Stream-Protocol-Version: v4.channel.k8s.io",
        "Content-Length: 0",
    ]
    tls = cluster.session.connector._ssl  # type: ignore[union-attr]
    port = cluster.server.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"X-Stream-Protocol-Version: v4.channel.k8s.io" in head
    for content in (b"bytes", bytes(1_000_000)):
        writer.write(content)
        assert await reader.readexactly(len(content)) == content
    (asked,) = cluster.kubelet.raw_heads
    assert b"v5.channel.k8s.io" in asked
    assert b"secret" not in asked
    writer.close()
    await cluster.kubelet.exec_ended.wait()


async def test_a_client_that_leaves_ends_the_command(cluster: Cluster) -> None:
    socket = await cluster.session.ws_connect(
        cluster.server.url + EXEC, protocols=("v5.channel.k8s.io",)
    )
    assert await socket.receive_bytes() == b"\x01"
    await socket.close()
    await cluster.kubelet.exec_ended.wait()


async def test_a_server_that_stops_ends_its_streams(cluster: Cluster) -> None:
    url = f"{cluster.server.url}{PODS}/p/log?follow=true"
    socket = await cluster.session.ws_connect(
        cluster.server.url + EXEC, protocols=("v5.channel.k8s.io",)
    )
    async with cluster.session.get(url) as response:
        assert await response.content.readline() == b"first\n"
        await cluster.server.stop()
        assert await response.content.read() == b""
    await socket.close()


@pytest.mark.parametrize(
    ("path", "protocol", "code", "message"),
    [
        (f"{PODS}/none/exec?command=x&stdout=1", "v5.channel.k8s.io", 404, "not found"),
        (f"{PODS}/p/exec?command=x", "v5.channel.k8s.io", 400, "at least 1 of stdin"),
        (f"{PODS}/p/exec?stdout=1", "v5.channel.k8s.io", 400, "at least one command"),
        (f"{PODS}/p/exec?command=x&stdout=1&container=z", "v5.channel.k8s.io", 400, "container z"),
    ],
)
async def test_handshakes_that_are_refused(
    cluster: Cluster, path: str, protocol: str, code: int, message: str
) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": protocol,
    }
    async with cluster.session.get(cluster.server.url + path, headers=headers) as response:
        assert response.status == code
        status = await response.json(content_type=None)
    assert status["kind"] == "Status"
    assert message in status["message"]


async def test_a_kubelet_that_does_not_answer(cluster: Cluster) -> None:
    gone = {"metadata": {"name": "gone"}, "status": cluster.kubelet.node_status}
    gone["status"] = {
        **cluster.kubelet.node_status,
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 1}},
    }
    await cluster.send("POST", "/api/v1/nodes", gone)
    await cluster.send("POST", PODS, pod("lonely", node="gone"))
    code, status = await cluster.send("GET", f"{PODS}/lonely/log")
    assert (code, status["reason"]) == (500, "InternalError")
    assert "containerLogs/default/lonely/c" in status["message"]


def test_a_client_that_vanishes_is_noticed() -> None:
    with contextlib.closing(bind("127.0.0.1", 0)) as listening:
        listening.setblocking(True)
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
