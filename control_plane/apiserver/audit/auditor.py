"""Records requests as the policy says: the edge tells of each stage, backends get the events.

A backend that cannot take an event loses it, and says so in the log; only one in the mode
`blocking-strict` has the request refused, if it cannot take the first event.
"""

import asyncio
import datetime
import logging
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from control_plane.api.errors import InternalError
from control_plane.api.objects import Object
from control_plane.api.timestamps import format_micro_time
from control_plane.apiserver.audit.counts import AuditCounts
from control_plane.apiserver.audit.event import answered_document, panic_status, response_status
from control_plane.apiserver.audit.policy import LEVEL_NAMES, Level, Policy, Stage
from control_plane.apiserver.audit.request_info import request_info
from control_plane.apiserver.audit.trail import Trail
from control_plane.apiserver.http.answer import Answer, Reply
from control_plane.apiserver.latency import Latencies

if TYPE_CHECKING:
    from control_plane.apiserver.http.request import Request

NOT_STORED = "failed to store audit event"
EARLY = "Connection closed early"

logger = logging.getLogger(__name__)


class BackendError(Exception):
    """A backend has not taken an event; `plugin` is upstream's name for what has failed."""

    def __init__(self, text: str, plugin: str = "") -> None:
        """Say why."""
        super().__init__(text)
        self.plugin = plugin


class Backend(Protocol):
    """Where events go; `is_strict` where a request is refused whose first event is not taken."""

    is_strict: bool

    async def take(self, event: Object) -> None:
        """Take an event; raises BackendError."""
        ...

    async def run(self) -> None:
        """Deliver until cancelled."""
        ...

    async def close(self) -> None:
        """Deliver what is still there, as far as that is soon done, and take no more."""
        ...


class Auditor:
    """What the edge tells of its requests."""

    def __init__(
        self,
        policy: Policy,
        backends: Sequence[Backend],
        clock: Callable[[], datetime.datetime],
        counts: AuditCounts,
    ) -> None:
        """`clock` returns the time in UTC."""
        self.counts = counts
        self._policy = policy
        self._backends = backends
        self._clock = clock

    async def run(self) -> None:
        """Let the backends deliver until cancelled."""
        async with asyncio.TaskGroup() as group:
            for backend in self._backends:
                group.create_task(backend.run())

    async def close(self) -> None:
        """Deliver what is still there; for when the last request has ended."""
        for backend in self._backends:
            await backend.close()

    def now(self) -> str:
        """The time, with microseconds."""
        return format_micro_time(self._clock())

    async def begin(self, request: "Request", arrived: str, latencies: Latencies) -> None:
        """Take in a request whose user is known, or known not to be who they say.

        It has `arrived` then, an RFC 3339 time with microseconds. Raises InternalError where it
        must not be served unrecorded.
        """
        info = request_info(request.method, request.raw_path, request.query)
        user = request.impersonator or request.user
        detail = self._policy.detail(info, user)
        self.counts.request(LEVEL_NAMES[detail.level])
        if detail.level is Level.NONE:
            return
        trail = Trail(request, info, detail, arrived, latencies)
        request.trail = trail
        if not request.is_unidentified:
            await self._record(trail, Stage.REQUEST_RECEIVED, None)

    async def answering(self, request: "Request", reply: Reply, code: int) -> None:
        """Take in that a long-running answer begins."""
        trail = request.trail
        if trail is not None:
            trail.latencies.answered = perf_counter()
        if trail is not None and trail.is_long_running and not request.is_unidentified:
            await self._record(trail, Stage.RESPONSE_STARTED, _status(reply, code))

    async def end(self, request: "Request", reply: Reply | None, code: int) -> None:
        """Take in the end of a request; `reply` is None where the client did not wait for one."""
        trail = request.trail
        if trail is None:
            return
        if not trail.panic and not request.is_unidentified:
            trail.note_latencies(perf_counter())
        if trail.panic:
            await self._record(trail, Stage.PANIC, panic_status(trail.panic))
        elif request.is_unidentified:
            said = {**_status(reply, code), "message": _attempted(request)}
            await self._record(trail, Stage.RESPONSE_STARTED, said)
        elif reply is None:
            said = {**response_status(200), "message": EARLY}
            await self._record(trail, Stage.RESPONSE_COMPLETE, said)
        else:
            await self._complete(trail, reply, code)

    async def _complete(self, trail: Trail, reply: Reply, code: int) -> None:
        document: Any = None
        if isinstance(reply, Answer) and (trail.wants_response or code >= 400):
            document = answered_document(reply)
        shown = document if trail.wants_response else None
        status = response_status(code, document)
        await self._record(trail, Stage.RESPONSE_COMPLETE, status, shown)

    async def _record(
        self, trail: Trail, stage: Stage, status: Object | None, response: Any = None
    ) -> None:
        if not trail.takes(stage):
            return
        event = trail.event(stage, self.now(), status, response)
        self.counts.events += 1
        for backend in self._backends:
            try:
                await backend.take(event)
            except BackendError as error:
                logger.error("audit event lost id=%s: %s", event["auditID"], error)
                self.counts.lost(error.plugin)
                if backend.is_strict and stage is Stage.REQUEST_RECEIVED:
                    self.counts.rejected += 1
                    raise InternalError.of(NOT_STORED) from error


def _status(reply: Reply | None, code: int) -> Object:
    document = answered_document(reply) if isinstance(reply, Answer) and code >= 400 else None
    return response_status(code, document)


def _attempted(request: "Request") -> str:
    """How somebody tried to say who they are; never what they said."""
    tried = []
    if _has_certificate(request):
        tried.append("x509")
    scheme = request.header(b"authorization").partition(" ")[0].lower()
    if scheme in ("basic", "bearer"):
        tried.append(scheme)
    return (
        f"Authentication failed, attempted: {', '.join(tried)}"
        if tried
        else ("Authentication failed, no credentials provided")
    )


def _has_certificate(request: "Request") -> bool:
    if request.connection is None:
        return False
    tls = request.connection.transport.get_extra_info("ssl_object")
    return tls is not None and bool(tls.getpeercert(binary_form=True))
