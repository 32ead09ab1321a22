"""One HTTP request, read as far as its head; the body is read when a handler asks for it."""

import asyncio
import itertools
import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from control_plane.api.errors import RequestEntityTooLarge
from control_plane.apiserver.auth.user import ANONYMOUS, User
from control_plane.apiserver.http.departure import Departure
from control_plane.apiserver.http.protocols import CYCLE, EXTENSION, Connection, passes_on
from control_plane.apiserver.http.query import NO_QUERY, Query, objection_to_escapes
from control_plane.apiserver.http.time_limit import LONGEST_SECONDS

if TYPE_CHECKING:
    from control_plane.apiserver.audit.trail import Trail
    from control_plane.apiserver.flow_control.limiter import Headers, Seat
    from control_plane.apiserver.metrics.requests import Series

MAX_BODY_BYTES = 3 * 1024 * 1024
MAX_WARNINGS = 100
MAX_AUDIT_ID = 64
_PRINTABLE = re.compile(rb"[!-~]+")
_THIS_PROCESS = b"%08x-%04x-4%03x-8%03x-" % tuple(map(random.getrandbits, (32, 16, 12, 12)))
_next_number = itertools.count(random.getrandbits(47)).__next__
_NO_EXTENSIONS: Mapping[str, Any] = {}

Receive = Callable[[], Awaitable[Any]]


class Request:
    """A request with its user. `warnings` become Warning headers of whatever the answer is.

    `annotations` are for its audit event, and `trail` records it where it is to be recorded;
    `impersonator` is who asks as somebody else, `is_unidentified` one who was not believed.
    `series` is what it is counted in, `waited` the seconds it waited for its turn, `seconds` how
    long it may take, `task` what serves it; `flow_headers` go with the answer; `seat` is what the
    request holds of the server while it is served; `departure` is when the client leaves.
    """

    # What most requests have to the end, so that it need not be set for each.
    user: User = ANONYMOUS
    trail: "Trail | None" = None
    impersonator: User | None = None
    is_unidentified = False
    flow_headers: "Headers" = ()
    seat: "Seat | None" = None
    series: "Series | None" = None
    waited = 0.0
    seconds = LONGEST_SECONDS
    was_abandoned = False
    _audit_id = b""
    task: asyncio.Task[Any] | None = None
    is_socket = False
    subprotocols: Sequence[str] = ()
    _is_abandonable = False

    def __init__(self, scope: Any, receive: Receive) -> None:
        """Wrap an ASGI http or websocket scope."""
        self.method: str = scope.get("method", "GET")
        self.path: str = scope["path"]
        self.raw_path: str = scope["raw_path"].decode("latin-1")
        self.query_string: bytes = scope["query_string"]
        self.query = Query(self.query_string) if self.query_string else NO_QUERY
        self.header_lines: Sequence[tuple[bytes, bytes]] = scope["headers"]
        self.headers: Mapping[bytes, bytes] = dict(self.header_lines)
        extensions = scope.get("extensions") or _NO_EXTENSIONS
        connection: Connection | None = extensions.get(EXTENSION)
        self.connection = connection
        self.departure = connection.departure if connection is not None else Departure()
        self.cycle: Callable[[], Any] | None = extensions.get(CYCLE)
        self.warnings: list[str] = []
        self.annotations: dict[str, str] = {}
        self.receive = receive
        self._scope = scope
        if scope["type"] == "websocket":
            self.is_socket = True
            self.subprotocols = list(scope.get("subprotocols") or ())

    @property
    def client(self) -> str:
        """The client's address, "" if nobody knows."""
        address: str = (self._scope.get("client") or ("",))[0]
        return address

    def release_seat(self) -> None:
        """Let others be served: what is left of this request is not limited."""
        if self.seat is not None:
            self.seat.release()

    def abandon_when_gone(self) -> None:
        """Cancel the request's task when the client leaves, until `stop_abandoning`."""
        self._is_abandonable = True
        self.departure.add(self._abandon)

    def _abandon(self) -> None:
        self.was_abandoned = True
        if self.task is not None:
            self.task.cancel()

    def stop_abandoning(self) -> None:
        """Whatever becomes of the client, go on."""
        if self._is_abandonable:
            self.departure.discard(self._abandon)
            self._is_abandonable = False

    @property
    def objection(self) -> str:
        """Why the URL is to be refused, "" when it is not."""
        return self.query.objection or objection_to_escapes(self.raw_path)

    def header(self, name: bytes) -> str:
        """A header's value, "" when absent; `name` is lower-case."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def is_passed_on(self) -> bool:
        """Whether path and query are another server's to understand, but for the beginning."""
        return "/proxy" in self.raw_path and passes_on(self.raw_path)

    @property
    def upgrade(self) -> str:
        """The protocol that the connection is to be upgraded to, in lower case; "" for none."""
        connection = b",".join(value for name, value in self.header_lines if name == b"connection")
        return self.header(b"upgrade").lower() if b"upgrade" in connection.lower() else ""

    def warn(self, text: str) -> None:
        """Add a warning once."""
        if text not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(text)

    @property
    def audit_id(self) -> bytes:
        """What the answer and the audit log call it: the client's own word, or a random UUID."""
        if not self._audit_id:
            given = self.headers.get(b"audit-id")
            self._audit_id = _believed(given) if given else random_id()
        return self._audit_id

    def annotate(self, key: str, value: str) -> None:
        """Add an annotation to the request's audit event; the first value of a key stays."""
        self.annotations.setdefault(key, value)

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
                body = b"".join(chunks)
                if self.trail is not None:
                    self.trail.note_body(body)
                return body

    async def disconnected(self) -> None:
        """Return when the client has gone away."""
        while True:
            message = await self.receive()
            if message["type"] in ("http.disconnect", "websocket.disconnect"):
                return


class ClientGoneError(Exception):
    """The client closed the connection while it was being served; there is nobody to answer."""


def _believed(audit_id: bytes) -> bytes:
    audit_id = audit_id[:MAX_AUDIT_ID]
    return audit_id if _PRINTABLE.fullmatch(audit_id) else random_id()


def random_id() -> bytes:
    """A UUID that nobody else has. It tells requests apart and is no secret: no more is random."""
    return b"%b%012x" % (_THIS_PROCESS, _next_number())
