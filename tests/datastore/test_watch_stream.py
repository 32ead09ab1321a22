"""The outbox of a watch stream: events that wait join, and nothing overtakes a progress notice."""

import pytest

from datastore.errors import Unavailable
from datastore.mvcc.committer import Outcome
from datastore.mvcc.hub import WatchHub
from datastore.mvcc.lane import Lane
from datastore.mvcc.model import SUB_BITS, Event, Row
from datastore.mvcc.watch import OUTBOX_NOTICES, Notice, WatchQuery, WatchStream
from datastore.mvcc.watch_batch import BATCH_BYTES, in_batches

HOUR = 3600.0


def _event(revision: int, value: bytes = b"v") -> Event:
    return Event(Row(revision << SUB_BITS, b"a%d" % revision, value, revision, 1, 0, 0, 0))


@pytest.fixture
async def hub() -> WatchHub:
    """A hub at revision 1 whose database is never needed."""
    return WatchHub(Lane("unused", lambda: None, threads=0), 1, -1)  # type: ignore[arg-type,return-value]


def _publish(hub: WatchHub, revision: int, value: bytes = b"v") -> None:
    hub.offer(Outcome([], hub.revision, [_event(revision, value)], revision, -1))
    hub.catch_up()


async def _take_all(stream: WatchStream) -> list[Notice]:
    return [await stream.take() for _ in range(stream.waiting)]


def _said(notice: Notice) -> tuple[int, int, list[int]]:
    return notice.watch_id, notice.revision, [event.revision for event in notice.events]


async def test_events_that_wait_join_the_notice_of_their_watcher(hub: WatchHub) -> None:
    stream = WatchStream(hub, HOUR)
    stream.create(WatchQuery(b"a", b"b"))
    stream.create(WatchQuery(b"a", b"b"))
    await _take_all(stream)
    for revision in range(2, 7):
        _publish(hub, revision)
    together = await _take_all(stream)
    _publish(hub, 7)

    assert sorted(map(_said, together)) == [
        (0, 6, [2, 3, 4, 5, 6]),
        (1, 6, [2, 3, 4, 5, 6]),
    ]
    assert sorted(map(_said, await _take_all(stream))) == [(0, 7, [7]), (1, 7, [7])]


async def test_watchers_of_one_range_share_a_batch(hub: WatchHub) -> None:
    stream = WatchStream(hub, HOUR)
    for _ in range(3):
        stream.create(WatchQuery(b"a", b"b"))
    await _take_all(stream)
    _publish(hub, 2)
    made: list[int] = []

    def encode(event: Event) -> bytes:
        made.append(event.revision)
        return b"."

    notices = await _take_all(stream)
    wires = [notice.batches[0].wire(prev_kv=False, encode=encode) for notice in notices]
    assert wires == [b"."] * 3
    assert made == [2]


async def test_no_event_passes_a_progress_notice(hub: WatchHub) -> None:
    stream = WatchStream(hub, HOUR)
    stream.create(WatchQuery(b"a", b"b"))
    stream.create(WatchQuery(b"a", b"b"))
    await _take_all(stream)
    _publish(hub, 2)
    stream.progress()
    _publish(hub, 3)

    said = [_said(notice) for notice in await _take_all(stream)]
    assert sorted(said[:2]) == [(0, 2, [2]), (1, 2, [2])]
    assert said[2] == (-1, 2, [])
    assert sorted(said[3:]) == [(0, 3, [3]), (1, 3, [3])]


async def test_a_cancel_comes_after_the_events(hub: WatchHub) -> None:
    stream = WatchStream(hub, HOUR)
    stream.create(WatchQuery(b"a", b"b"))
    await _take_all(stream)
    _publish(hub, 2)
    stream.cancel(0)
    _publish(hub, 3)

    events, cancelled = await _take_all(stream)
    assert _said(events) == (0, 2, [2])
    assert cancelled.canceled


async def test_a_notice_stays_small(hub: WatchHub) -> None:
    stream = WatchStream(hub, HOUR)
    stream.create(WatchQuery(b"a", b"b"))
    await _take_all(stream)
    for revision in range(2, 6):
        _publish(hub, revision, b"v" * (BATCH_BYTES // 2))

    assert [len(list(notice.events)) for notice in await _take_all(stream)] == [1, 1, 1, 1]


async def test_a_crowd_has_room_for_one_notice_each(hub: WatchHub) -> None:
    stream = WatchStream(hub, HOUR)
    crowd = 2 * OUTBOX_NOTICES
    for _ in range(crowd):
        stream.create(WatchQuery(b"a", b"b"))
    await _take_all(stream)
    _publish(hub, 2)
    _publish(hub, 3)

    said = sorted(_said(notice) for notice in await _take_all(stream))
    assert said == [(number, 3, [2, 3]) for number in range(crowd)]


def test_batches_are_cut_between_revisions() -> None:
    large = b"v" * (BATCH_BYTES // 2)
    events = [_event(revision, large) for revision in (2, 2, 2, 2, 3, 3, 4)]
    batches = list(in_batches(events))
    assert [[event.revision for event in batch.events] for batch in batches] == [
        [2, 2, 2, 2],
        [3, 3],
        [4],
    ]
    assert list(in_batches([])) == []


async def test_a_stream_that_fails_says_what_it_has_to_say_first(hub: WatchHub) -> None:
    stream = WatchStream(hub, HOUR)
    stream.create(WatchQuery(b"a", b"b"))
    stream.fail(Unavailable())

    assert (await stream.take()).created
    with pytest.raises(Unavailable):
        await stream.take()
