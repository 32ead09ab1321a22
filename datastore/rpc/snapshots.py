"""Maintenance/Snapshot: the store as a file, in chunks, and the checksum of all of them at the end.

The copy is made first, whole, and is gone when the stream ends, however it ends. A client that
takes no READ_AHEAD bytes in STALLED_SECONDS loses it: it is as large as the store. The content is
a SQLite file whatever the backend, which `tapir snapshot restore` puts into any backend.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from datastore.errors import DatastoreError
from proto.etcd import rpc_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from datastore.mvcc.store_copy import StoreCopy
    from datastore.rpc.answering import Edge

CHUNK = 32 << 10
READ_AHEAD = 32 * CHUNK
STALLED_SECONDS = 60.0


class SnapshotStalled(DatastoreError):
    """etcdserver: the snapshot was not read for a minute"""

    code = "DEADLINE_EXCEEDED"


async def snapshot(
    edge: Edge, _: rpc_pb2.SnapshotRequest, version: str, stalled: float = STALLED_SECONDS
) -> AsyncIterator[bytes]:
    """Yield encoded answers; SnapshotStalled once the client has not taken any for too long."""
    loop = asyncio.get_running_loop()
    async with edge.store.upkeep.copy() as copy:
        remaining = copy.size
        digest = hashlib.sha256()
        while data := await asyncio.to_thread(_read, copy, digest):
            closing = loop.call_later(stalled, copy.close)
            try:
                for blob in _cut(data):
                    remaining -= len(blob)
                    yield _answer(remaining, blob, version)
            finally:
                closing.cancel()
            if copy.closed:
                raise SnapshotStalled
        yield _answer(0, digest.digest(), version)


def _read(copy: StoreCopy, digest: hashlib._Hash) -> bytes:
    data = copy.read(READ_AHEAD)
    digest.update(data)
    return data


def _cut(data: bytes) -> Iterator[bytes]:
    return (data[start : start + CHUNK] for start in range(0, len(data), CHUNK))


def _answer(remaining: int, blob: bytes, version: str) -> bytes:
    response = rpc_pb2.SnapshotResponse(remaining_bytes=remaining, blob=blob, version=version)
    return response.SerializeToString()
