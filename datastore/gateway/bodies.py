"""Request bodies: one message, or the messages of a bidi call; both bounded.

ASGI tells of a client that goes away where it also hands out the body, so whoever reads a body is
the one to notice.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from datastore.errors import MessageTooLarge, TooManyRequests
from datastore.gateway.json_stream import JsonValues, Malformed, TooLong
from datastore.gateway.statuses import BadBody, DeadlinePassed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping

    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

TOGETHER = 256 << 20  # bytes of the bodies that are being read
BODY_SECONDS = 60.0
AHEAD = 16  # messages of a bidi call that are read before they are wanted


class ClientGone(Exception):
    """The client went away: there is nobody to answer."""


def text_limit(message_limit: int) -> int:
    """Return how long the JSON of a message may be: base64 takes a third more, names a little."""
    return 2 * message_limit


class Bodies:
    """Bounds all bodies that are being read: at most `most` bytes together, each in `seconds`."""

    def __init__(self, most: int = TOGETHER, seconds: float = BODY_SECONDS) -> None:
        self._free = most
        self.seconds = seconds

    async def read(self, receive: Receive, limit: int) -> bytes:
        """Return a body; ClientGone, DeadlinePassed, MessageTooLarge beyond `limit` bytes.

        TooManyRequests when this one is too much for what is being read at the moment.
        """
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.seconds):
                with self.share() as hold:
                    async for chunk in _chunks(receive, limit):
                        chunks.append(chunk)
                        size += len(chunk)
                        hold(size)
        except TimeoutError:
            raise DeadlinePassed from None
        return b"".join(chunks)

    @contextmanager
    def share(self) -> Iterator[Callable[[int], None]]:
        """Give what to call with the bytes of a body that are here now, which ends with the block.

        It raises TooManyRequests when they are too many beside those of the other bodies.
        """
        held = 0

        def hold(size: int) -> None:
            nonlocal held
            self._free += held - size
            held = size
            if self._free < 0:
                raise TooManyRequests

        try:
            yield hold
        finally:
            self._free += held


async def _chunks(receive: Receive, limit: int) -> AsyncIterator[bytes]:
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        chunk = event.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise MessageTooLarge(f"{MessageTooLarge.__doc__} (more than {limit} bytes of JSON)")
        yield chunk
        more = event.get("more_body", False)


async def wait_gone(receive: Receive) -> None:
    """Return when the client has gone; what it still sends is dropped."""
    while (await receive())["type"] != "http.disconnect":
        pass


class BodyMessages:
    """The messages of a bidi call's body; its end is the end of the client's half.

    A body that turns out to be no JSON ends there too, as etcd has it: what was asked before is
    answered. `run` reads, never more than AHEAD messages ahead. A message that has begun is a body
    that is being read: it counts among `bodies`, and has their time to end.
    """

    def __init__(
        self,
        bodies: Bodies,
        receive: Receive,
        parse: Callable[[bytes], Awaitable[Any]],
        limit: int,
    ) -> None:
        self._bodies = bodies
        self._receive = receive
        self._parse = parse
        self._values = JsonValues(limit)
        self._ends_by: float | None = None  # when what has begun must have ended
        self._queue: asyncio.Queue[Any] = asyncio.Queue(AHEAD)

    async def run(self) -> None:
        """Read for as long as the call goes on; what is raised ends it.

        ClientGone, DeadlinePassed and TooManyRequests as for whole bodies, and what `parse` raises.
        """
        with self._bodies.share() as hold:
            while await self._read(hold):
                pass
        await self._queue.put(None)
        await wait_gone(self._receive)

    async def messages(self) -> AsyncIterator[Any]:
        """Yield the messages."""
        while (message := await self._queue.get()) is not None:
            yield message

    async def _read(self, hold: Callable[[int], None]) -> bool:
        """Take the next piece; say whether there may be more."""
        event = await self._next()
        piece = event.get("body", b"")
        hold(self._values.held + len(piece))
        try:
            for value in self._values.feed(piece):
                self._ends_by = None
                await self._queue.put(await self._parse(value))
        except (Malformed, TooLong, BadBody, MessageTooLarge):
            return False
        hold(self._values.held)
        if self._values.held and self._ends_by is None:
            self._ends_by = asyncio.get_running_loop().time() + self._bodies.seconds
        return bool(event.get("more_body", False))

    async def _next(self) -> MutableMapping[str, Any]:
        try:
            async with asyncio.timeout_at(self._ends_by):
                event = await self._receive()
        except TimeoutError:
            raise DeadlinePassed from None
        if event["type"] == "http.disconnect":
            raise ClientGone
        return event
