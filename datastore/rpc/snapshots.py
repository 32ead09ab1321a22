"""Maintenance/Snapshot: the store as a file, in chunks, and the checksum of all of them at the end.

The copy is made first, whole, into a file without a name in the temporary directory; it is gone
when the stream ends, however it ends. The content is a SQLite file whatever the backend, which
`tapir snapshot restore` puts into any backend.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from proto.etcd import rpc_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from datastore.rpc.answering import Edge

CHUNK = 32 << 10
READ_AHEAD = 32 * CHUNK


async def snapshot(edge: Edge, _: rpc_pb2.SnapshotRequest, version: str) -> AsyncIterator[bytes]:
    """Yield encoded answers."""
    with await _copy(edge) as file:
        remaining = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256()
        while data := await asyncio.to_thread(_read, file, digest):
            for start in range(0, len(data), CHUNK):
                blob = data[start : start + CHUNK]
                remaining -= len(blob)
                yield _answer(remaining, blob, version)
        yield _answer(0, digest.digest(), version)


async def _copy(edge: Edge) -> BinaryIO:
    """Return a copy of the store as an open file without a name; its pages are whole blocks."""
    with tempfile.TemporaryDirectory(prefix="tapir-snapshot-") as directory:
        path = Path(directory) / "store.db"
        await edge.store.upkeep.copy_to(path)
        return path.open("rb")


def _read(file: BinaryIO, digest: hashlib._Hash) -> bytes:
    data = file.read(READ_AHEAD)
    digest.update(data)
    return data


def _answer(remaining: int, blob: bytes, version: str) -> bytes:
    response = rpc_pb2.SnapshotResponse(remaining_bytes=remaining, blob=blob, version=version)
    return response.SerializeToString()
