"""etcdserverpb.Watch: one stream of requests in, one stream of answers out, many watchers.

Two halves run side by side: one reads requests, each only when the outbox has room; the other
encodes notices in the order of the outbox. A client that closes its half keeps getting events.
The stream never ends by itself, and with UNAVAILABLE when the server stops.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from datastore.errors import NOT_ALLOWED
from datastore.mvcc.model import FROM_KEY
from datastore.mvcc.watch import Notice, WatchQuery, WatchStream
from datastore.rpc import codec
from datastore.rpc.answering import Edge, Method, Stream
from proto.etcd import kv_pb2, rpc_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from datastore.mvcc.model import Event

SERVICE = "etcdserverpb.Watch"
FRAGMENT_EXTRA = 512 << 10
_GO_CODES = {
    "UNAUTHENTICATED": "Unauthenticated",
    "INVALID_ARGUMENT": "InvalidArgument",
    "PERMISSION_DENIED": "PermissionDenied",
}
EVENTS_TAG = b"\x5a"  # field 11, length-delimited


async def _watch(edge: Edge, requests: AsyncIterator[rpc_pb2.WatchRequest]) -> AsyncIterator[bytes]:
    stream = edge.store.watch_stream()
    reading = asyncio.create_task(_read(edge, stream, requests))
    try:
        while True:
            notice = await stream.take()
            for message in encode(edge, notice):
                yield message
    finally:
        stream.close()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


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
    events = [encode_event(event, prev_kv=notice.prev_kv) for event in notice.events]
    limit = edge.max_request_bytes + FRAGMENT_EXTRA
    parts = list(split(events, limit)) if notice.fragment else [events]
    for number, part in enumerate(parts):
        response = rpc_pb2.WatchResponse(
            header=edge.header(notice.revision),
            watch_id=notice.watch_id,
            created=notice.created,
            canceled=notice.canceled,
            compact_revision=notice.compact_revision,
            cancel_reason=notice.reason,
            fragment=number < len(parts) - 1,
        )
        yield b"".join((response.SerializeToString(), *part))


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
        message = _event(event, prev_kv=prev_kv).SerializeToString()
        encoded = event.wire[prev_kv] = EVENTS_TAG + _varint(len(message)) + message
    return encoded


def _event(event: Event, *, prev_kv: bool) -> kv_pb2.Event:
    row = event.row
    prev = codec.key_value(event.prev) if prev_kv and event.prev else None
    if row.deleted:
        kv = kv_pb2.KeyValue(key=row.key, mod_revision=row.revision)
        return kv_pb2.Event(type=kv_pb2.Event.DELETE, kv=kv, prev_kv=prev)
    return kv_pb2.Event(kv=codec.key_value(row), prev_kv=prev)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


METHODS: dict[str, Method] = {"Watch": Stream(rpc_pb2.WatchRequest, _watch)}
