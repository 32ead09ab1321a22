"""Request bodies: one message, or the messages of a bidi call; both bounded.

ASGI tells of a client that goes away where it also hands out the body, so whoever reads a body is
the one to notice.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from datastore.errors import DatastoreError, MessageTooLarge
from datastore.gateway.json_stream import JsonValues, Malformed, TooLong

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping

    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

AHEAD = 16  # messages of a bidi call that are read before they are wanted


class ClientGone(Exception):
    """The client went away: there is nobody to answer."""


def text_limit(message_limit: int) -> int:
    """Return how long the JSON of a message may be: base64 takes a third more, names a little."""
    return 2 * message_limit


async def read_body(receive: Receive, limit: int) -> bytes:
    """Return a whole body; ClientGone, or MessageTooLarge beyond `limit` bytes."""
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        chunk = event.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise MessageTooLarge(f"{MessageTooLarge.__doc__} (more than {limit} bytes of JSON)")
        chunks.append(chunk)
        more = event.get("more_body", False)
    return b"".join(chunks)


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
