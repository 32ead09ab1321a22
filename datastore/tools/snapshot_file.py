"""Snapshot files: a SQLite store of any backend, followed by the SHA-256 of it.

`tapir snapshot save` and `etcdctl snapshot save` write the same bytes; the former puts the keys of
a cluster between both when it is asked to (`snapshot_pki`). Read by restore and status, which
refuse in one line whatever is not such a file.
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
HEADER = 100  # bytes of SQLite's own, in which it says how large the database is
TAR_MAGIC, TAR_MAGIC_AT = b"ustar", 257


class BadSnapshot(ConfigError):
    """A file is no snapshot that can be used; the message names it and the remedy."""


class Layout(NamedTuple):
    """How many bytes of a file are the store, and how many behind it the tar of a cluster's keys.

    The checksum behind both is not counted.
    """

    store: int
    pki: int


class Status(NamedTuple):
    """What a snapshot holds: a checksum of its store, revision, live keys, the store's bytes."""

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
            layout = _layout(path, file, check_hash=check_hash)
            _check_magic(path, file.peek(len(MAGIC)), layout.store)
            digest = hashlib.sha256()
            for data in _pieces(file, layout.store):
                digest.update(data)
                take(data)
            for data in _pieces(file, layout.pki):
                digest.update(data)
            if check_hash and file.read(DIGEST) != digest.digest():
                raise BadSnapshot(f"{path} is damaged: its checksum is wrong: use another copy")
    except OSError as error:
        raise BadSnapshot(f"{path}: {error.strerror}") from error
    return layout.store


def layout_of(path: Path) -> Layout:
    """Return how a file is made up; BadSnapshot when it cannot be read."""
    try:
        with path.open("rb") as file:
            return _layout(path, file, check_hash=False)
    except OSError as error:
        raise BadSnapshot(f"{path}: {error.strerror}") from error


def looks_like_one(path: Path) -> bool:
    """Say whether a file begins and ends as a snapshot does, whatever is between; OSError."""
    with path.open("rb") as file:
        beginning = file.read(len(MAGIC))
        return beginning == MAGIC and os.fstat(file.fileno()).st_size % BLOCK == DIGEST


def _check_magic(path: Path, beginning: bytes, size: int) -> None:
    if not size:
        raise BadSnapshot(f"{path} is empty: use another copy")
    if not beginning.startswith(MAGIC):
        raise BadSnapshot(
            f"{path} is not a snapshot of this datastore: one of a real etcd is for tapir import"
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


def _layout(path: Path, file: BinaryIO, *, check_hash: bool) -> Layout:
    """Return how an open file is made up, which is then read from its beginning."""
    size = os.fstat(file.fileno()).st_size
    if size % BLOCK != DIGEST:
        if check_hash:
            raise BadSnapshot(
                f"{path} has no checksum at its end: it is cut short, or no snapshot; "
                "--skip-hash-check takes a copy of a database file"
            )
        return Layout(size, 0)
    body = size - DIGEST
    store = _store_size(file.read(HEADER))
    is_tar = 0 < store < body and _reads(file, store + TAR_MAGIC_AT, TAR_MAGIC)
    file.seek(0)
    return Layout(store, body - store) if is_tar else Layout(body, 0)


def _store_size(header: bytes) -> int:
    """Return the bytes of a database by what its header says: a page's size, and how many."""
    page = int.from_bytes(header[16:18])
    return (65_536 if page == 1 else page) * int.from_bytes(header[28:32])


def _reads(file: BinaryIO, place: int, expected: bytes) -> bool:
    file.seek(place)
    return file.read(len(expected)) == expected


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
