"""Bounds: what one snapshot says of the whole store, and from where on its events are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from datastore.backends.schema import history, meta
from datastore.mvcc.model import SUB_BITS

if TYPE_CHECKING:
    from sqlalchemy import Connection

REVISIONS = 1 << (63 - SUB_BITS)  # an event's id is a signed number of 64 bits


class NoBounds(Exception):
    """The revisions in meta cannot be; the message says which."""


class Bounds(NamedTuple):
    """The revisions of a store: its own, and how far compaction has come.

    Events with an id below `first` are not judged: 0 judges the whole store.
    """

    revision: int
    floor: int
    compacted: int
    pruned: int
    first: int = 0

    @property
    def looked_at(self) -> int:
        """The first event id that compaction has not certainly passed.

        It goes from `pruned` on; the compact revision itself has been passed when it is reached.
        """
        done = self.pruned == self.compacted
        return (max(self.pruned, 0) + done) << SUB_BITS

    @property
    def passed(self) -> int:
        """The first event id that compaction cannot have passed.

        A step may have been in the revision `pruned`, or in the next: on its way through a compact
        revision `pruned` is one less, also when a further compaction came before that was done.
        """
        at_work = self.pruned < self.compacted
        return (max(self.pruned, 0) + at_work + 1) << SUB_BITS


UNKNOWN = Bounds(0, 1, -1, -1)  # as good as any for a check that looks at everything


def read_bounds(connection: Connection, since: int) -> Bounds:
    """Read them; NoBounds for what is no revision, DBAPIError when the database cannot."""
    newest = connection.scalar(select(func.max(history.c.id))) or 0
    columns = (meta.c.floor, meta.c.compact_revision, meta.c.pruned_revision)
    row = connection.execute(select(*columns).limit(1)).first()
    if row is None:
        return UNKNOWN._replace(revision=newest >> SUB_BITS, first=since << SUB_BITS)
    for column, value in zip(columns, row, strict=True):
        if not isinstance(value, int) or not -1 <= value < REVISIONS - 1:
            raise NoBounds(f"{column.name} is {value!r}, which no revision can be")
    floor, compacted, pruned = row
    return Bounds(max(newest >> SUB_BITS, floor), floor, compacted, pruned, since << SUB_BITS)
