"""Snapshot files: a SQLite store of any backend, followed by the SHA-256 of it.

`tapir snapshot save` and `etcdctl snapshot save` write the same bytes. Read by restore and status,
which refuse in one line whatever is not such a file.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from datastore.errors import ConfigError
from datastore.mvcc.model import SUB_BITS
from datastore.tools.unreadable import SQLITE_UNREADABLE, in_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

MAGIC = b"SQLite format 3\0"
# The store's size is a multiple of it, so a file without a checksum is told by its size.
BLOCK = 512
DIGEST = hashlib.sha256().digest_size
AT_ONCE = 1 << 20


class BadSnapshot(ConfigError):
    """A file is no snapshot that can be used; the message names it and the remedy."""


class Status(NamedTuple):
    """What a snapshot holds: a checksum of its bytes, the store's revision, live keys, bytes."""

    hash: int
    revision: int
    keys: int
    size: int


def read_store(path: Path, take: Callable[[bytes], object], *, check_hash: bool = True) -> int:
    """Give a snapshot's store to `take`, piece by piece, and return its size.

    BadSnapshot, at the latest after the last piece, if it is none or not as it was saved.
    """
    try:
        with path.open("rb") as file:
            size, digest = _measure(path, os.fstat(file.fileno()).st_size, check_hash=check_hash)
            _check_magic(path, file.peek(len(MAGIC)), size)
            for data in _pieces(file, size):
                digest.update(data)
                take(data)
            if check_hash and file.read(DIGEST) != digest.digest():
                raise BadSnapshot(f"{path} is damaged: its checksum is wrong: use another copy")
    except OSError as error:
        raise BadSnapshot(f"{path}: {error.strerror}") from error
    return size


def _check_magic(path: Path, beginning: bytes, size: int) -> None:
    if not size:
        raise BadSnapshot(f"{path} is empty: use another copy")
    if not beginning.startswith(MAGIC):
        raise BadSnapshot(
            f"{path} is not a snapshot of this datastore: one of a real etcd is for etcdutl"
        )


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size and (data := file.read(min(AT_ONCE, size))):
        yield data
        size -= len(data)


def has_digest(path: Path) -> bool:
    """Say whether a file ends in a checksum, as a snapshot does and a copy of a store does not."""
    try:
        return path.stat().st_size % BLOCK == DIGEST
    except OSError as error:
        raise BadSnapshot(f"{path}: {error.strerror}") from error


def _measure(path: Path, size: int, *, check_hash: bool) -> tuple[int, hashlib._Hash]:
    """Return the size of the store in the file, and the sum to begin with."""
    if size % BLOCK == DIGEST:
        return size - DIGEST, hashlib.sha256()
    if check_hash:
        raise BadSnapshot(
            f"{path} has no checksum at its end: it is cut short, or no snapshot; "
            "--skip-hash-check takes a copy of a database file"
        )
    return size, hashlib.sha256()


def status(path: Path) -> Status:
    """Check a snapshot and tell what it holds."""
    crc = 0

    def add(data: bytes) -> None:
        nonlocal crc
        crc = zlib.crc32(data, crc)

    size = read_store(path, add)
    name = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(name, uri=True)) as connection:
            revision = _revision(path, connection)
            (keys,) = connection.execute("SELECT count(*) FROM kv WHERE deleted = 0").fetchone()
    except SQLITE_UNREADABLE as error:
        raise BadSnapshot(
            f"{path} is not a snapshot of this datastore: {in_one_line(error)}"
        ) from error
    return Status(crc, revision, keys, size)


def _revision(path: Path, connection: sqlite3.Connection) -> int:
    row = connection.execute(
        "SELECT (SELECT coalesce(max(id), 0) FROM history), floor FROM meta"
    ).fetchone()
    if row is None or not all(isinstance(value, int) for value in row):
        raise BadSnapshot(f"{path} is damaged: meta has no revision: use another copy")
    return int(max(row[0] >> SUB_BITS, row[1]))
