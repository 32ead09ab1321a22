"""Moving the rows of PostgreSQL's history together, so that its file becomes shorter.

VACUUM lets the room of deleted rows be used again, and cuts off what is free at the end of a file.
Where there was more history for a while, what came last stays at the end and keeps the file as long
as it ever was. So once there is a surplus (`sqlite_surplus`: room that nobody needed for ten
minutes) the rows at the end are deleted and inserted again, a few pages a second: the database puts
them where there is room further in front, and then cuts the end off. That changes nothing that
anybody reads. It is done under the store's lock, or pruning would miss a row that moves.

Called once a second, by the server that prunes.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from datastore.backends.sqlite_surplus import Surplus

LOOK_EVERY = 20  # calls
LOOKS = 30  # of a period
SAMPLED_PAGES = 256
STEP_PAGES = 64
STEP_BYTES = 4 << 20  # of values; where they are larger the rows are not what takes the room
PAGE_BYTES = 8_168  # without its header, which every page has
ROW_BYTES = 76  # without key and value
INLINE_BYTES = 2_000  # a larger value is elsewhere, or made as small as that
SAMPLE = (  # the rows of a part of the pages, and their bytes
    f"SELECT count(*), coalesce(sum({ROW_BYTES} + pg_column_size(key)"
    f" + least(pg_column_size(value), {INLINE_BYTES})), 0)::bigint"
    " FROM history TABLESAMPLE SYSTEM (%b)"
)
PAGES = "SELECT pg_relation_size('history') / current_setting('block_size')::int"


class Room(NamedTuple):
    """The pages of the file, and how many of them its rows do not need, nearly."""

    pages: int
    free: int


class Table(Protocol):
    """What is done with the table (`PostgresSession`)."""

    def room(self) -> Room:
        """Return how much room there is."""

    def move(self, first: int, end: int) -> None:
        """Write the rows of some pages anew, elsewhere."""

    def vacuum_history(self) -> None:
        """Make room of what is deleted, and cut off the end if it is free."""


class Packing:
    """When rows are moved, and which."""

    def __init__(self) -> None:
        self._calls = 0
        self._rest()

    def _rest(self) -> None:
        """Begin to look for a surplus; what is not gone now is looked at in ten minutes again."""
        self._surplus = Surplus(LOOKS)
        self._target = self._end = 0  # pages that are kept, and those not moved yet

    def go_on(self, table: Table) -> None:
        """Look now and then; while there is a surplus, do a step."""
        self._calls += 1
        if self._end > self._target:
            self._step(table)
        elif self._calls % LOOK_EVERY == 0:
            self._look(table)

    def _look(self, table: Table) -> None:
        room = table.room()
        surplus = self._surplus.look(*room)
        if surplus:
            table.vacuum_history()  # whose room the rows are to go to
            self._target, self._end = room.pages - surplus, room.pages

    def _step(self, table: Table) -> None:
        first = max(self._end - STEP_PAGES, self._target)
        table.move(first, self._end)
        self._end = first
        if first == self._target:
            table.vacuum_history()
            self._rest()


def percent_of(pages: int) -> float:
    """Return how much of a file of so many pages is sampled."""
    return min(100.0, 100.0 * SAMPLED_PAGES / max(pages, 1))


def room_of(pages: int, rows: int, size: int, percent: float) -> Room:
    """Return the room in a file of so many pages, from what was sampled of it."""
    if not rows:
        return Room(pages, pages)
    together = max(PAGE_BYTES * rows // max(size, 1), 1)  # rows on a page
    return Room(pages, max(pages - int(rows * 100 / percent / together) - 1, 0))


def moving(first: int, end: int) -> str:
    """Return the statement that moves the rows of some pages, unless they are very large."""
    there = f"ctid >= '({first},0)'::tid AND ctid < '({end},0)'::tid"
    large = f"SELECT coalesce(sum(pg_column_size(value)), 0) FROM history WHERE {there}"
    return (
        f"WITH moved AS (DELETE FROM history WHERE {there} AND ({large}) < {STEP_BYTES} "
        "RETURNING *) INSERT INTO history SELECT * FROM moved"
    )
