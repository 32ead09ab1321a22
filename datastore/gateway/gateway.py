"""The JSON gateway as an ASGI application: one HTTP request is one gRPC call.

A client that goes away ends its call; a server that stops ends its streams with UNAVAILABLE. A
stream is written no faster than its client reads, which the method that feeds it sees.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from datastore.errors import DatastoreError, ServerStopped, Unsupported
from datastore.gateway.bodies import Bodies, BodyMessages, ClientGone, text_limit, wait_gone
from datastore.gateway.metadata import metadata_of, timeout_of
from datastore.gateway.replies import Reply
from datastore.gateway.statuses import DeadlinePassed
from datastore.rpc.answering import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from datastore.gateway.bodies import Receive
    from datastore.gateway.calls import Calls
    from datastore.gateway.replies import Send
    from datastore.gateway.routes import Route
    from datastore.rpc.answering import Direct, Unary


class Gateway:
    """Answers POST requests to a route."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._bodies = Bodies()
        self._limit = text_limit(calls.edge.max_message_bytes)

    def takes_messages(self, route: Route) -> bool:
        """Say whether a call takes messages for as long as it goes on."""
        try:
            method = self._calls.method_of(route)
        except Unsupported:
            return False
        return isinstance(method, Stream) and method.requests

    async def serve(self, route: Route, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        reply = Reply(send)
        try:
            method = self._calls.method_of(route)
            seconds = timeout_of(scope["headers"])
            if isinstance(method, Stream):
                await self._stream((route, method), scope, receive, reply, seconds)
            else:
                await self._unary((route, method), scope, receive, reply, seconds)
        except ClientGone:
            return
        except DatastoreError as error:
            await reply.refuse(error)

    async def _unary(
        self,
        what: tuple[Route, Direct | Unary],
        scope: Any,
        receive: Receive,
        reply: Reply,
        seconds: float | None,
    ) -> None:
        metadata = metadata_of(scope["headers"])
        body = await self._bodies.read(receive, self._limit)
        call = self._calls.unary(*what, body, metadata)
        async with _together(call, wait_gone(receive)) as (calling, gone):
            await _first(seconds, calling, gone)
            if not calling.done():
                raise ClientGone
            await reply.answer(calling.result())

    async def _stream(
        self,
        what: tuple[Route, Stream],
        scope: Any,
        receive: Receive,
        reply: Reply,
        seconds: float | None,
    ) -> None:
        metadata = metadata_of(scope["headers"])
        route, method = what
        requests: Any
        if method.requests:
            body = BodyMessages(
                self._bodies,
                receive,
                lambda text: self._calls.request(route, method, text),
                self._limit,
            )
            requests, reading = body.messages(), body.run()
        else:
            text = await self._bodies.read(receive, self._limit)
            requests = await self._calls.request(route, method, text)
            reading = wait_gone(receive)
        sending = self._send(what, requests, metadata, reply)
        stopping = self._calls.edge.stopping.wait()
        try:
            async with _together(sending, reading, stopping) as tasks:
                await _first(seconds, *tasks)
                _judge(*tasks)
        except DatastoreError as error:
            await reply.end(error)
        else:
            await reply.end()

    async def _send(
        self, what: tuple[Route, Stream], requests: Any, metadata: Any, reply: Reply
    ) -> None:
        async for message in self._calls.stream(*what, requests, metadata):
            await reply.line(message)


def _judge(
    sending: asyncio.Future[Any], gone: asyncio.Future[Any], stopping: asyncio.Future[Any]
) -> None:
    """Raise what ended a stream, unless it came to its own end."""
    if sending.done():
        sending.result()
    elif gone.done():
        gone.result()  # why no more was read, if it was not that the client went away
        raise ClientGone
    elif stopping.done():
        raise ServerStopped


@asynccontextmanager
async def _together(*works: Coroutine[Any, Any, Any]) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Run works for the duration of the block; at its end none is left."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _first(seconds: float | None, *tasks: asyncio.Future[Any]) -> None:
    """Wait until one is done; DeadlinePassed when that takes longer than `seconds`."""
    done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if not done:
        raise DeadlinePassed
