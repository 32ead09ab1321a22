"""Reading the event log for watchers: pages of whole revisions, with what each event replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from datastore.mvcc.model import SUB_BITS, Event, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datastore.mvcc.backend import Session, Snapshot

PAGE_ROWS = 1_000
PAGE_BYTES = 1 << 20
CHUNK_ROWS = 100  # a page is read in chunks, since nobody knows how large its values are


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
    """Read PAGE_ROWS events or PAGE_BYTES from revision `first` on; never part of a revision."""
    with session.snapshot() as snapshot:
        state = snapshot.state()
        begin = max(first, state.compact_revision) << SUB_BITS
        rows, last = _read_rows(snapshot, begin, state.revision)
        if prevs:
            events = with_prevs(snapshot, rows, state.compact_revision)
        else:
            events = [Event(row, prev_known=False) for row in rows]
    return Page(events, last, state.revision, state.compact_revision)


def _read_rows(snapshot: Snapshot, begin: int, revision: int) -> tuple[list[Row], int]:
    """Return about a page of rows from an id on, and the last revision that is whole in it."""
    rows: list[Row] = []
    end, size = (revision + 1) << SUB_BITS, 0
    while len(rows) < PAGE_ROWS and size < PAGE_BYTES:
        chunk = snapshot.history(begin, end, CHUNK_ROWS)
        rows += chunk
        if len(chunk) < CHUNK_ROWS:
            return rows, revision
        begin = chunk[-1].id + 1
        size += sum(len(row.value) for row in chunk)
    last = rows[-1].revision
    return rows + snapshot.history(begin, (last + 1) << SUB_BITS, 0), last


def with_prevs(snapshot: Snapshot, rows: Sequence[Row], compact_revision: int) -> list[Event]:
    """Pair each event with its key's live row at the revision before it.

    There is none for the put that creates a key, or when that revision is below compaction.
    An earlier change of the same key in the same revision is stepped over.
    """
    found: dict[int, Row] = {row.id: row for row in rows}
    wanted = {row.id for row in rows if row.revision > compact_revision and not creates_key(row)}
    missing = {row.prev_id for row in rows if row.id in wanted} - found.keys() - {0}
    found.update(snapshot.rows(missing) if missing else {})
    return [Event(row, _before(row, found) if row.id in wanted else None) for row in rows]


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
