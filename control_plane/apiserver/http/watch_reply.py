"""A watch as an answer: events as lines of JSON, until time is up or somebody leaves.

The connection is one task that takes events from its watcher's bounded queue and sends them. When
the client does not read, the queue fills, the cache cuts the watcher off, and the connection is
dropped. A client that goes away ends it at once.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from control_plane.apiserver.http.answer import Send, head
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.http.watch_encoding import WatchEncoding
from control_plane.apiserver.metrics.histogram import Histogram
from control_plane.apiserver.storage.cache_view import Cache
from control_plane.apiserver.storage.watcher import Pending, Watcher

BOOKMARK_SECONDS = 60.0
LAST_BOOKMARK_SECONDS = 2.0
CHUNK_BYTES = 64 * 1024  # what a client that does not read costs, however much is due to it
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@dataclass(slots=True)
class WatchReply:
    """One client's watch. `seconds` is how long it lasts; `sends_bookmarks` if it was asked for.

    `marks_initial_end` says that the objects sent first are followed by a bookmark that says so.
    """

    cache: Cache
    watcher: Watcher
    encoding: WatchEncoding
    seconds: float
    sends_bookmarks: bool
    marks_initial_end: bool

    async def send_to(self, request: Request, send: Send) -> None:
        """Stream until the end; the watcher is forgotten afterwards, whatever happened."""
        try:
            headers = head(request, self.encoding.media_type)
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            await self._stream_until_someone_leaves(request, send)
        finally:
            self.watcher.end()
            self.cache.unwatch(self.watcher)

    async def _stream_until_someone_leaves(self, request: Request, send: Send) -> None:
        sender = asyncio.create_task(self._stream(request, send))
        leaver = asyncio.create_task(request.disconnected())
        self.watcher.on_end = lambda: self._cut(request)
        try:
            await asyncio.wait((sender, leaver), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.watcher.on_end = lambda: None
            for task in (sender, leaver):
                task.cancel()
            results = await asyncio.gather(sender, leaver, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    def _cut(self, request: Request) -> None:
        """Drop a client that has stopped reading: sending to it would wait for ever."""
        if self.watcher.was_cut and request.connection is not None:
            request.connection.abort()

    async def _stream(self, request: Request, send: Send) -> None:
        """Send it all. What comes after the objects sent first takes no seat."""
        for chunk in self._initial_chunks():
            await send(_body(chunk))
        request.release_seat()
        await self._follow(send)
        await send({"type": "http.response.body", "body": b""})

    async def _follow(self, send: Send) -> None:
        """Send what happens until time is up; a timer nudges when something else is due."""
        loop = asyncio.get_running_loop()
        now: Callable[[], float] = loop.time
        end = now() + self.seconds
        due = self._next_bookmark(now(), end)
        timer = loop.call_at(due, self.watcher.nudge)
        try:
            while now() < end and not self.watcher.has_ended:
                pending = await self.watcher.take()
                if pending:
                    for chunk in self._chunks_of(pending):
                        await send(_body(chunk))
                    continue
                if due <= now() < end and not self.watcher.has_ended:
                    due = self._next_bookmark(now(), end)
                    await self._send_bookmark(send)
                timer = loop.call_at(due, self.watcher.nudge)
        finally:
            timer.cancel()

    async def _send_bookmark(self, send: Send) -> None:
        if self.sends_bookmarks:
            self.cache.request_progress()
            if self.watcher.is_drained:
                await send(_body(self.encoding.bookmark(self._progress())))

    def _chunks_of(self, pending: list[Pending]) -> Iterable[bytes]:
        """What is pending; a single event, which is what nearly always is, takes no detour."""
        if len(pending) > 1:
            lines = (self.encoding.event(change, event) for change, event in pending)
            return in_chunks(counted(lines, self.cache.sent))
        line = self.encoding.event(*pending[0])
        self.cache.sent.observe(len(line))
        return (line,)

    def _initial_chunks(self) -> Iterator[bytes]:
        initial, self.watcher.initial = self.watcher.initial, []
        lines = (self.encoding.added(entry) for entry in initial)
        yield from in_chunks(counted(lines, self.cache.sent))
        if self.marks_initial_end and self.sends_bookmarks:
            annotations = {INITIAL_EVENTS_END: "true"}
            yield self.encoding.bookmark(self.watcher.start_revision, annotations)

    def _progress(self) -> int:
        """How far the client has come: never back before the version it started from.

        The cache may be behind that, which came from the store itself or from another server.
        """
        return max(self.cache.clock.revision, self.watcher.start_revision)

    def _next_bookmark(self, now: float, end: float) -> float:
        """About once a minute, and once shortly before the end."""
        last = end - LAST_BOOKMARK_SECONDS
        if now < last:
            return min(now + BOOKMARK_SECONDS, last)
        return end


def _body(chunk: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": chunk, "more_body": True}


def counted(lines: Iterable[bytes], sizes: Histogram) -> Iterator[bytes]:
    """Count lines as they are sent."""
    for line in lines:
        sizes.observe(len(line))
        yield line


def in_chunks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join whole lines, made only when they are due, to chunks that end as soon as they suffice."""
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        chunk.append(line)
        size += len(line)
        if size >= CHUNK_BYTES:
            yield b"".join(chunk)
            chunk, size = [], 0
    if chunk:
        yield b"".join(chunk)


@dataclass(frozen=True, slots=True)
class WatchErrorReply:
    """A watch that cannot start: 200, one ERROR event with the Status, and the end."""

    encoding: WatchEncoding
    status: dict[str, Any]

    async def send_to(self, request: Request, send: Send) -> None:
        """Send the event."""
        body = self.encoding.error(self.status)
        headers = head(request, self.encoding.media_type)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
