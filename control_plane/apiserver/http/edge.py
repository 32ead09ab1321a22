"""The edge between ASGI and handlers: identity, permission, and an answer to everything.

Every route goes through `Edge`: the user is found, the action authorized, the handler run, and
whatever it raises becomes a Status object. Bad input never ends in a 500; a 500 means a bug here,
and its traceback is logged.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from control_plane.api.errors import (
    ApiError,
    BadRequest,
    InternalError,
    Timeout,
    Unauthorized,
)
from control_plane.apiserver.audit.auditor import Auditor
from control_plane.apiserver.auth.authn import Authenticator, NobodyError
from control_plane.apiserver.auth.authz import Attributes, Authorizer, refused
from control_plane.apiserver.auth.impersonation import impersonated
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.flow_control.in_flight import READS
from control_plane.apiserver.flow_control.limiter import Limiter, TurnedAwayError
from control_plane.apiserver.flow_control.work_estimate import ONE_SEAT, Work
from control_plane.apiserver.http.answer import Answer, Reply, error_answer
from control_plane.apiserver.http.deadlines import Bound, Deadlines
from control_plane.apiserver.http.refusals import refusal, refuse_socket
from control_plane.apiserver.http.request import ClientGoneError, Request
from control_plane.apiserver.http.time_limit import LONGEST_SECONDS, time_limit
from control_plane.apiserver.latency import CURRENT, Latencies, add_latency
from control_plane.apiserver.metrics.access import AccessCounts
from control_plane.apiserver.metrics.requests import RequestCounts, RequestLabels
from control_plane.apiserver.storage.stored_object import UnreadableError

PATIENT_PART = 0.25  # of a request's time may be spent on waiting for a seat
DEADLINE_TEXT = "request did not complete within requested timeout - context deadline exceeded"

Outcome = tuple[int, int]  # of a request: the code, the size of the answer
NO_ANSWER: Outcome = (0, 0)  # the client did not wait for one
NO_REPLY: Reply | None = None
SWITCHING = 101
DECISION, REASON = "authorization.k8s.io/decision", "authorization.k8s.io/reason"
OTHER_METHOD = "other"  # clients may call methods what they like

logger = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Reply]]


class Edge:
    """Runs handlers for authenticated users."""

    def __init__(
        self,
        authenticator: Authenticator,
        authorizer: Authorizer,
        limiter: Limiter,
        requests: RequestCounts | None = None,
        auditor: Auditor | None = None,
        access: AccessCounts | None = None,
    ) -> None:
        """Use these for all requests; without an auditor none is recorded."""
        self._auditor = auditor
        self.requests = requests or RequestCounts()
        self._access = access or AccessCounts()
        self._authenticator = authenticator
        self.authorizer = authorizer
        self._deadlines = Deadlines(LONGEST_SECONDS)
        self._limiter = limiter

    async def identify(self, request: Request) -> None:
        """Set the request's user; raises Unauthorized, or Forbidden for an impersonation."""
        begun = perf_counter()
        try:
            user = await self._authenticator.user(request)
        except ApiError as error:
            is_error = not isinstance(error, NobodyError)
            self._access.unidentified(perf_counter() - begun, is_error=is_error)
            raise
        self._access.identified(user.name, perf_counter() - begun)
        request.user = user
        request.user = impersonated(self.authorizer, user, request.header_lines)
        if request.user is not user:
            request.impersonator = user

    def authorize(self, request: Request, asked: Attributes) -> None:
        """Return if the request's user may; raises Forbidden."""
        begun = perf_counter()
        decision = self.authorizer.decide(request.user, asked)
        seconds = perf_counter() - begun
        self._access.decided(decision, seconds)
        if request.trail is not None:
            add_latency("authorization", seconds)
            request.annotate(DECISION, "allow" if decision.allowed else "forbid")
            request.annotate(REASON, decision.reason)
        if not decision.allowed:
            raise refused(request.user, asked, decision.reason)

    def count(self, request: Request, labels: RequestLabels) -> None:
        """Count the request under `labels` from now until it is done."""
        request.series = self.requests.begin(labels)

    async def admit(self, request: Request, asked: Attributes, work: Work = ONE_SEAT) -> None:
        """Wait until the request may be served; raises TurnedAwayError when that is not soon.

        A read whose client leaves is broken off; a write goes on, since its outcome is for all.
        """
        try:
            seat = request.seat = self._limiter.grant(request.user, asked, work)
            request.flow_headers = seat.headers
            if seat.waits:
                begun = perf_counter()
                await seat.turn(request.seconds * PATIENT_PART, request.departure)
                request.waited = perf_counter() - begun
                add_latency("apf-queue-wait", request.waited)
        except TurnedAwayError as error:
            request.flow_headers = error.headers
            self.requests.terminate(request.series, error.code)
            raise
        if asked.verb in READS:
            request.abandon_when_gone()

    async def serve(self, handler: Handler, scope: Any, receive: Any, send: Any) -> None:
        """Answer one HTTP request with what `handler` makes of it."""
        request, begun = Request(scope, receive), perf_counter()
        outcome, reply = NO_ANSWER, NO_REPLY
        try:
            reply = await self._reply(handler, request)
            outcome = _outcome(reply)
            if request.trail is not None:
                await self._record_answer(request, reply, outcome)
            await reply.send_to(request, send)
        except ClientGoneError:
            logger.debug("client gone method=%s path=%s", request.method, request.path)
        finally:
            request.release_seat()
            self._finish(request, outcome, begun)
            if request.trail is not None:
                await self._record_end(request, reply, outcome)

    async def serve_socket(self, handler: Handler, scope: Any, receive: Any, send: Any) -> None:
        """Answer one WebSocket handshake: a relay, or the refusal as a plain HTTP answer."""
        request, begun = Request(scope, receive), perf_counter()
        await receive()  # the connect event; the answer decides what becomes of it
        outcome, reply = NO_ANSWER, NO_REPLY
        try:
            reply = await self._reply(handler, request)
            outcome = _outcome(reply, SWITCHING)
            if request.trail is not None:
                await self._record_answer(request, reply, outcome)
            if isinstance(reply, Answer):
                await refuse_socket(reply, request, send)
            else:
                await reply.send_to(request, send)
        except ClientGoneError:
            logger.debug("client gone socket path=%s", request.path)
        finally:
            request.release_seat()
            self._finish(request, outcome, begun)
            if request.trail is not None:
                await self._record_end(request, reply, outcome)

    async def _record_answer(self, request: Request, reply: Reply, outcome: Outcome) -> None:
        if self._auditor is not None:
            await self._auditor.answering(request, reply, outcome[0])

    async def _record_end(self, request: Request, reply: Reply | None, outcome: Outcome) -> None:
        if self._auditor is not None:
            await self._auditor.end(request, reply, outcome[0])
        request.trail = None  # which has the request: neither waits for the garbage collector

    def _finish(self, request: Request, outcome: Outcome, begun: float) -> None:
        if request.series is not None:
            code, size = outcome
            request.series.end(code, perf_counter() - begun, size, request.waited)

    async def _reply(self, handler: Handler, request: Request) -> Reply:
        try:
            if request.objection:
                raise BadRequest(request.objection)
            if request.query_string and not request.is_passed_on:
                request.seconds = time_limit(request.query)
            request.task = task = asyncio.current_task()
            assert task is not None
            if request.seconds == LONGEST_SECONDS:
                with Bound(self._deadlines, task):
                    return await self._served(handler, request)
            async with asyncio.timeout(request.seconds):
                return await self._served(handler, request)
        except TimeoutError:
            self.requests.terminate(request.series, Timeout.code)
            return error_answer(Timeout.of(DEADLINE_TEXT), request)
        except (ApiError, StoreError, RecursionError, UnreadableError) as error:
            return refusal(error, request)
        except ClientGoneError:
            raise
        except asyncio.CancelledError:
            _raise_if_gone(request)
            raise
        except Exception as error:  # the last line: one request's bug is one answer
            logger.exception("bug method=%s path=%s", request.method, request.path)
            if request.trail is not None:
                request.trail.panic = f"{type(error).__name__}: {error}"
            return error_answer(InternalError.of(f"{type(error).__name__}: {error}"), request)
        finally:
            request.stop_abandoning()

    async def _served(self, handler: Handler, request: Request) -> Reply:
        if self._auditor is None:
            await self.identify(request)
        else:
            await self._identify_and_record(request, self._auditor)
        return await handler(request)

    async def _identify_and_record(self, request: Request, auditor: Auditor) -> None:
        """Record who asks, before anything else can go wrong; also who was not believed."""
        arrived, latencies = auditor.now(), Latencies(perf_counter())
        CURRENT.set(latencies)
        try:
            await self.identify(request)
        except ApiError as error:
            request.is_unidentified = isinstance(error, Unauthorized)
            await auditor.begin(request, arrived, latencies)
            raise
        latencies.add("authentication", perf_counter() - latencies.begun)
        await auditor.begin(request, arrived, latencies)

    def route(self, verb_handler: Handler, path: str = "") -> "PathEndpoint":
        """An ASGI endpoint for a path that is no resource: permission is asked for the path.

        It is counted under `path`, and not at all without one.
        """
        return PathEndpoint(self, verb_handler, path)


class PathEndpoint:
    """A raw ASGI endpoint; Starlette hands the connection over to it."""

    def __init__(self, edge: Edge, handler: Handler, path: str) -> None:
        """Serve `handler` at the edge."""
        self._edge = edge
        self._handler = handler
        self._path = path

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Authorize the path and answer."""
        await self._edge.serve(self._authorized, scope, receive, send)

    async def _authorized(self, request: Request) -> Reply:
        asked = Attributes(verb=request.method.lower(), path=request.path)
        if self._path:
            verb = "GET" if request.method in ("GET", "HEAD") else OTHER_METHOD
            labels = RequestLabels(verb, subresource=self._path, component="")
            self._edge.count(request, labels)
        await self._edge.admit(request, asked)
        self._edge.authorize(request, asked)
        return await self._handler(request)


def _outcome(reply: Reply, streaming: int = 200) -> Outcome:
    """The code and the size of a reply, as far as these are known before it is sent."""
    return (reply.status, len(reply.body)) if isinstance(reply, Answer) else (streaming, 0)


def _raise_if_gone(request: Request) -> None:
    """Tell a client's departure from the other reasons for a cancellation."""
    task = request.task
    if request.was_abandoned and task is not None and not task.uncancel():
        raise ClientGoneError
