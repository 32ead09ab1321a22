"""RangeStream: a Range in pieces, so that a prefix of any size needs the memory of one piece.

The first piece fixes the revision; every later one reads that revision from where the last ended,
so together they are one state. Header, `more` and `count` come after the last rows. Pieces are cut
by bytes: rows are read STEP_KEYS at a time until PIECE_BYTES are there.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from datastore.errors import FilteredStream, SortedStream
from datastore.mvcc.counts import CountedView
from datastore.mvcc.model import RangeResult, SortOrder, SortTarget
from datastore.mvcc.ranges import arrange, check_revision
from datastore.mvcc.validation import check_range

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from datastore.mvcc.backend import Session
    from datastore.mvcc.model import RangeQuery, Row
    from datastore.mvcc.store import Store

PIECE_BYTES = 1 << 20
STEP_KEYS = 32  # rows that are in memory before their size is known


class Position(NamedTuple):
    """Where a stream stands: the next key, the revision it reads (0: not chosen), rows sent."""

    key: bytes
    at: int = 0
    sent: int = 0


class Piece(NamedTuple):
    """Some rows in key order; at the end of the range also its result, which has all but rows."""

    rows: list[Row]
    after: Position
    result: RangeResult | None


async def stream_range(store: Store, query: RangeQuery) -> AsyncIterator[RangeResult]:
    """Yield results with rows that together are the Range's; all but the last have nothing else.

    Refused are sort orders and filters, for which everything would have to be read first.
    """
    check_range(query)
    by_key = query.target == SortTarget.KEY and query.order == SortOrder.ASCEND
    if query.order != SortOrder.NONE and not by_key:
        raise SortedStream
    if query.filtered:
        raise FilteredStream
    query = query._replace(order=SortOrder.NONE, target=SortTarget.KEY)
    if query.count_only or not query.end:
        yield await store.range(query)
        return
    position = Position(query.key)
    while True:
        piece = await store.read(partial(_read_piece, store, query, position))
        if piece.result is not None:
            yield piece.result._replace(rows=piece.rows)
            return
        yield RangeResult(0, piece.rows, more=False, total=0)
        position = piece.after


def _read_piece(store: Store, query: RangeQuery, position: Position, session: Session) -> Piece:
    with session.snapshot() as snapshot:
        state = snapshot.state()
        if state.auth:
            store.guard.check(snapshot, state, query)
        asked = position.at or query.revision
        at = check_revision(asked, state.revision, state.compact_revision) or state.revision
        view = CountedView(snapshot, state, store.hub.counts)
        left = query.limit - position.sent if query.limit > 0 else -1
        rows, ended = _read_rows(view, query, position._replace(at=at), left)
        sent = position.sent + len(rows)
        if not ended:
            return Piece(rows, Position(rows[-1].key + b"\0", at, sent), None)
        total = sent
        if sent == query.limit:
            total = view.count(query.key, query.end, at)
        shown = state.revision if query.revision > 0 else at
        result = RangeResult(shown, [], more=sent < total, total=total)
        return Piece(rows, position, result)


def _read_rows(
    view: CountedView, query: RangeQuery, position: Position, left: int
) -> tuple[list[Row], bool]:
    """Return rows of about PIECE_BYTES, at most `left` (-1: all), and whether they end it."""
    revision = 0 if position.at == view.revision else position.at
    rows: list[Row] = []
    size, key = 0, position.key
    while size < PIECE_BYTES:
        step = STEP_KEYS if left < 0 else min(left - len(rows), STEP_KEYS)
        if not step:
            return rows, True
        found = view.scan(key, query.end, step, revision, values=not query.keys_only)
        rows += arrange(found, query._replace(limit=0))[0]
        if len(found) < step:
            return rows, True
        size += sum(len(row.key) + len(row.value) for row in found)
        key = found[-1].key + b"\0"
    return rows, False
