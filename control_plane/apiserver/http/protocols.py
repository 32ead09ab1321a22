"""uvicorn's connection protocols, with what a Kubernetes API server needs of the connection itself.

Each request's scope gets an extension `tapir.connection`: the client certificate that TLS has
verified, and the ways to drop a client that does not read and to take the connection over for
another protocol. ASGI has no standard for any of them. `tapir.cycle` is uvicorn's state of the
request, through which `whole_answer` answers; weak, since that has the scope.
Source of the bound on a request's head: net/http of Go, as upstream uses it.
"""

import asyncio
import contextlib
import re
import socket
import struct
import weakref
from typing import Any, NamedTuple, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from control_plane.apiserver.auth.certificates import Peer, peer_of
from control_plane.apiserver.http.departure import Departure
from control_plane.streams.takeover import TakenWire

EXTENSION = "tapir.connection"
CYCLE = "tapir.cycle"
MAX_HEAD_BYTES = 1024 * 1024
HEAD_SECONDS = 32
_HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\n"
    b"content-length: 35\r\n"
    b"connection: close\r\n\r\n"
    b"431 Request Header Fields Too Large"
)
# Subresources whose upgraded connections, WebSockets too, are passed on as bytes.
_PASSED_ON = re.compile(
    rb"/api/v1/(?:namespaces/[^/]+/(?:pods|services)|nodes)/[^/]+/"
    rb"(?:attach|exec|portforward|proxy)(?:[/?]|$)"
)
_NO_LINGER = struct.pack("ii", 1, 0)  # closing forgets what the kernel still holds


class Connection(NamedTuple):
    """`peer` is who the client's certificate names, None without one.

    `departure` happens when the connection is lost.
    """

    peer: Peer | None
    transport: Any
    departure: Departure
    protocol: "weakref.ref[asyncio.BaseProtocol]"  # weak: it has us, and is freed without the gc

    def abort(self) -> None:
        """Drop the connection at once, with what the client has not read."""
        held = self.transport.get_extra_info("socket")
        with contextlib.suppress(OSError, TypeError, AttributeError):  # not every loop's can
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()

    def take_over(self) -> TakenWire:
        """The connection's bytes from here on; for an HTTP request that has not been answered."""
        protocol = self.protocol()
        if protocol is None:
            raise ConnectionResetError("the client has gone")
        return TakenWire(self.transport, protocol)


def passes_on(raw_path: str) -> bool:
    """Whether what a path is about is passed on to another server."""
    return _PASSED_ON.match(raw_path.encode("latin-1")) is not None


def _nowhere(_url: bytes) -> bool:
    return False


class HttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 with the peer's certificate in the scope, and bounds on a request's head.

    The parser has no bounds of its own, and nobody has been authenticated when it reads the head.
    """

    _is_in_head = False
    _head_bytes = 0
    _patience: asyncio.TimerHandle | None = None
    _idle_since: float | None = None

    def connection_made(self, transport: Any) -> None:
        """Read the certificate once per connection."""
        super().connection_made(transport)
        self._connection = _connection(transport, self)
        self._wait_for_head()

    def _wait_for_head(self) -> None:
        """Close the connection unless a head is complete HEAD_SECONDS after it began."""
        if self._patience is None:
            self._patience = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits for it that the client has gone."""
        self._stop_waiting()
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:  # uvicorn's own end leaves it to run
            self.timeout_keep_alive_task.cancel()
        self._connection.departure.happen()

    def _unset_keepalive_if_required(self) -> None:
        """Leave the timer as it is: one for each request would cost more than many requests do."""
        self._idle_since = None

    def on_response_complete(self) -> None:
        """Note since when the client has asked for nothing more, unless it has already."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_after(self.timeout_keep_alive)

    def _look_after(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self._look_if_idle)

    def _look_if_idle(self) -> None:
        """Close the connection if it has been idle for long, else look again when it may be."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return  # the end of what is asked for now looks again
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_after(left)
        else:
            self.timeout_keep_alive_handler()

    def data_received(self, data: bytes) -> None:
        """Refuse a head that is still not complete after MAX_HEAD_BYTES."""
        super().data_received(data)
        if not self._is_in_head:
            return
        self._wait_for_head()
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_HEAD_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Add the extension to the new request's scope."""
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0
        self.scope["extensions"] = {EXTENSION: self._connection}  # type: ignore[dict-item]

    def on_headers_complete(self) -> None:
        """What follows is the body, which the request bounds."""
        self._is_in_head = False
        self._stop_waiting()
        super().on_headers_complete()
        if self.cycle is not None and self.cycle.scope is self.scope:
            self.scope["extensions"][CYCLE] = weakref.ref(self.cycle)  # type: ignore[assignment]

    def _should_upgrade(self) -> bool:
        """Leave WebSockets that are passed on to the handler, which takes the connection over."""
        if not super()._should_upgrade() or _PASSED_ON.match(self.url) is not None:
            return False
        passes_on: Any = getattr(self.app, "passes_sockets_on", _nowhere)
        return not passes_on(self.url)

    def _unsupported_upgrade_warning(self) -> None:
        """A handler may take the connection over; if none does, the answer is its last."""
        if self.cycle is not None:
            self.cycle.keep_alive = False


class WebSocketProtocol(WSProtocol):
    """WebSockets with any sub-protocol name, and the peer's certificate in the scope."""

    def connection_made(self, transport: Any) -> None:
        """Read the certificate once per connection."""
        super().connection_made(transport)
        self._connection = _connection(transport, self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits for it that the client has gone."""
        super().connection_lost(exc)
        self._connection.departure.happen()

    def handle_connect(self, event: Any) -> None:
        """Add the extension before the application's task has run."""
        super().handle_connect(event)
        cast("Any", self.scope)["extensions"][EXTENSION] = self._connection


def _connection(transport: Any, protocol: asyncio.BaseProtocol) -> Connection:
    tls = transport.get_extra_info("ssl_object")
    peer = peer_of(tls) if tls is not None else None
    return Connection(peer, transport, Departure(), weakref.ref(protocol))
