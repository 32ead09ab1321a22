"""A call with a stream of answers, and perhaps of requests: what both of its fronts do alike.

A front brings the encoded requests, those that have arrived together as one list, and takes lists
of encoded answers. A method with `groups` gets such lists, decoded, and yields such lists: what a
client sends at once is then answered at once, with one commit and one write to the connection.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from datastore.errors import DatastoreError, MalformedMessage, MalformedRequest, ServerStopped
from datastore.rpc.answering import Edge, Stream, decoded
from datastore.rpc.failure import failure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from datastore.rpc.counting import MethodCounts

    Incoming = AsyncIterator[list[bytes]]
    Write = Callable[[list[bytes]], Awaitable[None]]


class Conversation(NamedTuple):
    """A streaming call: the edge as it sees it, what came and comes, and where answers go."""

    edge: Edge
    method: Stream
    counts: MethodCounts
    incoming: Incoming
    write: Write

    async def hold(self) -> None:
        """Send answers until the method ends, the client sends no sense, or the server stops."""
        trouble: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        sending = asyncio.ensure_future(self._send(trouble))
        stopping = asyncio.ensure_future(self.edge.stopping.wait())
        try:
            await asyncio.wait((sending, stopping, trouble), return_when=asyncio.FIRST_COMPLETED)
            if trouble.done():
                raise trouble.result()
            if not sending.done():
                raise ServerStopped
            sending.result()
        finally:
            stopping.cancel()
            sending.cancel()
            await asyncio.gather(sending, stopping, return_exceptions=True)

    async def _send(self, trouble: asyncio.Future[Exception]) -> None:
        edge, method, counts, _, write = self
        request = self._requests(trouble) if method.requests else await self._request()
        async for answer in method.call(edge, request):
            answers = answer if method.groups else [answer]
            await write(answers)
            for each in answers:
                counts.send(len(each))

    async def _request(self) -> Any:
        """Return the one request of a method that takes one."""
        async for messages in self.incoming:
            for data in messages:
                self.counts.receive(len(data))
                return decoded(self.edge, self.method.request, data)
        raise MalformedRequest("the client sent no request")

    async def _requests(self, trouble: asyncio.Future[Exception]) -> AsyncIterator[Any]:
        """Yield requests, or groups of them; at a malformed one tell `trouble` too, and raise."""
        take = self._group if self.method.groups else self._each
        try:
            async for messages in self.incoming:
                for request in take(messages):
                    yield request
        except DatastoreError as error:
            trouble.set_result(error)
            raise

    def _each(self, messages: list[bytes]) -> Iterator[Any]:
        for data in messages:
            self.counts.receive(len(data))
            yield decoded(self.edge, self.method.request, data, MalformedMessage)

    def _group(self, messages: list[bytes]) -> Iterator[list[Any]]:
        """Yield the messages as one group; those before a malformed one are answered first."""
        group: list[Any] = []
        try:
            group.extend(self._each(messages))
        except DatastoreError:
            if group:
                yield group
            raise
        yield group


async def outcome(begin: Callable[[], Conversation]) -> tuple[str, str]:
    """Hold a conversation; return the code and the text that it ends with."""
    try:
        await begin().hold()
    except Exception as error:  # noqa: BLE001  the caller gets it
        return failure(error)
    return "OK", ""
