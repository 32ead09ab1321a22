"""etcdserverpb.Watch: one stream of requests in, one stream of answers out, many watchers.

Two halves run side by side: one reads requests, each only when the outbox has room; the other
encodes notices in the order of the outbox. A client that closes its half keeps getting events.
The stream never ends by itself, and with UNAVAILABLE when the server stops.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from datastore.errors.auth import NOT_ALLOWED
from datastore.mvcc.model import FROM_KEY
from datastore.mvcc.watch import Notice, WatchQuery, WatchStream
from datastore.rpc import wire
from datastore.rpc.answering import Edge, Method, Stream
from proto.etcd import rpc_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from datastore.mvcc.model import Event
    from datastore.mvcc.watch_batch import Batch

SERVICE = "etcdserverpb.Watch"
FRAGMENT_EXTRA = 512 << 10
_GO_CODES = {
    "UNAUTHENTICATED": "Unauthenticated",
    "INVALID_ARGUMENT": "InvalidArgument",
    "PERMISSION_DENIED": "PermissionDenied",
}
EVENTS_TAG = b"\x5a"  # field 11, length-delimited
LONG_SPEECH = 32  # answers in a row after which a stream pauses
PAUSE, LONGEST_PAUSE = 2, 0.01
FRAGMENT = b"\x38\x01"
DELETE = b"\x08\x01"


async def _watch(edge: Edge, requests: AsyncIterator[rpc_pb2.WatchRequest]) -> AsyncIterator[bytes]:
    stream = edge.store.watch_stream()
    reading = asyncio.create_task(_read(edge, stream, requests))
    reading.add_done_callback(partial(_tell, stream))
    pace = Pace()
    try:
        while True:
            await pace.keep(stream)
            for message in encode(edge, await stream.take()):
                yield message
    finally:
        stream.close()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def _tell(stream: WatchStream, reading: asyncio.Task[None]) -> None:
    """End the stream with what its reader ended with; a client that only stops asking goes on."""
    if not reading.cancelled() and (error := reading.exception()) is not None:
        stream.fail(error)


class Pace:
    """Lets a stream that has had much to say pause twice as long as it spoke.

    Each answer costs the event loop the same, however many events are in it. While the stream
    pauses, events gather for one answer a watcher, and other calls have the loop.
    """

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._began = 0.0
        self._said = 0

    async def keep(self, stream: WatchStream) -> None:
        """Be called before each answer."""
        if not stream.waiting:
            self._said = 0
            return
        self._said += 1
        if self._said == 1:
            self._began = self._clock()
        elif self._said > max(LONG_SPEECH, len(stream.watchers)):
            await asyncio.sleep(min(PAUSE * (self._clock() - self._began), LONGEST_PAUSE))
            self._said = 0


async def _read(
    edge: Edge, stream: WatchStream, requests: AsyncIterator[rpc_pb2.WatchRequest]
) -> None:
    async for request in requests:
        match request.WhichOneof("request_union"):
            case "create_request":
                query = _query(request.create_request)
                stream.create(query, await _denied(edge, query))
            case "cancel_request":
                stream.cancel(request.cancel_request.watch_id)
            case "progress_request":
                stream.progress()
        await stream.room()


async def _denied(edge: Edge, query: WatchQuery) -> str:
    """Return why the caller may not watch, as etcd's clients search for it; nothing if he may.

    He is asked when a watch begins, never again.
    """
    key = query.key or FROM_KEY
    try:
        await edge.store.auth.check(edge.caller, lambda judge: judge.read(key, query.end))
    except NOT_ALLOWED as error:
        return f"rpc error: code = {_GO_CODES[error.code]} desc = {error}"
    return ""


def _query(request: rpc_pb2.WatchCreateRequest) -> WatchQuery:
    return WatchQuery(
        key=request.key,
        end=request.range_end,
        start_revision=request.start_revision,
        watch_id=request.watch_id,
        prev_kv=request.prev_kv,
        progress_notify=request.progress_notify,
        fragment=request.fragment,
        filters=frozenset(request.filters),
    )


def encode(edge: Edge, notice: Notice) -> Iterator[bytes]:
    """Yield a notice as one encoded WatchResponse, or as several if it asks for fragments."""
    control = _control(edge, notice)
    if not notice.fragment:
        yield b"".join((control, *[_events(batch, notice.prev_kv) for batch in notice.batches]))
        return
    events = [encode_event(event, prev_kv=notice.prev_kv) for event in notice.events]
    *first, last = split(events, edge.max_request_bytes + FRAGMENT_EXTRA)
    for part in first:
        yield b"".join((control, FRAGMENT, *part))
    yield b"".join((control, *last))


def _control(edge: Edge, notice: Notice) -> bytes:
    """Return the fields of a WatchResponse but for its events."""
    parts = [
        edge.headers.field(notice.revision),
        wire.number(b"\x10", notice.watch_id),
        wire.number(b"\x18", notice.created),
        wire.number(b"\x20", notice.canceled),
        wire.number(b"\x28", notice.compact_revision),
    ]
    if notice.reason:
        parts.append(wire.message(b"\x32", notice.reason.encode()))
    return b"".join(parts)


def _events(batch: Batch, prev_kv: bool) -> bytes:
    return batch.wire(prev_kv=prev_kv, encode=partial(encode_event, prev_kv=prev_kv))


def split(events: list[bytes], limit: int) -> Iterator[list[bytes]]:
    """Split encoded events into parts of at most `limit` bytes, or of one event."""
    part: list[bytes] = []
    size = 0
    for event in events:
        if part and size + len(event) > limit:
            yield part
            part, size = [], 0
        part.append(event)
        size += len(event)
    yield part


def encode_event(event: Event, *, prev_kv: bool) -> bytes:
    """Return an event as a field of a WatchResponse: encoded once for all watchers."""
    encoded = event.wire.get(prev_kv)
    if encoded is None:
        row = event.row
        content = (DELETE if row.deleted else b"") + wire.message(b"\x12", wire.key_value(row))
        if prev_kv and event.prev:
            content += wire.message(b"\x1a", wire.key_value(event.prev))
        encoded = event.wire[prev_kv] = wire.message(EVENTS_TAG, content)
    return encoded


METHODS: dict[str, Method] = {"Watch": Stream(rpc_pb2.WatchRequest, _watch)}
