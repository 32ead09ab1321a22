"""A Range from revision check to cut: pure over a `RangeView`, the same alone and inside a Txn.

The order of the steps is etcd's: pick the revision, count, fetch, filter, sort, cut, blank. `count`
never sees limit or filters, because kube-apiserver pages by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from datastore.errors import Compacted, FutureRevision
from datastore.mvcc.model import SUB_BITS, RangeQuery, RangeResult, Row, SortOrder, SortTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class RangeView(Protocol):
    """What a read needs: a state, and the live rows of it. revision 0 means the view's own."""

    @property
    def revision(self) -> int:
        """The revision that the view shows."""

    @property
    def compact_revision(self) -> int:
        """The revision below which nothing can be read."""

    def scan(
        self, key: bytes, end: bytes, limit: int, revision: int, *, values: bool
    ) -> Sequence[Row]:
        """Return live rows in key order."""

    def count(self, key: bytes, end: bytes, revision: int) -> int:
        """Return the number of live keys."""


def check_revision(asked: int, revision: int, compact_revision: int) -> int:
    """Return the revision to read at (0 for now), or raise FutureRevision or Compacted."""
    if asked <= 0:
        return 0
    if asked > revision:
        raise FutureRevision
    if asked < compact_revision:
        raise Compacted
    return asked


MOST_ROWS = 1 << 48  # a limit that no store reaches, and every database can be told


def pages(query: RangeQuery) -> bool:
    """Say whether a query is a page: its limit is the last thing that takes keys away."""
    return query.limit > 0 and not query.order and not query.filtered


def read_range(view: RangeView, query: RangeQuery) -> RangeResult:
    """Answer a validated query whose revision is already known to be readable."""
    at = max(query.revision, 0)
    if query.count_only:
        return RangeResult(view.revision, [], more=False, total=view.count(*query[:2], at))
    early = pages(query)
    fetch = min(query.limit, MOST_ROWS) + 1 if early else 0
    values = not query.keys_only or query.target == SortTarget.VALUE
    rows = view.scan(query.key, query.end, fetch, at, values=values)
    cut = early and len(rows) > query.limit
    count = view.count(query.key, query.end, at) if cut else len(rows)
    kept, more = arrange(rows, query)
    return RangeResult(view.revision, kept, more, count)


def arrange(rows: Sequence[Row], query: RangeQuery) -> tuple[Sequence[Row], bool]:
    """Filter, sort, cut and blank rows that came in key order; also say whether it cut."""
    if query.filtered:
        rows = [row for row in rows if _passes(row, query)]
    if query.target != SortTarget.KEY or query.order == SortOrder.DESCEND:
        descending = query.order == SortOrder.DESCEND
        rows = sorted(rows, key=_SORT_KEYS[SortTarget(query.target)], reverse=descending)
    more = 0 < query.limit < len(rows)
    if more:
        rows = rows[: query.limit]
    if query.keys_only:
        rows = [row._replace(value=b"") if row.value else row for row in rows]
    return rows, more


def _passes(row: Row, query: RangeQuery) -> bool:
    modified, created = row.id >> SUB_BITS, row.create_revision
    return not (
        (query.max_mod and modified > query.max_mod)
        or (query.min_mod and modified < query.min_mod)
        or (query.max_create and created > query.max_create)
        or (query.min_create and created < query.min_create)
    )


_SORT_KEYS: dict[SortTarget, Callable[[Row], int | bytes]] = {
    SortTarget.KEY: lambda row: row.key,
    SortTarget.VERSION: lambda row: row.version,
    SortTarget.CREATE: lambda row: row.create_revision,
    SortTarget.MOD: lambda row: row.id >> SUB_BITS,
    SortTarget.VALUE: lambda row: row.value,
}
