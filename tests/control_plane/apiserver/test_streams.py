"""Logs and exec: streams between a client and the kubelet of the pod's node."""

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.control_plane.apiserver.kubelet_peer import KubeletPeer
from tests.control_plane.apiserver.objects import pod
from tests.support.apiserver import NODE, ApiServer
from tests.support.etcd import Etcd

PODS = "/api/v1/namespaces/default/pods"
EXEC = f"{PODS}/p/exec?command=cat&command=-n&stdin=true&stdout=true"


class Cluster:
    """An API server, a kubelet, and an administrator's HTTP session."""

    def __init__(
        self, server: ApiServer, kubelet: KubeletPeer, session: aiohttp.ClientSession
    ) -> None:
        self.server, self.kubelet, self.session = server, kubelet, session

    async def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        url = self.server.url + path
        async with self.session.request(method, url, json=body) as response:
            return response.status, await response.json(content_type=None)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    with Etcd() as etcd:
        async with ApiServer(etcd.endpoint, tmp_path) as server, KubeletPeer(server.pki) as kubelet:
            tls = ssl.create_default_context(cafile=str(server.pki.pair("ca").certificate))
            admin = server.pki.pair("admin")
            tls.load_cert_chain(admin.certificate, admin.key)
            connector = aiohttp.TCPConnector(ssl=tls)
            async with aiohttp.ClientSession(connector=connector) as session:
                cluster = Cluster(server, kubelet, session)
                node = {"metadata": {"name": NODE}, "status": kubelet.node_status}
                assert (await cluster.send("POST", "/api/v1/nodes", node))[0] == 201
                accounts = "/api/v1/namespaces/default/serviceaccounts"
                await cluster.send("POST", accounts, {"metadata": {"name": "default"}})
                assert (await cluster.send("POST", PODS, pod("p", node=NODE)))[0] == 201
                yield cluster


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


async def test_the_kubelet_says_why_it_runs_no_command(cluster: Cluster) -> None:
    code, status = await cluster.send("POST", EXEC)
    assert code == 400
    assert status["message"] == "Upgrade request required: exec is served over WebSockets"
    cluster.kubelet.refusal = 'container not found ("c")'
    code, status = await cluster.send("POST", EXEC)
    assert (code, status["message"]) == (500, 'container not found ("c")')
    url = cluster.server.url + EXEC
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await cluster.session.ws_connect(url, protocols=("v5.channel.k8s.io",))
    assert refused.value.status == 500
    assert not cluster.kubelet.exec_ended.is_set()


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
        (EXEC, "v9.channel.k8s.io", 403, "unable to negotiate protocol"),
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
