"""A kubelet's HTTP side, small: it shows its logs and echoes what is executed.

It serves HTTPS with the node's certificate and takes only clients of the cluster's authority, as a
kubelet does. The relay under test is the API server's; the real kubelet's streams have tests of
their own.
"""

import asyncio
import json
import ssl
from types import TracebackType
from typing import Any

from aiohttp import WSMsgType, web

from control_plane.pki.cluster import ClusterPki
from control_plane.streams.relay import copy
from control_plane.streams.takeover import TakenWire
from control_plane.streams.upgrade import answer_head
from tests.support.apiserver import NODE
from tests.support.ports import free_port

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")


class KubeletPeer:
    """Runs in the test's loop; `queries` are what it was asked, `refusal` why it runs nothing."""

    def __init__(self, pki: ClusterPki) -> None:
        self.port = free_port()
        self.queries: list[tuple[str, dict[str, list[str]]]] = []
        self.follow = asyncio.Event()
        self.exec_ended = asyncio.Event()
        self.refusal = ""
        self.raw_heads: list[bytes] = []
        pair = pki.pair(f"kubelet-{NODE}")
        self.tls = ssl.create_default_context(
            ssl.Purpose.CLIENT_AUTH, cafile=str(pki.pair("ca").certificate)
        )
        self.tls.load_cert_chain(pair.certificate, pair.key)
        self.tls.verify_mode = ssl.CERT_REQUIRED
        app = web.Application()
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", self._logs)
        app.router.add_get("/exec/{namespace}/{pod}/{container}", self._exec)
        for path in ("exec", "attach"):
            app.router.add_post(f"/{path}/{{namespace}}/{{pod}}/{{container}}", self._echo)
        app.router.add_post("/portForward/{namespace}/{pod}", self._echo)
        self._runner = web.AppRunner(app)

    async def __aenter__(self) -> "KubeletPeer":
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self.tls).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.follow.set()  # lets handlers end: cleaning up waits for them
        await self._runner.cleanup()

    @property
    def node_status(self) -> dict[str, Any]:
        return {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.port}},
        }

    def _note(self, request: web.Request) -> None:
        query = {key: request.query.getall(key) for key in request.query}
        self.queries.append((request.path, query))

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        if request.query.get("previous"):
            text = 'previous terminated container "c" in pod "p" not found'
            return web.Response(status=400, text=text)
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first\n")
        if request.query.get("follow"):
            await self.follow.wait()
            await response.write(b"second\n")
        return response

    async def _echo(self, request: web.Request) -> web.Response:
        """Switch to whatever was asked for, and send back what comes."""
        if self.refusal:
            return web.Response(status=500, text=f"{self.refusal}\n")
        self._note(request)
        self.raw_heads.append(repr(request.raw_headers).encode())
        assert request.transport is not None
        wire = TakenWire(request.transport, request.protocol)
        lines = [
            (b"Connection", b"Upgrade"),
            (b"Upgrade", request.headers["Upgrade"].encode()),
            (b"X-Stream-Protocol-Version", b"v4.channel.k8s.io"),
        ]
        await wire.write(answer_head(101, "Switching Protocols", lines))
        await copy(wire, wire)
        self.exec_ended.set()
        await wire.close()
        return web.Response()

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        """Echo stdin (channel 0) on stdout (channel 1); at its end say success on channel 3."""
        self._note(request)
        if self.refusal:
            return web.Response(status=500, text=f"{self.refusal}\n")
        if "Upgrade" not in request.headers:
            return web.Response(status=400, text="Upgrade request required")
        socket = web.WebSocketResponse(protocols=PROTOCOLS)
        await socket.prepare(request)
        await socket.send_bytes(b"\x01")
        async for message in socket:
            if message.type is not WSMsgType.BINARY or message.data[:2] == b"\xff\x00":
                break
            if message.data[0] == 0:
                await socket.send_bytes(b"\x01" + message.data[1:])
        status = {"metadata": {}, "status": "Success"}
        if not socket.closed:
            await socket.send_bytes(b"\x03" + json.dumps(status).encode())
            await socket.close(code=1000)
        self.exec_ended.set()
        return socket
