"""What a client reads of an error: a Status for what is foreseen, plain text where upstream has it.

Called at the edge, for whatever is raised below it.
"""

import dataclasses
import logging
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
from control_plane.apiserver.etcd.errors import (
    StoreBusyError,
    StoreError,
    StoreTimeoutError,
    UnconvertibleError,
    ValueTooLargeError,
)
from control_plane.apiserver.flow_control.limiter import TurnedAwayError
from control_plane.apiserver.http.answer import Answer, Send, error_answer, text_answer
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.storage.stored_object import UnreadableError

logger = logging.getLogger(__name__)


def api_error_of_store(error: StoreError) -> ApiError:
    """What a client is told when the store fails."""
    if isinstance(error, ValueTooLargeError):
        return RequestEntityTooLarge.of(str(error))
    if isinstance(error, StoreBusyError):
        return TooManyRequests(str(error), retry_after_seconds=1)
    if isinstance(error, UnconvertibleError):
        return InternalError(str(error))
    if isinstance(error, StoreTimeoutError):
        return Timeout.of(f"the datastore did not answer: {error}")
    return ServiceUnavailable(f"the datastore is unavailable: {error}")


def refusal(error: Exception, request: Request) -> Answer:
    """What a client reads of an error that is foreseen."""
    if isinstance(error, TurnedAwayError):
        return turned_away(error)
    if isinstance(error, StoreError):
        error = api_error_of_store(error)
    elif isinstance(error, RecursionError):
        error = BadRequest("the body is nested too deeply")
    elif isinstance(error, UnreadableError):
        logger.error("unreadable path=%s: %s", request.path, error)
    return error_answer(error if isinstance(error, ApiError) else InternalError.of(error), request)


def turned_away(error: TurnedAwayError) -> Answer:
    """What a client reads whom there is no room for."""
    answer = text_answer(f"{error.message}\n", error.code)
    retry = (b"retry-after", str(error.retry_after_seconds).encode())
    return dataclasses.replace(answer, headers=(*answer.headers, retry))


async def refuse_socket(answer: Answer, request: Request, send: Send) -> None:
    """Send an answer in place of a handshake, through ASGI's denial extension."""

    async def denial(message: Any) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    await answer.send_to(request, denial)
