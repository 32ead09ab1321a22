"""Streams that tasks read and write, over one wire.

    async with Session(wire) as session:
        async for stream in session.incoming():
            await stream.reply()

One task of the session reads the wire. It puts data into the buffers of the streams and stops
reading while one of them is full, so that a reader that does not keep up makes the peer wait; the
buffers of streams that nobody reads are emptied by `discard`. Writers wait for the wire, and for
the peer's windows where it has any. What the protocol itself wants sent goes out by a second task,
so that the first never waits for a peer that does not read.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Self

from control_plane.streams.spdy import errors
from control_plane.streams.spdy.connection import (
    DataReceived,
    Event,
    SpdyConnection,
    StreamEnded,
    StreamGone,
    StreamOpened,
    StreamReplied,
    WindowChanged,
)
from control_plane.streams.spdy.errors import SpdyError, StreamClosedError
from control_plane.streams.wire import Wire

STREAM_BYTES = 262_144
NEW_STREAMS = 64
ANSWERS = 4_096
GOODBYE_SECONDS = 5.0

logger = logging.getLogger(__name__)


class SpdyStream:
    """One stream of a session. Only one task reads it."""

    def __init__(self, session: "Session", number: int, headers: Mapping[str, str]) -> None:
        """Begin with nothing received; made by the session."""
        self.number, self.headers = number, headers
        self._session = session
        self._received: deque[bytes] = deque()
        self._size = 0
        self._arrived, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._ended = self._discards = False
        self.replied, self.lost = asyncio.Event(), asyncio.Event()

    async def read(self) -> bytes:
        """The next data; b"" when the peer has ended or reset the stream, or has gone."""
        while not self._received and not self._ended:
            self._arrived.clear()
            await self._arrived.wait()
        if not self._received:
            return b""
        data = self._received.popleft()
        self._size -= len(data)
        if self._size < STREAM_BYTES:
            self._room.set()
        self._session.acknowledge(self.number, len(data))
        return data

    async def write(self, data: bytes) -> None:
        """Send data; raises StreamClosedError when nobody will read it."""
        view = memoryview(data)
        while len(view):
            size = await self._session.sendable(self)
            await self._session.send(self.number, bytes(view[:size]), fin=False)
            view = view[size:]

    async def reply(self) -> None:
        """Accept a stream of the peer's."""
        await self._session.reply(self.number)

    async def end(self) -> None:
        """Send nothing more; the peer reads to the end of what was sent."""
        await self._session.send(self.number, b"", fin=True)

    async def reset(self) -> None:
        """Give the stream up in both directions."""
        self.lose()
        await self._session.reset(self.number)

    def discard(self) -> None:
        """Throw away what arrives from now on: nobody will read."""
        self._discards = True
        self._received.clear()
        self._session.acknowledge(self.number, self._size)
        self._size = 0
        self._room.set()

    @property
    def is_open(self) -> bool:
        """False when what is written can reach nobody."""
        return not self.lost.is_set()

    def take(self, data: bytes) -> bool:
        """Keep what has arrived; False when nobody wants it."""
        if self._discards or self._ended:
            return False
        self._received.append(data)
        self._size += len(data)
        if self._size >= STREAM_BYTES:
            self._room.clear()
        self._arrived.set()
        return True

    def take_end(self) -> None:
        """Note that no more will arrive."""
        self._ended = True
        self._arrived.set()
        self._room.set()

    def lose(self) -> None:
        """Note that the stream is gone in both directions."""
        self.lost.set()
        self.take_end()
        self.replied.set()

    async def room(self) -> None:
        """Return when there is room for more."""
        await self._room.wait()


class Session:
    """The streams of one connection. Enter it to begin reading, leave it to close the wire."""

    def __init__(self, wire: Wire, *, client: bool = False) -> None:
        """Speak SPDY over `wire`, which the session closes at its end."""
        self._wire = wire
        self._connection = SpdyConnection(client=client)
        self._streams: dict[int, SpdyStream] = {}
        self._new: asyncio.Queue[SpdyStream | None] = asyncio.Queue(NEW_STREAMS)
        self._windows, self._answers = asyncio.Event(), asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.gone = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._answer())]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tasks, self._tasks = self._tasks, []  # they have us: freed without the gc
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                logger.error("a stream connection broke off", exc_info=result)
        if not self.gone.is_set():
            self._connection.go_away()
        with contextlib.suppress(StreamClosedError, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._flush()
        self._lose_all()
        await self._wire.close()

    async def incoming(self) -> AsyncIterator[SpdyStream]:
        """The streams that the peer opens, until it has gone."""
        while (stream := await self._new.get()) is not None:
            yield stream

    async def open(self, headers: Mapping[str, str]) -> SpdyStream:
        """Open a stream and wait until the peer has accepted it; raises StreamClosedError."""
        if self.gone.is_set():
            raise StreamClosedError("the peer has gone")
        number = self._connection.open(headers)
        stream = self._streams[number] = SpdyStream(self, number, headers)
        await self._flush()
        await stream.replied.wait()
        if not stream.is_open:
            raise StreamClosedError(f"the peer refused stream {number}")
        return stream

    async def left(self, seconds: float) -> None:
        """Return when the peer has gone, or when it has not for `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.gone.wait()

    async def sendable(self, stream: SpdyStream) -> int:
        """How much may be sent on a stream, once that is something."""
        while stream.is_open and self._connection.knows(stream.number):
            size = self._connection.sendable(stream.number)
            if size:
                return size
            self._windows.clear()
            await self._windows.wait()
        raise StreamClosedError(f"stream {stream.number} is closed")

    async def send(self, number: int, data: bytes, *, fin: bool) -> None:
        """Send data of a stream."""
        self._connection.send(number, data, fin=fin)
        self._forget_if_closed(number)
        await self._flush()

    async def reply(self, number: int) -> None:
        """Accept a stream."""
        self._connection.reply(number)
        await self._flush()

    async def reset(self, number: int) -> None:
        """Give a stream up."""
        self._streams.pop(number, None)
        self._connection.reset(number, errors.CANCEL)
        await self._flush()

    def acknowledge(self, number: int, size: int) -> None:
        """Let the peer send as much more as was read."""
        self._connection.consumed(number, size)
        self._answers.set()

    async def _read(self) -> None:
        try:
            while data := await self._wire.read():
                for event in self._connection.receive(data):
                    await self._take(event)
                self._answers.set()
                if self._connection.answers > ANSWERS:
                    raise SpdyError("it asks and does not read the answers")
        except SpdyError as error:
            logger.info("a peer does not speak SPDY/3.1: %s", error)
        finally:
            self.gone.set()
            self._lose_all()
            while self._new.full():
                self._new.get_nowait()
            self._new.put_nowait(None)

    async def _answer(self) -> None:
        """Send acknowledgements and answers to pings."""
        with contextlib.suppress(StreamClosedError):
            while True:
                await self._answers.wait()
                self._answers.clear()
                await self._flush()

    async def _take(self, event: Event) -> None:
        match event:
            case StreamOpened(number, headers):
                self._streams[number] = SpdyStream(self, number, headers)
                await self._new.put(self._streams[number])
            case DataReceived(number, data):
                await self._take_data(number, data)
            case StreamGone(number):
                if number in self._streams:
                    self._streams.pop(number).lose()
                self._windows.set()
            case StreamEnded(number):
                if number in self._streams:
                    self._streams[number].take_end()
                    self._forget_if_closed(number)
            case StreamReplied(number):
                if number in self._streams:
                    self._streams[number].replied.set()
            case WindowChanged():
                self._windows.set()

    async def _take_data(self, number: int, data: bytes) -> None:
        stream = self._streams.get(number)
        if stream is None or not stream.take(data):
            self.acknowledge(number, len(data))
        else:
            await stream.room()

    def _forget_if_closed(self, number: int) -> None:
        """Keep no stream that is closed in both directions; who reads it has it."""
        if not self._connection.knows(number):
            self._streams.pop(number, None)

    def _lose_all(self) -> None:
        for stream in self._streams.values():
            stream.lose()
        self._streams.clear()
        self._windows.set()

    async def _flush(self) -> None:
        outgoing = self._connection.take_outgoing()
        if not outgoing:
            return
        try:
            await self._wire.write(outgoing)
        except OSError as error:
            raise StreamClosedError(f"the peer has gone: {error}") from error
