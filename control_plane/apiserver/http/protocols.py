"""uvicorn's connection protocols, with what a Kubernetes API server needs of the connection itself.

Each request's scope gets an extension `tapir.connection`: the client certificate that TLS has
verified, and the way to drop a client that does not read. ASGI has no standard for either.
Source of the bound on a request's head: net/http of Go, as upstream uses it.
"""

import contextlib
import socket
import struct
from typing import Any, NamedTuple, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

EXTENSION = "tapir.connection"
MAX_HEAD_BYTES = 1024 * 1024
_HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\n"
    b"content-length: 35\r\n"
    b"connection: close\r\n\r\n"
    b"431 Request Header Fields Too Large"
)
_NO_LINGER = struct.pack("ii", 1, 0)  # closing forgets what the kernel still holds


class Connection(NamedTuple):
    """`certificate` is the peer's as ssl.getpeercert gives it, {} without one."""

    certificate: dict[str, Any]
    transport: Any

    def abort(self) -> None:
        """Drop the connection at once, with what the client has not read."""
        held = self.transport.get_extra_info("socket")
        with contextlib.suppress(OSError, TypeError, AttributeError):  # not every loop's can
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()


def connection_of(scope: Any) -> Connection | None:
    """The connection behind an ASGI scope; None when another server made the scope."""
    connection: Connection | None = scope.get("extensions", {}).get(EXTENSION)
    return connection


class HttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 with the peer's certificate in the scope, and a bound on a request's head.

    The parser has no bound of its own, and nobody has been authenticated when it reads the head.
    """

    _is_in_head = False
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Read the certificate once per connection."""
        super().connection_made(transport)
        self._connection = _connection(transport)

    def data_received(self, data: bytes) -> None:
        """Refuse a head that is still not complete after MAX_HEAD_BYTES."""
        super().data_received(data)
        if not self._is_in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_HEAD_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Add the extension to the new request's scope."""
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0
        cast("Any", self.scope)["extensions"] = {EXTENSION: self._connection}

    def on_headers_complete(self) -> None:
        """What follows is the body, which the request bounds."""
        self._is_in_head = False
        super().on_headers_complete()


class WebSocketProtocol(WSProtocol):
    """WebSockets with any sub-protocol name, and the peer's certificate in the scope."""

    def handle_connect(self, event: Any) -> None:
        """Add the extension before the application's task has run."""
        super().handle_connect(event)
        cast("Any", self.scope)["extensions"][EXTENSION] = _connection(self.transport)


def _connection(transport: Any) -> Connection:
    tls = transport.get_extra_info("ssl_object")
    return Connection((tls.getpeercert() or {}) if tls is not None else {}, transport)
