"""What moves: a live key with everything that etcd says of it, and where it comes from.

A source is used by one thread, as a context manager: connect, `pin` a revision, then read as often
as wanted; what is read is always of that revision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from datastore.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from datastore.mvcc.auth.model import AuthTables

BATCH_ROWS = 500
BATCH_BYTES = 4 << 20
RECORD_BYTES = 64  # of a record beside its key and value


class CannotMove(ConfigError):
    """An import or export cannot go on; the message names the side and the remedy."""


class SourceCompacted(Exception):
    """The source does not have the revision any more that an import began with."""


class Record(NamedTuple):
    """A live key."""

    key: bytes
    value: bytes
    create_revision: int
    mod_revision: int
    version: int
    lease: int

    @property
    def size(self) -> int:
        """About its bytes in memory."""
        return len(self.key) + len(self.value) + RECORD_BYTES


class Source(Protocol):
    """A store to be read. Any method may raise CannotMove.

    `identity` tells this source from others, also at the next run; `auth_on` says that it has
    users, and that who is none of them is let in nowhere.
    """

    name: str
    identity: str
    auth_on: bool

    def __enter__(self) -> Self:
        """Connect."""

    def __exit__(self, *_: object) -> None:
        """Let go."""

    def newest(self) -> int:
        """Return the source's revision."""

    def pin(self, revision: int) -> int:
        """Read at this revision from now on, and return the number of keys.

        SourceCompacted when the source has given it up.
        """

    def records(self, after: bytes) -> Iterator[list[Record]]:
        """Yield the live keys beyond `after` in key order, in batches of bounded bytes."""

    def leases(self) -> dict[int, int]:
        """Return the granted seconds of every lease by its id."""

    def users(self) -> AuthTables | None:
        """Return users and roles, None when the source does not give them away."""


def batched(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Gather records up to BATCH_ROWS or BATCH_BYTES, whichever comes first."""
    batch: list[Record] = []
    size = 0
    for record in records:
        batch.append(record)
        size += record.size
        if len(batch) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def shown(key: bytes) -> str:
    """Return a key for a message."""
    text = key.decode(errors="backslashreplace")
    return text if text.isprintable() and len(text) <= 200 else repr(key[:200])
