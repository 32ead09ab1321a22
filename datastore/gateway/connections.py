"""HTTP/1.1 connections: uvicorn's protocol, with bounds on what a stranger may cost.

A request's head may take HEAD_SECONDS and MAX_HEAD_BYTES (as Go's server allows); a connection
without a request is closed after KEEP_ALIVE_SECONDS, and one for which there is no room (`room.py`)
at once. What remains of a body when its answer is complete may take REST_SECONDS, and whoever is
told in the middle of sending that the connection ends can read that first (`parting.py`). The
client's verified certificate is in the scope, where ASGI has no place for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from uvicorn.server import ServerState
from wsproto.utilities import LocalProtocolError

from datastore.gateway.bodies import wait_gone
from datastore.gateway.parting import Door
from datastore.gateway.room import Room
from datastore.gateway.shared_port import Relay, SharedPort
from datastore.tls.contexts import shown_chain

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Sequence

    from datastore.gateway.bodies import Receive
    from datastore.gateway.replies import Send

PEER = "tapir.peer"
log = logging.getLogger(__name__)
CONNECTIONS = 10_000
HEAD_SECONDS = 60.0
KEEP_ALIVE_SECONDS = 180
REST_SECONDS = 60.0  # of a body, after its answer
MAX_HEAD_BYTES = 1 << 20
MAX_MESSAGE_BYTES = 16 << 20  # of a WebSocket
SECURE = ("https", "wss")
_HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\n"
    b"connection: close\r\n\r\n"
)
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
Refusal = Callable[[bytes, str], Awaitable[str]]  # why a chain (PEM) from a host may not come in


class Peer(NamedTuple):
    """The client of a connection, and the certificates that it has shown: PEM, its own first."""

    chain: bytes
    transport: Any


def peer_of(scope: Any) -> Peer:
    """Return the client behind a request."""
    found: Peer = scope["extensions"][PEER]
    return found


def guarded(app: Any, refusal: Refusal | None) -> Any:
    """Return an application that drops connections whose certificate `refusal` refuses."""
    if refusal is None:
        return app

    async def judging(scope: Any, receive: Receive, send: Send) -> None:
        peer = peer_of(scope)
        host = scope["client"][0] if scope["client"] else ""
        why = await refusal(peer.chain, host) if scope["scheme"] in SECURE else ""
        if not why:
            await app(scope, receive, send)
            return
        log.warning("connection refused client=%s why=%s", host, why)
        peer.transport.abort()
        await wait_gone(receive)

    return judging


class Connection(HttpToolsProtocol):
    """One connection."""

    room: Room
    _door: Door
    _head: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _rest: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Read the certificate once, and give the first head its time."""
        others = len(self.connections)
        self._door = Door(transport)
        super().connection_made(cast("Any", self._door))
        if not self.room.is_for(transport, others):
            transport.abort()
        self._peer = _peer(transport)
        self._begin_head()

    def data_received(self, data: bytes) -> None:
        """Refuse a head that is too long."""
        super().data_received(data)
        if self._head is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self._door.is_closing():
            self._door.write(_HEAD_TOO_LARGE)
            self._door.part()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP: what comes after it is not read either."""
        self._door.sending = True
        super().send_400_response(msg)

    def on_message_begin(self) -> None:
        """Put the certificate into the new request's scope, and the date on its answer."""
        super().on_message_begin()
        self.server_state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        cast("Any", self.scope)["extensions"] = {PEER: self._peer}
        if self._head is None:
            self._begin_head()

    def on_headers_complete(self) -> None:
        """Stop the clock of the head; a body follows, perhaps an empty one."""
        self._end_head()
        self._door.sending = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Know that the client has said all, for now."""
        self._door.sending = False
        self._end_rest()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Give the rest of a body that nobody wants its time."""
        super().on_response_complete()
        if self._door.sending and self.cycle.response_complete and not self._door.is_closing():
            self._rest = self.loop.call_later(REST_SECONDS, self._door.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._end_head()
        self._end_rest()
        super().connection_lost(exc)

    def _begin_head(self) -> None:
        self._head_bytes = 0
        self._head = self.loop.call_later(HEAD_SECONDS, self._door.close)

    def _end_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _end_rest(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None


class WebSocketConnection(WSProtocol):
    """A connection that asks to be a WebSocket; its transport is the Door of a Connection."""

    def data_received(self, data: bytes) -> None:
        """Refuse a request that is not ASCII, which wsproto takes for granted.

        Whoever is refused for what was read may be sending more of it.
        """
        door = cast("Door", self.transport)
        door.sending = True
        try:
            super().data_received(data)
        except UnicodeError:
            door.write(_BAD_REQUEST)
            door.part()
        door.sending = False

    def handle_close(self, event: Any) -> None:
        """Close: this client sends nothing more."""
        cast("Door", self.transport).sending = False
        super().handle_close(event)

    def shutdown(self) -> None:
        """Close; one that could not be told has gone already, or was refused."""
        with suppress(LocalProtocolError):
            super().shutdown()
        self.transport.close()

    def handle_connect(self, event: Any) -> None:
        """Put the certificate into the scope before the application's task has run."""
        super().handle_connect(event)
        cast("Any", self.scope)["extensions"][PEER] = _peer(self.transport)


def _peer(transport: Any) -> Peer:
    tls = transport.get_extra_info("ssl_object")
    return Peer(b"" if tls is None else shown_chain(tls), transport)


class Connections:
    """The connections of some listening sockets, which one application answers."""

    def __init__(
        self, app: Any, refusal: Refusal | None = None, connections: int = CONNECTIONS
    ) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # strangers' nonsense is no news
        self._room = Room(connections)
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []
        self._relays: set[Relay] = set()
        self._config = uvicorn.Config(
            guarded(app, refusal),
            http=Connection,
            ws=WebSocketConnection,
            ws_max_size=MAX_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._config.load()

    async def listen(
        self, sockets: Sequence[socket.socket], tls: ssl.SSLContext | None, grpc: str = ""
    ) -> None:
        """Take connections on bound sockets; `grpc` is the unix socket of gRPC's share of them."""
        loop = asyncio.get_running_loop()
        connect: Callable[[], asyncio.Protocol] = self._connect
        if grpc:
            connect = partial(SharedPort, grpc, self._connect, self._relays, self._room)
        for bound in sockets:
            server = await loop.create_server(connect, sock=bound, ssl=tls, backlog=1024)
            self._servers.append(server)

    async def stop(self, seconds: float) -> None:
        """Take no more connections or requests; after `seconds` drop what is not answered yet."""
        for server in self._servers:
            server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        tasks = set(self._state.tasks)
        relayed = [asyncio.ensure_future(relay.closed.wait()) for relay in self._relays]
        if tasks or relayed:
            await asyncio.wait((*tasks, *relayed), timeout=seconds)
        left: list[Any] = [*self._state.connections, *self._relays]
        for connection in left:
            connection.transport.abort()
        for task in (*tasks, *relayed):
            task.cancel()
        await asyncio.gather(*tasks, *relayed, return_exceptions=True)

    def _connect(self) -> Connection:
        connection = Connection(self._config, self._state, {})
        connection.room = self._room
        return connection
