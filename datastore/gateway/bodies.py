"""Request bodies: one message, or the messages of a bidi call; both bounded.

ASGI tells of a client that goes away where it also hands out the body, so whoever reads a body is
the one to notice.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from datastore.errors import DatastoreError, MessageTooLarge, TooManyRequests
from datastore.gateway.json_stream import JsonValues, Malformed, TooLong
from datastore.gateway.statuses import DeadlinePassed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping

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
    """Reads bodies whole: all that are being read at once have at most `most` bytes."""

    def __init__(self, most: int = TOGETHER, seconds: float = BODY_SECONDS) -> None:
        self._free = most
        self._seconds = seconds

    async def read(self, receive: Receive, limit: int) -> bytes:
        """Return a body; ClientGone, DeadlinePassed, MessageTooLarge beyond `limit` bytes.

        TooManyRequests when this one is too much for what is being read at the moment.
        """
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in _chunks(receive, limit):
                    self._free -= len(chunk)
                    chunks.append(chunk)
                    if self._free < 0:
                        raise TooManyRequests
        except TimeoutError:
            raise DeadlinePassed from None
        finally:
            self._free += sum(map(len, chunks))
        return b"".join(chunks)


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
    answered. `run` reads, never more than AHEAD messages ahead, and returns when the client has
    gone.
    """

    def __init__(
        self, receive: Receive, parse: Callable[[bytes], Awaitable[Any]], limit: int
    ) -> None:
        self._receive = receive
        self._parse = parse
        self._values = JsonValues(limit)
        self._queue: asyncio.Queue[Any] = asyncio.Queue(AHEAD)

    async def run(self) -> None:
        """Read until the client goes away."""
        more = True
        while more:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                return
            try:
                for value in self._values.feed(event.get("body", b"")):
                    await self._queue.put(await self._parse(value))
            except (Malformed, TooLong, DatastoreError):
                break
            more = event.get("more_body", False)
        await self._queue.put(None)
        await wait_gone(self._receive)

    async def messages(self) -> AsyncIterator[Any]:
        """Yield the messages."""
        while (message := await self._queue.get()) is not None:
            yield message
