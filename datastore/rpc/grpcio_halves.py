"""The two halves of a stream on the grpcio front, each with a bound.

Messages are taken from gRPC and given to it in the front's thread, which is ahead of the event loop
in both directions. So a burst of keepalives is one wake-up of the loop and one turn of it, and its
answers go out one by one without it.

Bounds: `AHEAD` requests or `AHEAD_BYTES` of them unread, then no more is taken from the connection;
a method waits with its next answer while `UNSENT_BYTES` have not left.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING

from datastore.rpc import grpcio_core as core

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from datastore.rpc.grpcio_front import GrpcioFront

AHEAD = 256
AHEAD_BYTES = 1 << 20
UNSENT_BYTES = 64 << 10


class Arrived:
    """The requests that have arrived: taken in the front's thread, and read on the loop."""

    def __init__(self, front: GrpcioFront, call: core.Call, *, many: bool) -> None:
        """Without `many` one message is all that is asked for."""
        self._front = front
        self._call: core.Call | None = call
        self._many = many
        self._lock = threading.Lock()
        self._messages: list[bytes] = []
        self._size = 0
        self._ended = False
        self._paused = False
        self._told = False  # the loop has been woken, and has not looked yet
        self._woken = asyncio.Event()

    def receive(self) -> None:
        """Ask for the next message."""
        call = self._call
        if call is not None:
            core.receive(call, self._take)

    def release(self) -> None:
        """Let go of a call that has ended; in the front's thread."""
        self._call = None

    def _take(self, event: core.Event) -> None:
        data = core.message_of(event)
        with self._lock:
            if data is None:
                self._ended = True
            else:
                self._messages.append(data)
                self._size += len(data)
                self._ended = not self._many
                self._paused = self._size >= AHEAD_BYTES or len(self._messages) >= AHEAD
            told, self._told = self._told, True
            more = not self._ended and not self._paused
        if more:
            self.receive()
        if not told:
            self._front.on_loop(self._woken.set)

    async def groups(self) -> AsyncIterator[list[bytes]]:
        """Yield what has arrived until the client ends its half."""
        ended = False
        while not ended:
            await self._woken.wait()
            self._woken.clear()
            with self._lock:
                self._told = False
                messages, self._messages, self._size = self._messages, [], 0
                paused, self._paused = self._paused, False
                ended = self._ended
            if paused and not ended:
                self.receive()
            if messages:
                yield messages


class Answers:
    """What goes back: given on the loop, sent in the front's thread, one message at a time."""

    def __init__(self, front: GrpcioFront, call: core.Call) -> None:
        self._front = front
        self._call: core.Call | None = call
        self._lock = threading.Lock()
        self._messages: deque[bytes] = deque()  # of UNSENT_BYTES, and one write
        self._size = 0
        self._sending = False
        self._started = False
        self._status: core.Operation | None = None
        self._room: asyncio.Future[None] | None = None

    async def write(self, messages: list[bytes]) -> None:
        """Send messages; wait while too much of them has not left."""
        with self._lock:
            self._messages.extend(messages)
            self._size += sum(map(len, messages))
            room = self._room = self._front.loop.create_future() if self._is_full() else None
            batch = None if self._sending else self._next()
        self._begin(batch)
        if room is not None:
            await room

    def end(self, code: str, text: str) -> None:
        """Send the status, behind what was written."""
        with self._lock:
            self._status = core.status(code, text)
            batch = None if self._sending else self._next()
        self._begin(batch)

    def release(self) -> None:
        """Let go of a call that has ended; in the front's thread."""
        self._call = None

    def _is_full(self) -> bool:
        return self._size > UNSENT_BYTES

    def _next(self) -> list[core.Operation]:
        """Return the operations that are next, none if there is nothing to be sent."""
        batch = [] if self._started else [core.started()]
        if self._messages:
            data = self._messages.popleft()
            self._size -= len(data)
            batch.append(core.message(data, core.MORE_FOLLOWS if self._messages else 0))
        elif self._status is not None:
            batch.append(self._status)
            self._status = None
        else:
            batch.clear()
        self._sending = bool(batch)
        self._started = self._started or self._sending
        return batch

    def _begin(self, batch: list[core.Operation] | None) -> None:
        call = self._call
        if batch and call is not None:
            call.start_server_batch(tuple(batch), self._sent)

    def _sent(self, event: core.Event) -> None:
        if not event.success:
            return  # the client has gone; the end of the call says so too
        with self._lock:
            batch = self._next()
            room = None if self._is_full() else self._room
            if room is not None:
                self._room = None
        self._begin(batch)
        if room is not None:
            self._front.on_loop(_resolve, room)


def _resolve(room: asyncio.Future[None]) -> None:
    if not room.done():
        room.set_result(None)
