"""Plain values that cross the border between the etcd client and the rest of the API server."""

from typing import NamedTuple


class KeyValue(NamedTuple):
    """One live key, its value, and the revisions of its creation and of its last change."""

    key: bytes
    value: bytes
    create_revision: int
    mod_revision: int


class Page(NamedTuple):
    """The answer to a range.

    `kvs` are in key order, `total` is the number of keys in the range whatever the limit was, and
    `revision` is the store's revision at the read (not the revision that was asked for).
    """

    kvs: list[KeyValue]
    total: int
    revision: int


class KeyChange(NamedTuple):
    """A write of one key: its new value, or None to delete it.

    The key must be at `mod_revision`; 0 means that it must not exist.
    """

    key: bytes
    value: bytes | None
    mod_revision: int
    lease: int = 0


class KeyCondition(NamedTuple):
    """What must be so for a transaction to happen: the key was made at `create_revision`.

    0 means that it does not exist. With `end`, that goes for every key from `key` up to there.
    """

    key: bytes
    create_revision: int
    end: bytes = b""


Part = KeyChange | KeyCondition
"""Of a transaction."""


class Swap(NamedTuple):
    """The outcome of a compare-and-swap.

    When `succeeded`, `revision` is that of the write. When not, `current` is what is there now
    (None: nothing).
    """

    succeeded: bool
    revision: int
    current: KeyValue | None


class KeyEvent(NamedTuple):
    """One change of one key; `value` is None for a deletion."""

    key: bytes
    value: bytes | None
    revision: int


class WatchBatch(NamedTuple):
    """Events in revision order; everything at or below `revision` has been delivered."""

    events: list[KeyEvent]
    revision: int


def prefix_end(prefix: bytes) -> bytes:
    """The end of the range of all keys that start with `prefix` (not empty, last byte < 0xff)."""
    return prefix[:-1] + bytes([prefix[-1] + 1])
