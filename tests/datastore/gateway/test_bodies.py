"""Whole bodies: bounded each, all together, and in time."""

import asyncio
from typing import Any

import pytest

from datastore.errors import MessageTooLarge, TooManyRequests
from datastore.gateway.bodies import Bodies, BodyMessages, ClientGone
from datastore.gateway.statuses import BadBody, DeadlinePassed


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


def messages(bodies: Bodies, client: Client, refusal: Exception | None = None) -> BodyMessages:
    """The messages of a bidi call; one that holds a `0` is refused."""

    async def parse(text: bytes) -> bytes:
        if refusal and b"0" in text:
            raise refusal
        return text

    return BodyMessages(bodies, client.receive, parse, 100)


async def test_a_message_that_is_malformed_ends_the_body() -> None:
    body = messages(Bodies(), Client(b'{"a":1}{"a":0}'), BadBody())
    reading = asyncio.ensure_future(body.run())

    assert [message async for message in body.messages()] == [b'{"a":1}']
    reading.cancel()


async def test_a_message_for_which_there_is_no_room_ends_the_call() -> None:
    with pytest.raises(TooManyRequests):
        await messages(Bodies(), Client(b'{"a":1}{"a":0}'), TooManyRequests()).run()


async def test_a_message_that_has_begun_counts_among_the_bodies() -> None:
    bodies, first = Bodies(most=10), Client(b'{"a":1}', b'{"a": 1234')
    reading = asyncio.ensure_future(messages(bodies, first).run())
    await first.is_heard.wait()

    with pytest.raises(TooManyRequests):
        await messages(bodies, Client(b'{"a"')).run()
    with pytest.raises(TooManyRequests):
        await bodies.read(Client(b"a", ends=True).receive, 10)
    first.goes.set()
    with pytest.raises(ClientGone):
        await reading
    assert await bodies.read(Client(b"abc", ends=True).receive, 10) == b"abc"


async def test_a_message_that_takes_too_long() -> None:
    with pytest.raises(DeadlinePassed):
        await messages(Bodies(seconds=0), Client(b'{"a":1}{"a"')).run()


async def test_a_call_between_messages_may_take_its_time() -> None:
    client = Client(b'{"a":1} {"a":1}\n')
    reading = asyncio.ensure_future(messages(Bodies(seconds=0), client).run())
    await client.is_heard.wait()
    await asyncio.sleep(0)
    client.goes.set()

    with pytest.raises(ClientGone):
        await reading
