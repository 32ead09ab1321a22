"""The edge between ASGI and handlers: identity, permission, and an answer to everything.

Every route goes through `Edge`: the user is found, the action authorized, the handler run, and
whatever it raises becomes a Status object. Bad input never ends in a 500; a 500 means a bug here,
and its traceback is logged.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from control_plane.api.errors import (
    ApiError,
    BadRequest,
    InternalError,
    RequestEntityTooLarge,
    ServiceUnavailable,
    Timeout,
    TooManyRequests,
)
from control_plane.apiserver.auth.authn import Authenticator
from control_plane.apiserver.auth.authz import Attributes, authorize
from control_plane.apiserver.etcd.errors import (
    StoreBusyError,
    StoreError,
    StoreTimeoutError,
    ValueTooLargeError,
)
from control_plane.apiserver.http.answer import Answer, Reply, Send, error_answer
from control_plane.apiserver.http.query import MAX_PARAMETERS
from control_plane.apiserver.http.request import ClientGoneError, Request
from control_plane.apiserver.http.time_limit import time_limit
from control_plane.apiserver.storage.codec import UnreadableError

DEADLINE_TEXT = "request did not complete within requested timeout - context deadline exceeded"

logger = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Reply]]


class Edge:
    """Runs handlers for authenticated users."""

    def __init__(self, authenticator: Authenticator) -> None:
        """Use this authenticator for all requests."""
        self._authenticator = authenticator

    async def identify(self, request: Request) -> None:
        """Set the request's user; raises Unauthorized."""
        request.user = await self._authenticator.user(request.connection, request.headers)

    async def serve(self, handler: Handler, scope: Any, receive: Any, send: Any) -> None:
        """Answer one HTTP request with what `handler` makes of it."""
        request = Request(scope, receive)
        try:
            reply = await self._reply(handler, request)
            await reply.send_to(request, send)
        except ClientGoneError:
            logger.debug("client gone method=%s path=%s", request.method, request.path)

    async def serve_socket(self, handler: Handler, scope: Any, receive: Any, send: Any) -> None:
        """Answer one WebSocket handshake: a relay, or the refusal as a plain HTTP answer."""
        request = Request(scope, receive)
        await receive()  # the connect event; the answer decides what becomes of it
        reply = await self._reply(handler, request)
        if isinstance(reply, Answer):
            await _refuse_socket(reply, request, send)
        else:
            await reply.send_to(request, send)

    async def _reply(self, handler: Handler, request: Request) -> Reply:
        try:
            if request.query.is_too_long:
                raise BadRequest(f"the query has more than {MAX_PARAMETERS} parameters")
            async with asyncio.timeout(time_limit(request.query)):
                await self.identify(request)
                return await handler(request)
        except TimeoutError:
            return error_answer(Timeout.of(DEADLINE_TEXT), request)
        except ApiError as error:
            return error_answer(error, request)
        except StoreError as error:
            return error_answer(api_error_of_store(error), request)
        except RecursionError:
            return error_answer(BadRequest("the body is nested too deeply"), request)
        except UnreadableError as error:
            logger.error("unreadable path=%s: %s", request.path, error)
            return error_answer(InternalError.of(error), request)
        except ClientGoneError:
            raise
        except Exception as error:  # the last line: one request's bug is one answer
            logger.exception("bug method=%s path=%s", request.method, request.path)
            return error_answer(InternalError.of(f"{type(error).__name__}: {error}"), request)

    def route(self, verb_handler: Handler) -> "PathEndpoint":
        """An ASGI endpoint for a path that is no resource: permission is asked for the path."""
        return PathEndpoint(self, verb_handler)


class PathEndpoint:
    """A raw ASGI endpoint; Starlette hands the connection over to it."""

    def __init__(self, edge: Edge, handler: Handler) -> None:
        """Serve `handler` at the edge."""
        self._edge = edge
        self._handler = handler

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Authorize the path and answer."""
        await self._edge.serve(self._authorized, scope, receive, send)

    async def _authorized(self, request: Request) -> Reply:
        authorize(request.user, Attributes(verb=request.method.lower(), path=request.path))
        return await self._handler(request)


def api_error_of_store(error: StoreError) -> ApiError:
    """What a client is told when the store fails."""
    if isinstance(error, ValueTooLargeError):
        return RequestEntityTooLarge.of(str(error))
    if isinstance(error, StoreBusyError):
        return TooManyRequests(str(error), retry_after_seconds=1)
    if isinstance(error, StoreTimeoutError):
        return Timeout.of(f"the datastore did not answer: {error}")
    return ServiceUnavailable(f"the datastore is unavailable: {error}")


async def _refuse_socket(answer: Answer, request: Request, send: Send) -> None:
    """Send an answer in place of a handshake, through ASGI's denial extension."""

    async def denial(message: Any) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    await answer.send_to(request, denial)
