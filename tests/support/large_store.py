"""A store with very many keys, made by inserting rows: what growth is measured and tested on."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.mvcc.model import SUB_BITS

FIRST_REVISION = 2


def key_of(number: int, prefix: bytes = b"/registry/bench/") -> bytes:
    """Return the key with a number, of a fixed width: keys are in the order of their numbers."""
    return prefix + b"%08d" % number


def make_store(path: Path, keys: int, updates: int = 0, value: bytes = b"v" * 1024) -> int:
    """Create a SQLite store of `keys` keys, each put once and then `updates` puts in turn.

    Returns the revision before the updates. What a server would have written one by one is
    inserted without a log and in large pieces: a million keys of 1 KB take some ten seconds.
    """
    backend = new_backend(f"sqlite:///{path}", Identity("default", ()))
    backend.open()
    backend.close()
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("PRAGMA journal_mode=OFF")
        database.execute("PRAGMA synchronous=OFF")
        database.execute("BEGIN")
        history = "INSERT INTO history VALUES (?, ?, ?, ?, ?, 0, 0, ?)"
        database.executemany(history, _events(keys, updates, value))
        database.executemany("INSERT INTO kv VALUES (?, ?, ?, ?, 0, 0)", _heads(keys, updates))
        database.execute("COMMIT")
        database.execute("PRAGMA journal_mode=WAL")
    database.close()
    return FIRST_REVISION + keys - 1


def _events(
    keys: int, updates: int, value: bytes
) -> Iterator[tuple[int, bytes, bytes, int, int, int]]:
    for step in range(keys + updates):
        number, earlier = step % keys, step - keys
        created, version = FIRST_REVISION + number, step // keys + 1
        before = (FIRST_REVISION + earlier) << SUB_BITS if earlier >= 0 else 0
        event = (FIRST_REVISION + step) << SUB_BITS
        yield event, key_of(number), value, created, version, before


def _heads(keys: int, updates: int) -> Iterator[tuple[int, bytes, int, int]]:
    total = keys + updates
    for number in range(keys):
        versions = (total - 1 - number) // keys + 1
        last = number + (versions - 1) * keys
        created = FIRST_REVISION + number
        yield (FIRST_REVISION + last) << SUB_BITS, key_of(number), created, versions
