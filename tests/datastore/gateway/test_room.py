"""Connections beyond what there is room for are closed at once, and those inside go on."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from datastore.gateway.apps import NOT_FOUND, answer_with
from datastore.gateway.connections import Connections
from datastore.gateway.room import QUIET_SECONDS, Room

MOST = 2
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def _app(_: Any, __: Any, send: Any) -> None:
    await answer_with(send, NOT_FOUND)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    connections = Connections(_app, connections=MOST)
    bound = socket.create_server(("127.0.0.1", 0))
    await connections.listen([bound], None)
    yield bound.getsockname()[1]
    await connections.stop(0)


class Client:
    """A connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def is_let_in(self) -> bool:
        """Say whether a request is answered."""
        try:
            self._writer.write(REQUEST)
            await self._reader.readuntil(NOT_FOUND.body)
        except (ConnectionError, asyncio.IncompleteReadError):
            return False
        return True

    async def leave(self) -> None:
        """Close the connection."""
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


Connect = Callable[[], Awaitable[Client]]


@pytest.fixture
async def connect(port: int) -> AsyncIterator[Connect]:
    clients: list[Client] = []

    async def connect() -> Client:
        clients.append(Client(*await asyncio.open_connection("127.0.0.1", port)))
        return clients[-1]

    yield connect
    for client in clients:
        await client.leave()


async def test_one_more_than_there_is_room_for(connect: Connect) -> None:
    first, idle = await connect(), await connect()
    assert await first.is_let_in()

    assert not await (await connect()).is_let_in()
    assert await first.is_let_in()

    await idle.leave()
    while not await (await connect()).is_let_in():
        pass


class Transport:
    """A connection with a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def get_extra_info(self, _: str) -> "Transport":
        return self

    def fileno(self) -> int:
        return self._descriptor


def test_half_of_the_descriptors_are_left_to_others() -> None:
    half = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2

    assert Room(MOST).is_for(Transport(half - 1), 0)
    assert not Room(MOST).is_for(Transport(half), 0)


def test_the_log_is_told_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    room = Room(MOST, lambda: now)

    for _ in range(3):
        assert not room.is_for(Transport(0), MOST)
        assert room.is_for(Transport(0), MOST - 1)
    assert len(caplog.records) == 1
    now = QUIET_SECONDS
    assert not room.is_for(Transport(0), MOST)
    assert len(caplog.records) == 2
