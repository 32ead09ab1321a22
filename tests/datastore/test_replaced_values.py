"""What an event replaced is memory too: the bounds of pages, batches and recent events count it."""

import gc
import weakref
from pathlib import Path

import pytest

from datastore.mvcc.committer import Outcome
from datastore.mvcc.history import PAGE_BYTES, read_page
from datastore.mvcc.hub import RECENT_BYTES, WatchHub
from datastore.mvcc.lane import Lane
from datastore.mvcc.model import SUB_BITS, DeleteRange, Event, Put, Row, Txn
from datastore.mvcc.requests import Prune
from datastore.mvcc.watch_batch import BATCH_BYTES, in_batches
from tests.datastore.core import Core

LARGE = b"v" * (256 << 10)
KEYS = 64


class Seen(Event):
    """An event of which a test can tell whether somebody still holds it."""

    __slots__ = ("__weakref__",)


def _deleted(revision: int) -> Seen:
    key = b"k%d" % revision
    before = Row((revision - 1) << SUB_BITS, key, LARGE, 1, 1, 0, 0, 0)
    return Seen(Row(revision << SUB_BITS, key, b"", 0, 0, 0, 1, before.id), before)


@pytest.fixture
async def hub() -> WatchHub:
    """A hub at revision 1 whose database is never needed."""
    return WatchHub(Lane("unused", lambda: None, threads=0), 1, -1)  # type: ignore[arg-type,return-value]


async def test_recent_deletes_are_let_go_when_what_they_took_is_too_much(hub: WatchHub) -> None:
    last = 2 * RECENT_BYTES // len(LARGE)
    held: weakref.WeakSet[Event] = weakref.WeakSet()
    for revision in range(2, last + 1):
        event = _deleted(revision)
        held.add(event)
        hub.offer(Outcome([], hub.revision, [event], revision, -1))
        hub.catch_up()
        del event
    gc.collect()
    assert 0 < len(held) * len(LARGE) <= RECENT_BYTES


def test_a_batch_of_deletes_is_cut_by_what_they_took() -> None:
    batches = list(in_batches([_deleted(revision) for revision in range(2, 2 + KEYS)]))
    assert max(batch.size for batch in batches) <= BATCH_BYTES + len(LARGE) + 1_000
    assert sum(len(batch.events) for batch in batches) == KEYS


def test_a_page_of_deletes_is_cut_by_what_they_took(tmp_path: Path) -> None:
    with Core(f"sqlite:///{tmp_path}/store.db") as core:
        core.commit(*[Put(b"k%d" % n, LARGE) for n in range(KEYS)])
        core.commit(*[DeleteRange(b"k%d" % n) for n in range(KEYS)])
        first = KEYS + 2
        page = read_page(core.session, first, prevs=True)
        bare = read_page(core.session, first, prevs=False)
        events = core.events(first)

    assert PAGE_BYTES < sum(event.size for event in page.events) < 16 * (len(LARGE) + 1_000)
    assert page.last == page.events[-1].revision < page.revision
    assert len(bare.events) == KEYS
    assert [event[0] for event in events] == list(range(first, first + KEYS))
    assert all(event[-1][1] == LARGE for event in events)


def test_a_revision_that_is_longer_than_a_chunk_has_all_that_it_took(tmp_path: Path) -> None:
    many = 600
    with Core(f"sqlite:///{tmp_path}/store.db") as core:
        core.commit(*[Put(b"k%03d" % n, b"v%d" % n) for n in range(many)])
        core.commit(DeleteRange(b"k", b"l"))
        page = read_page(core.session, many + 2, prevs=True)

    assert [event.prev and event.prev.value for event in page.events] == [
        b"v%d" % n for n in range(many)
    ]


def test_a_put_knows_what_it_replaced_beside_a_step_of_compaction(tmp_path: Path) -> None:
    with Core(f"sqlite:///{tmp_path}/store.db") as core:
        core.keep_newest()
        core.commit(Put(b"a", b"1"))
        core.commit(Put(b"b", b"1"))
        core.compact(3)
        came = core.attempt(Prune(100, None, 1.0), Put(b"a", b"2"), Txn((), (Put(b"b", b"2"),), ()))

    assert [event.prev_known for event in came.events] == [True, True]
    assert [event.prev.value for event in came.events if event.prev] == [b"1", b"1"]
