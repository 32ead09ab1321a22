"""uvicorn's connection protocols, with what a Kubernetes API server needs of the connection itself.

Each request's scope gets an extension `tapir.connection`: the client certificate that TLS has
verified, and the way to drop a client that does not read. ASGI has no standard for either.
"""

import contextlib
import socket
import struct
from typing import Any, NamedTuple, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

EXTENSION = "tapir.connection"
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
    """HTTP/1.1 with the peer's certificate in the scope."""

    def connection_made(self, transport: Any) -> None:
        """Read the certificate once per connection."""
        super().connection_made(transport)
        self._connection = _connection(transport)

    def on_message_begin(self) -> None:
        """Add the extension to the new request's scope."""
        super().on_message_begin()
        cast("Any", self.scope)["extensions"] = {EXTENSION: self._connection}


class WebSocketProtocol(WSProtocol):
    """WebSockets with any sub-protocol name, and the peer's certificate in the scope."""

    def handle_connect(self, event: Any) -> None:
        """Add the extension before the application's task has run."""
        super().handle_connect(event)
        cast("Any", self.scope)["extensions"][EXTENSION] = _connection(self.transport)


def _connection(transport: Any) -> Connection:
    tls = transport.get_extra_info("ssl_object")
    return Connection((tls.getpeercert() or {}) if tls is not None else {}, transport)
