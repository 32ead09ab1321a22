"""Reading the event log for watchers: pages of whole revisions, with what each event replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from datastore.mvcc.model import SUB_BITS, Event, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datastore.mvcc.backend import Session, Snapshot
    from datastore.mvcc.model import State

PAGE_ROWS = 1_000
PAGE_BYTES = 1 << 20  # what the events replaced counts too
FIRST_CHUNK, LARGEST_CHUNK = 16, 256  # rows read at once: nobody knows how large their values are


class Page(NamedTuple):
    """Events of whole revisions up to `last`, read at `revision`; empty if asked below compaction.

    All of it is from one snapshot, so a watcher behind `compact_revision` is known to have missed
    events, and one at or above it to have missed none.
    """

    events: list[Event]
    last: int
    revision: int
    compact_revision: int


def read_page(session: Session, first: int, *, prevs: bool) -> Page:
    """Read about PAGE_ROWS events or PAGE_BYTES from revision `first` on; no revision in part."""
    with session.snapshot() as snapshot:
        state = snapshot.state()
        pairs = Prevs(snapshot, state.compact_revision) if prevs else _WithoutPrevs()
        events, last = _read_events(snapshot, state, first, pairs)
    return Page(events, last, state.revision, state.compact_revision)


def _read_events(
    snapshot: Snapshot, state: State, first: int, pairs: Prevs | _WithoutPrevs
) -> tuple[list[Event], int]:
    """Return about a page of events, and the last revision that is whole in it."""
    events: list[Event] = []
    begin = max(first, state.compact_revision) << SUB_BITS
    end, size, limit = (state.revision + 1) << SUB_BITS, 0, FIRST_CHUNK
    while len(events) < PAGE_ROWS and size < PAGE_BYTES:
        chunk = pairs.events(snapshot.history(begin, end, limit))
        events += chunk
        if len(chunk) < limit:
            return events, state.revision
        begin = chunk[-1].row.id + 1
        size += sum(event.size for event in chunk)
        limit = min(limit * 2, LARGEST_CHUNK)
    last = events[-1].revision
    rest = snapshot.history(begin, (last + 1) << SUB_BITS, 0)
    return events + pairs.events(rest), last


class _WithoutPrevs:
    """Makes events for watchers none of whom wants to know what was replaced."""

    def events(self, rows: Sequence[Row]) -> list[Event]:
        """Return the events of rows."""
        return [Event(row, prev_known=False) for row in rows]


class Prevs:
    """Pairs each event with its key's live row at the revision before it.

    There is none for the put that creates a key, or when that revision is below compaction.
    An earlier change of the same key in the same revision is stepped over.
    """

    def __init__(self, snapshot: Snapshot, compact_revision: int) -> None:
        self._snapshot = snapshot
        self._compact_revision = compact_revision
        self._found: dict[int, Row] = {}

    def events(self, rows: Sequence[Row]) -> list[Event]:
        """Return the events of rows, which follow those given before; no revision from its middle.

        A revision may be cut at its end if the rest of it comes next.
        """
        found = self._found
        found.update((row.id, row) for row in rows)
        wanted = {row.id for row in rows if self._replaced_some(row)}
        missing = {row.prev_id for row in rows if row.id in wanted} - found.keys() - {0}
        found.update(self._snapshot.rows(missing) if missing else {})
        return [Event(row, _before(row, found) if row.id in wanted else None) for row in rows]

    def _replaced_some(self, row: Row) -> bool:
        return row.revision > self._compact_revision and not creates_key(row)


def with_prevs(snapshot: Snapshot, rows: Sequence[Row], compact_revision: int) -> list[Event]:
    """Pair the events of whole revisions with what each replaced."""
    return Prevs(snapshot, compact_revision).events(rows)


def creates_key(row: Row) -> bool:
    """Say whether the event is the put that makes a key exist."""
    return not row.deleted and row.create_revision == row.revision


def _before(row: Row, found: dict[int, Row]) -> Row | None:
    """Follow the chain past the row's own revision, all of whose events are in `found`."""
    link = row.prev_id
    while link in found and link >> SUB_BITS == row.revision:
        link = found[link].prev_id
    return _live(found.get(link))


def _live(row: Row | None) -> Row | None:
    return None if row is None or row.deleted else row
