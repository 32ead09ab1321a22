"""An HTTP server for the proxy subresources to call, on an address that is not loopback's.

It says what it was asked, and serves pages, redirects, streams and WebSockets.
"""

import asyncio
import gzip
import socket
from types import TracebackType

from aiohttp import WSMsgType, web

from tests.support.servers import missing_server

PAGE = b"""<html><head><link href="/style.css"><script>var a = '<a href="/x">';</script></head>
<body background='/b.png'><!-- <a href="/no"> --><a class=x href=/here?a=1&amp;b=2>here</a>
<a href="relative">r</a><a href="http://other.example/there">o</a>
<img src="//other.example/i"></body>"""


def own_address() -> str:
    """The address that this machine would use for others; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            missing_server("this machine has no address but loopback's")
        return str(probe.getsockname()[0])


class BackendPeer:
    """Runs in the test's loop."""

    def __init__(self) -> None:
        self.address, self.port = own_address(), 0
        self.requests: list[web.BaseRequest] = []
        self.bodies: list[bytes] = []
        self.more = asyncio.Event()
        self.left = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._serve, handler_cancellation=True))

    async def __aenter__(self) -> "BackendPeer":
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.address, 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.more.set()
        await self._runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(request)
        match request.rel_url.raw_path:
            case "/page":
                return web.Response(body=PAGE, content_type="text/html")
            case "/packed":
                headers = {"Content-Encoding": "gzip"}
                return web.Response(
                    body=gzip.compress(PAGE), content_type="text/html", headers=headers
                )
            case "/moved":
                return web.Response(status=302, headers={"Location": "/elsewhere?x=1"})
            case "/stream" | "/broken":
                return await self._stream(request)
            case "/socket":
                return await self._socket(request)
            case "/refused":
                return web.Response(status=418, text="no teapot\n")
        self.bodies.append(b"".join([chunk async for chunk in request.content.iter_any()]))
        headers = {"X-Backend": "1", "Access-Control-Allow-Origin": "*", "Set-Cookie": "a=b"}
        return web.Response(text="answer", headers=headers)

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first\n")
        try:
            await self.more.wait()
        except asyncio.CancelledError:
            self.left.set()
            raise
        await response.write(b"second\n")
        if request.rel_url.raw_path == "/broken":
            assert request.transport is not None
            request.transport.abort()
        return response

    async def _socket(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.WebSocketResponse(protocols=("echo",))
        await response.prepare(request)
        async for message in response:
            if message.type is WSMsgType.TEXT:
                await response.send_str(message.data)
        self.left.set()
        return response
