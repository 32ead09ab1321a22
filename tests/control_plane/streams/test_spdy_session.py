"""Streams that tasks read and write over one connection: order, ends, resets, back-pressure."""

import asyncio
import gc
import hashlib
import os
import socket
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from control_plane.streams.spdy import frames
from control_plane.streams.spdy.connection import INITIAL_WINDOW
from control_plane.streams.spdy.errors import StreamClosedError
from control_plane.streams.spdy.session import STREAM_BYTES, Session, SpdyStream
from control_plane.streams.wire import SocketWire

MEBI = 1024 * 1024


async def wires() -> tuple[SocketWire, SocketWire]:
    one, other = socket.socketpair()
    return (
        SocketWire(*await asyncio.open_connection(sock=one)),
        SocketWire(*await asyncio.open_connection(sock=other)),
    )


@asynccontextmanager
async def sessions() -> AsyncIterator[tuple[Session, Session]]:
    mine, theirs = await wires()
    async with Session(mine, client=True) as client, Session(theirs) as server:
        yield client, server


async def accepted(server: Session) -> SpdyStream:
    stream = await anext(server.incoming())
    await stream.reply()
    return stream


async def pair(client: Session, server: Session, **headers: str) -> tuple[SpdyStream, SpdyStream]:
    opening = asyncio.create_task(client.open(headers))
    theirs = await accepted(server)
    return await opening, theirs


async def read_all(stream: SpdyStream) -> bytes:
    parts = []
    while data := await stream.read():
        parts.append(data)
    return b"".join(parts)


async def test_both_halves_end_on_their_own() -> None:
    async with sessions() as (client, server):
        mine, theirs = await pair(client, server, streamType="data")
        assert theirs.headers == {"streamtype": "data"}
        await mine.write(b"question")
        await mine.end()
        assert await read_all(theirs) == b"question"
        await theirs.write(b"answer")
        await theirs.end()
        assert await read_all(mine) == b"answer"
        with pytest.raises(StreamClosedError):
            await mine.write(b"more")


async def test_large_data_crosses_in_both_directions_at_once() -> None:
    content = os.urandom(8 * MEBI)

    async def send(stream: SpdyStream) -> None:
        await stream.write(content)
        await stream.end()

    async with sessions() as (client, server):
        mine, theirs = await pair(client, server)
        found = await asyncio.gather(send(mine), send(theirs), read_all(mine), read_all(theirs))
        digest = hashlib.sha256(content).digest()
        assert [hashlib.sha256(data).digest() for data in found[2:] if data] == [digest, digest]


async def test_a_reader_that_does_not_keep_up_makes_the_writer_wait() -> None:
    async with sessions() as (client, server):
        mine, theirs = await pair(client, server)
        writing = asyncio.create_task(mine.write(bytes(32 * MEBI)))
        for _ in range(50):
            await asyncio.sleep(0)
        done, _ = await asyncio.wait([writing], timeout=0.2)
        assert not done
        assert theirs._size < STREAM_BYTES + 2 * INITIAL_WINDOW
        theirs.discard()
        await writing


async def test_a_reset_stream_ends_for_both_and_leaves_the_others() -> None:
    async with sessions() as (client, server):
        mine, theirs = await pair(client, server)
        other, their_other = await pair(client, server)
        await mine.reset()
        assert await theirs.read() == b""
        with pytest.raises(StreamClosedError):
            await theirs.write(b"x")
        await other.write(b"still here")
        assert await their_other.read() == b"still here"


async def test_a_peer_that_goes_ends_every_stream() -> None:
    async with sessions() as (client, server):
        _, theirs = await pair(client, server)
        await client.__aexit__(None, None, None)
        await server.gone.wait()
        assert await theirs.read() == b""
        with pytest.raises(StreamClosedError):
            await theirs.write(b"x")
        assert [stream async for stream in server.incoming()] == []


async def test_streams_that_are_closed_are_forgotten() -> None:
    async with sessions() as (client, server):
        for _ in range(20):
            mine, theirs = await pair(client, server)
            await mine.end()
            await theirs.end()
            assert await theirs.read() == await mine.read() == b""
        assert client._streams == server._streams == {}


async def test_a_session_is_freed_without_the_garbage_collector() -> None:
    """It holds the buffers of TLS, and the collector looks seldom."""

    async def used_and_left() -> list[weakref.ref[Session]]:
        async with sessions() as (client, server):
            mine, theirs = await pair(client, server)
            await mine.write(b"x")
            assert await theirs.read() == b"x"
            return [weakref.ref(client), weakref.ref(server)]

    gc.collect()
    gc.disable()
    try:
        left = await used_and_left()
        await asyncio.sleep(0)  # the loop lets go of what it has called last
        assert [session() for session in left] == [None, None]
    finally:
        gc.enable()


async def test_a_peer_with_windows_is_not_sent_more_than_it_takes() -> None:
    mine, theirs = await wires()
    async with Session(theirs) as server:
        writer, reader = frames.FrameWriter(), frames.FrameReader()
        await mine.write(frames.settings({7: 10}) + writer.syn_stream(1, {}, fin=False))
        stream = await accepted(server)
        writing = asyncio.create_task(stream.write(b"0123456789abcdef"))
        assert await received(mine, reader, 10) == b"0123456789"
        assert not writing.done()
        await mine.write(frames.window_update(1, 100))
        assert await received(mine, reader, 6) == b"abcdef"
        await writing
    await mine.close()


async def received(wire: SocketWire, reader: frames.FrameReader, size: int) -> bytes:
    data = b""
    while len(data) < size:
        for frame in reader.feed(await wire.read()):
            data += frame.data if isinstance(frame, frames.Data) else b""
    return data


async def test_pings_are_answered() -> None:
    mine, theirs = await wires()
    async with Session(theirs):
        await mine.write(frames.ping(7))
        assert frames.FrameReader().feed(await mine.read()) == [frames.Ping(7)]
    await mine.close()


async def test_a_peer_that_speaks_something_else_is_told_and_cut_off() -> None:
    mine, theirs = await wires()
    async with Session(theirs) as server:
        await mine.write(b"\x80\x02\x00\x01\x00\x00\x00\x00")
        await server.gone.wait()
    assert frames.FrameReader().feed(await mine.read()) == [frames.GoAway(1)]
    assert await mine.read() == b""
    await mine.close()
