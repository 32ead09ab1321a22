"""What the native front leaves to somebody else: streams, and calls that no service takes.

h2corn serves HTTP/2 on a unix socket that only the native front may open, and hands a call over as
an ASGI application's (`stream_call`). What a method answers at once goes out at once, so a burst of
keepalives costs one write, not one each.

h2corn cancels a call whose client has gone, and makes `send` wait while a client does not read.
Bounds: `WINDOW` bytes a stream and `CONNECTION_WINDOW` a connection that have arrived unread.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from datastore.rpc.answering import Edge, Stream, unknown_call
from datastore.rpc.stream_call import Answers, StreamCall, metadata_of

try:
    import h2corn
    from h2corn import _lib, _server
except ImportError:  # an optional extra: grpcio serves everything then
    INSTALLED = False
else:
    INSTALLED = True
    # It is one part of a server: what that says to the log and to systemd is not for it to say,
    # and there is no setting for it.
    _lib.emit_banner = lambda *_: None
    _server.notify_ready = _server.notify_stopping = lambda: False  # type: ignore[attr-defined]

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datastore.rpc.answering import Method
    from datastore.rpc.stream_call import Event, Receive, Send

WINDOW = 1 << 20
CONNECTION_WINDOW = 8 << 20
STREAMS = (1 << 31) - 1  # of a connection: the native front bounds its clients' itself
STOP_SECONDS = 1.0


class StreamFront:
    """The streams of one server, on one unix socket."""

    def __init__(self, edge: Edge, services: Mapping[str, Mapping[str, Method]], path: str) -> None:
        """Open nothing yet."""
        self._edge = edge
        self._services = services
        self._methods = {
            f"/{service}/{name}": (method, edge.counts.of(service, name))
            for service, methods in services.items()
            for name, method in methods.items()
            if isinstance(method, Stream)
        }
        self._server = h2corn.Server(self._serve, _config(path))
        self._serving: asyncio.Task[None] | None = None
        self._calls: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Take calls."""
        self._serving = asyncio.create_task(self._server.serve())
        await self._server.wait_started()

    async def drain(self, grace: float) -> None:
        """Give the calls in progress so many seconds; a stream ends with the server by itself."""
        if self._calls:
            await asyncio.wait(list(self._calls), timeout=grace)

    async def close(self) -> None:
        """Close the socket, and end what is left."""
        if self._serving is not None:
            self._server.shutdown()
            await asyncio.gather(self._serving, return_exceptions=True)
            self._serving = None

    async def _serve(self, scope: Event, receive: Receive, send: Send) -> None:
        """Answer a call: the ASGI application."""
        found = self._methods.get(scope["path"])
        answers = Answers(send)
        if found is None:
            await answers.end("UNIMPLEMENTED", unknown_call(scope["path"], self._services))
            return
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        try:
            metadata = metadata_of(scope["headers"])
            await StreamCall(self._edge, *found, metadata, receive, answers).answer()
        finally:
            self._calls.discard(task)


def _config(path: str) -> h2corn.Config:
    """Return h2corn's settings: nothing ends a stream because it has been still for a while."""
    return h2corn.Config(
        bind=(f"unix:{path}",),
        grpc=True,
        http1=False,
        access_log=False,
        lifespan="off",
        runtime_threads=1,
        max_concurrent_streams=STREAMS,
        limit_request_fields=0,
        h2_initial_stream_window_size=WINDOW,
        h2_initial_connection_window_size=CONNECTION_WINDOW,
        timeout_keep_alive=0,
        h2_timeout_response_stall=0,
        h2_timeout_write=0,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
