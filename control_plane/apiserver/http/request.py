"""One HTTP request, read as far as its head; the body is read when a handler asks for it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from control_plane.api.errors import RequestEntityTooLarge
from control_plane.apiserver.auth.user import ANONYMOUS, User
from control_plane.apiserver.http.protocols import Connection, connection_of
from control_plane.apiserver.http.query import Query

MAX_BODY_BYTES = 3 * 1024 * 1024
MAX_WARNINGS = 100

Receive = Callable[[], Awaitable[Any]]


class Request:
    """A request with its user. `warnings` become Warning headers of whatever the answer is."""

    def __init__(self, scope: Any, receive: Receive) -> None:
        """Wrap an ASGI http or websocket scope."""
        self.method: str = scope.get("method", "GET")
        self.path: str = scope["path"]
        self.raw_path: str = scope["raw_path"].decode("latin-1")
        self.query = Query(scope["query_string"])
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.connection: Connection | None = connection_of(scope)
        self.user: User = ANONYMOUS
        self.warnings: list[str] = []
        self.is_socket: bool = scope["type"] == "websocket"
        self.subprotocols: list[str] = list(scope.get("subprotocols") or ())
        self.receive = receive

    def header(self, name: bytes) -> str:
        """A header's value, "" when absent; `name` is lower-case."""
        return self.headers.get(name, b"").decode("latin-1")

    def warn(self, text: str) -> None:
        """Add a warning once."""
        if text not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(text)

    async def body(self) -> bytes:
        """The whole body; raises RequestEntityTooLarge as soon as it is known to be too long."""
        declared = self.header(b"content-length")
        if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
            raise RequestEntityTooLarge.of(f"limit is {MAX_BODY_BYTES}")
        chunks, length = [], 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            chunk = message.get("body", b"")
            length += len(chunk)
            if length > MAX_BODY_BYTES:
                raise RequestEntityTooLarge.of(f"limit is {MAX_BODY_BYTES}")
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)

    async def disconnected(self) -> None:
        """Return when the client has gone away."""
        while True:
            message = await self.receive()
            if message["type"] in ("http.disconnect", "websocket.disconnect"):
                return


class ClientGoneError(Exception):
    """The client closed the connection while it was being served; there is nobody to answer."""
