"""One port for gRPC and HTTP: what speaks HTTP/2 at once is passed on to the gRPC server.

No gRPC server for Python takes over a connection that somebody else has accepted, so its bytes go
through this process twice, and grpcio serves them. It is done only for a URL that is named in both
--listen-client-urls and --listen-client-http-urls: docs/decisions/http-has-its-own-url.md.

A connection is judged by its first bytes. Each direction of a relay is read no faster than the
other side takes it: the bound is what a transport buffers.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.gateway.room import Room

PREFACE = b"PRI * HTTP/2.0\r\n"
FIRST_SECONDS = 60.0


class SharedPort(asyncio.Protocol):
    """A new connection: an HTTP one, or one end of a relay, as soon as it has said something."""

    def __init__(
        self,
        path: str,
        connect_http: Callable[[], asyncio.Protocol],
        relays: set[Relay],
        room: Room,
    ) -> None:
        """Relay to the gRPC server on the unix socket `path`; open relays are kept in `relays`."""
        self._path = path
        self._connect_http = connect_http
        self._relays = relays
        self._room = room
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first bytes, not for ever."""
        self._transport = cast("asyncio.Transport", transport)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(FIRST_SECONDS, self._transport.abort)
        if not self._room.is_for(transport, len(self._relays)):
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Hand the connection on once it is clear what it is."""
        self._data += data
        if len(self._data) < len(PREFACE) and PREFACE.startswith(self._data):
            return
        self._timer.cancel()
        protocol: asyncio.Protocol
        if self._data.startswith(PREFACE):
            protocol = Relay(self._path, self._relays)
        else:
            protocol = self._connect_http()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(self._data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._timer.cancel()


class _Side(asyncio.Protocol):
    """One side of a relay."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Know the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        if self.other and self.other.transport:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """Pass the end of a direction on, and keep the other."""
        if self.other and self.other.transport and self.other.transport.can_write_eof():
            self.other.transport.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other side when what it was given is sent."""
        if self.other and self.other.transport:
            self.other.transport.close()

    def pause_writing(self) -> None:
        """Read no more from the other side."""
        if self.other and self.other.transport:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on."""
        if self.other and self.other.transport:
            self.other.transport.resume_reading()


class Relay(_Side):
    """The client's side; it connects the other one."""

    def __init__(self, path: str, relays: set[Relay]) -> None:
        super().__init__()
        self._path = path
        self._relays = relays
        self._first: list[bytes] = []
        self._connecting: asyncio.Task[None] | None = None
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect to the gRPC server; meanwhile nothing more is read."""
        super().connection_made(transport)
        self._relays.add(self)
        cast("Any", transport).pause_reading()
        self._connecting = asyncio.ensure_future(self._connect())

    def data_received(self, data: bytes) -> None:
        """Pass bytes on, or keep those that came with the first."""
        if self.other is None:
            self._first.append(data)
        else:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Close both sides."""
        if self._connecting:
            self._connecting.cancel()
        super().connection_lost(exc)
        self._relays.discard(self)
        self.closed.set()

    async def _connect(self) -> None:
        assert self.transport is not None
        side = _Side()
        side.other = self  # the server speaks first, perhaps before this task goes on
        try:
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: side, self._path)
        except OSError:
            self.transport.abort()
            return
        self.other = side
        for data in self._first:
            super().data_received(data)
        self._first.clear()
        self.transport.resume_reading()
