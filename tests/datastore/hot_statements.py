"""What is done with a store all the time: the work whose visited rows are counted, on any database.

Each is a piece of work on a `Store`, beside the rows that it is about.
"""

from collections.abc import Callable
from typing import Any, Protocol

from datastore.backends.transaction import SqlTransaction
from datastore.mvcc.backend import Changes, Wanted
from datastore.mvcc.counts import CountedView, LiveCounts
from datastore.mvcc.history import read_page
from datastore.mvcc.model import SUB_BITS, Head, Lease, Row
from tests.support.large_store import key_of

SMALL, LARGE = 2_000, 1_000_000  # keys of the two stores that are compared
UPDATES = 1_000  # of the first keys, so that a pinned page has to look behind them
PAGE = 500
KEY, END = b"/registry/bench/", b"/registry/bench0"
LEASE = 77


class Store(Protocol):
    """A store that is there already; `pinned` is the revision before its updates."""

    session: Any
    counts: LiveCounts
    pinned: int
    revision: int


def reading(what: Callable[[SqlTransaction, Store], object]) -> Callable[[Store], object]:
    """Do it in a snapshot."""

    def work(store: Store) -> object:
        with store.session.snapshot() as snapshot:
            return what(snapshot, store)

    return work


def writing(what: Callable[[SqlTransaction, Store], object]) -> Callable[[Store], object]:
    """Do it in a write transaction, which is rolled back: the next does the same."""

    def work(store: Store) -> object:
        with store.session.transaction() as tx:
            return what(tx, store)

    return work


def _count_again(snapshot: SqlTransaction, store: Store) -> int:
    view = CountedView(snapshot, snapshot.state(), store.counts)
    return view.count(KEY, END, 0) + view.count(KEY, END, store.pinned)


def _put(tx: SqlTransaction, store: Store) -> None:
    event, key = (store.revision + 1) << SUB_BITS, key_of(1500)
    head = tx.heads([key])[key]
    row = Row(event, key, b"new", head.create_revision, head.version + 1, LEASE, 0, head.id)
    changes = Changes(rows=[row], heads={key: Head(event, key, *row[3:7])})
    changes.put_leases[LEASE] = Lease(LEASE, 60, 1)
    tx.write(changes)
    assert [found.key for found in tx.lease_keys(LEASE)] == [key]


WORK: dict[str, tuple[int, Callable[[Store], object]]] = {
    "state": (2, reading(lambda snapshot, _: snapshot.state())),
    "point read": (8, reading(lambda snapshot, _: snapshot.live([key_of(1700)]))),
    "point read, the row alone": (8, lambda store: store.session.live_row(key_of(1700))),
    "point read, with the state": (8, lambda store: store.session.look([key_of(1700)])),
    "page, newest": (
        PAGE,
        reading(lambda s, _: s.scan(KEY, END, PAGE, 0, values=True)),
    ),
    "page, keys only": (
        PAGE,
        reading(lambda s, _: s.scan(KEY, END, PAGE, 0, values=False)),
    ),
    "page, old and changed since": (
        3 * PAGE,
        reading(lambda s, store: s.scan(KEY, END, PAGE, store.pinned, values=True)),
    ),
    "page, old and as it was": (
        2 * PAGE,
        reading(lambda s, store: s.scan(key_of(1200), END, PAGE, store.pinned, values=True)),
    ),
    "count, after the first": (8, reading(_count_again)),
    "prefetch of a put": (
        16,
        writing(lambda tx, _: tx.prefetch(Wanted([key_of(9), key_of(1999)], [key_of(9)], [1]))),
    ),
    "put with a lease, and its keys": (24, writing(_put)),
    "lease": (8, reading(lambda snapshot, _: snapshot.leases([LEASE]))),
    "leases that are due": (8, reading(lambda snapshot, _: snapshot.due_leases(1, 500))),
    "history for a watcher": (
        3 * PAGE,
        lambda store: read_page(store.session, store.revision - 99, prevs=True),
    ),
}
