"""Whole bodies: bounded each, all together, and in time."""

import asyncio
from typing import Any

import pytest

from datastore.errors import MessageTooLarge, TooManyRequests
from datastore.gateway.bodies import Bodies, ClientGone
from datastore.gateway.statuses import DeadlinePassed


class Client:
    """Sends pieces of a body, and then nothing more."""

    def __init__(self, *pieces: bytes, ends: bool = False) -> None:
        self._pieces = list(pieces)
        self._ends = ends
        self.is_heard = asyncio.Event()
        self.goes = asyncio.Event()

    async def receive(self) -> Any:
        if self._pieces:
            body = self._pieces.pop(0)
            more = bool(self._pieces) or not self._ends
            return {"type": "http.request", "body": body, "more_body": more}
        self.is_heard.set()
        await self.goes.wait()
        return {"type": "http.disconnect"}


async def test_a_body_is_its_pieces() -> None:
    assert await Bodies().read(Client(b"ab", b"", b"c", ends=True).receive, 3) == b"abc"


async def test_one_that_is_too_long() -> None:
    with pytest.raises(MessageTooLarge):
        await Bodies().read(Client(b"ab", b"cd").receive, 3)


async def test_one_that_takes_too_long() -> None:
    with pytest.raises(DeadlinePassed):
        await Bodies(seconds=0).read(Client(b"ab").receive, 3)


async def test_many_together_are_too_much_until_one_has_gone() -> None:
    bodies, first = Bodies(most=5), Client(b"abc")
    reading = asyncio.ensure_future(bodies.read(first.receive, 10))
    await first.is_heard.wait()

    with pytest.raises(TooManyRequests):
        await bodies.read(Client(b"abc", ends=True).receive, 10)
    first.goes.set()
    with pytest.raises(ClientGone):
        await reading
    assert await bodies.read(Client(b"abc", ends=True).receive, 10) == b"abc"
