"""What the writer leaves with the watch hub while nobody watches is there for whoever comes."""

import pytest

from datastore.mvcc.commit_queue import BATCHES, BYTES, EVENTS, MANY
from datastore.mvcc.committer import Outcome
from datastore.mvcc.hub import WatchHub
from datastore.mvcc.lane import Lane
from datastore.mvcc.model import SUB_BITS, Event, Row
from datastore.mvcc.watch import Notice, WatchQuery, WatchStream

HOUR = 3600.0


@pytest.fixture
async def hub() -> WatchHub:
    """A hub at revision 1 whose database is never needed."""
    return WatchHub(Lane("unused", lambda: None, threads=0), 1, -1)  # type: ignore[arg-type,return-value]


def _leave(hub: WatchHub, revision: int, *, events: int = 1, replaced: bytes = b"") -> bool:
    row = Row(revision << SUB_BITS, b"a%d" % revision, b"v", revision, 1, 0, 0, 0)
    event = Event(row, row._replace(value=replaced))
    return hub.offer(Outcome([], revision - 1, [event] * events, revision, -1))


async def _take_all(stream: WatchStream) -> list[Notice]:
    return [await stream.take() for _ in range(stream.waiting)]


async def test_a_watch_from_now_starts_behind_what_was_left(hub: WatchHub) -> None:
    stream = WatchStream(hub, HOUR)
    assert not _leave(hub, 2)
    assert not _leave(hub, 3)
    stream.create(WatchQuery(b"a", b"b"))
    assert _leave(hub, 4)  # the loop has to be told: somebody watches
    hub.catch_up()

    created, seen = await _take_all(stream)
    assert (created.created, created.revision) == (True, 3)
    assert [event.revision for event in seen.events] == [4]


async def test_a_watch_from_the_past_has_what_was_left(hub: WatchHub) -> None:
    stream = WatchStream(hub, HOUR)
    _leave(hub, 2)
    _leave(hub, 3)
    stream.create(WatchQuery(b"a", b"b", start_revision=2))
    hub._lane.call = None  # type: ignore[assignment,method-assign]  # the history is not asked
    await hub._feed()

    _, seen = await _take_all(stream)
    assert [event.revision for event in seen.events] == [2, 3]


async def test_only_so_much_is_left(hub: WatchHub) -> None:
    told = [_leave(hub, revision) for revision in range(2, 2 + MANY)]
    assert told == [False] * (MANY - 1) + [True]
    assert hub.newest() == 1 + MANY
    hub.catch_up()
    assert not _leave(hub, 2 + MANY, events=EVENTS)
    assert _leave(hub, 3 + MANY, replaced=bytes(BYTES))
    hub.catch_up()
    assert _leave(hub, 4 + MANY, events=EVENTS + 1)


async def test_what_comes_while_a_stream_speaks_is_one_answer(hub: WatchHub) -> None:
    """The writer need not tell the loop, nor does the loop come for it, until it is too much."""
    stream = WatchStream(hub, HOUR)
    stream.create(WatchQuery(b"a", b"b"))
    await _take_all(stream)
    assert _leave(hub, 2)
    hub.catch_up_unless_paused()
    assert not any(_leave(hub, revision) for revision in range(3, 2 + BATCHES))
    hub.catch_up_unless_paused()
    (first,) = await _take_all(stream)
    assert [event.revision for event in first.events] == [2]
    assert _leave(hub, 2 + BATCHES)
    hub.catch_up_unless_paused()
    (second,) = await _take_all(stream)
    assert [event.revision for event in second.events] == list(range(3, 3 + BATCHES))


async def test_a_pause_ends_although_nobody_reads_the_answers(hub: WatchHub) -> None:
    asleep, awake = WatchStream(hub, HOUR), WatchStream(hub, HOUR)
    for stream in (asleep, awake):
        stream.create(WatchQuery(b"a", b"b"))
        await stream.take()
    for revision in range(2, 5):
        _leave(hub, revision)
        hub.catch_up_unless_paused()
        assert [event.revision for event in (await awake.take()).events] == [revision]
    assert asleep.waiting == 1
    asleep.close()
    awake.close()
