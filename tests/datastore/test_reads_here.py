"""Reads of one key that a front's own thread serves: without the lane, and no more than a few."""

import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from datastore.mvcc import reads_here
from datastore.mvcc.auth.guard import Guard
from datastore.mvcc.auth.tokens import new_tokens
from datastore.mvcc.lane import Lane
from datastore.mvcc.model import Put, RangeQuery, Row
from datastore.mvcc.newest import NewestRows
from datastore.mvcc.point_reads import HERE, PointReads
from datastore.mvcc.reads_here import ALONE, ReadsHere
from tests.datastore.core import Core
from tests.datastore.held import Held


class Told:
    """An answer that can be waited for in any thread."""

    def __init__(self) -> None:
        self.result: Any = None
        self.by = ""
        self._done = threading.Event()

    def done(self) -> bool:
        return self._done.is_set()

    def set_result(self, result: Any) -> None:
        self.result, self.by = result, threading.current_thread().name
        self._done.set()

    def set_exception(self, error: Exception) -> None:
        self.set_result(error)

    def wait(self) -> bool:
        return self._done.wait(60)


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A file: reads here are for files."""
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
async def lane(core: Core) -> AsyncIterator[Lane]:
    """A lane of one thread over a store with one key."""
    core.commit(Put(b"k", b"v"))
    opened = Lane("lane", core.backend.session)
    yield opened
    await opened.close()


@pytest.fixture
def points(core: Core, lane: Lane) -> PointReads:
    """Point reads that may be served here."""
    return PointReads(lane, Guard(new_tokens("simple", 300)), None, core.session)


def _in_front(points: PointReads, reads: int) -> list[Told]:
    """Take so many reads in a thread of their own, as a front does."""
    answers = [Told() for _ in range(reads)]

    def turn() -> None:
        points.serve_here()
        for answer in answers:
            points.read(RangeQuery(b"k"), answer)
        points.serve()

    thread = threading.Thread(target=turn, name="front")
    thread.start()
    thread.join(10)
    return answers


async def test_a_few_reads_need_no_lane(points: PointReads, lane: Lane) -> None:
    held = Held(lane)
    answers = _in_front(points, 3)
    held.let_go()

    assert [answer.by for answer in answers] == ["front"] * 3
    assert [answer.result.rows[0].value for answer in answers] == [b"v"] * 3


async def test_what_is_more_than_a_few_is_the_lanes(points: PointReads) -> None:
    answers = _in_front(points, HERE + 5)

    assert all(answer.wait() for answer in answers)
    assert [answer.by for answer in answers] == ["front"] * HERE + ["lane-0"] * 5


async def test_after_a_slow_read_the_lane_reads(
    points: PointReads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads_here, "SLOW_SECONDS", -1.0)  # every read is slow
    monkeypatch.setattr(reads_here, "REST", 1e9)  # and as if it had been so for long
    first, second = _in_front(points, 1), _in_front(points, 1)

    assert all(answer.wait() for answer in (*first, *second))
    assert (first[0].by, second[0].by) == ("front", "lane-0")


@pytest.fixture
def newest(core: Core) -> NewestRows:
    """Rows in memory that know the store's revision, and no row."""
    rows = NewestRows()
    rows.apply([], core.revision())
    return rows


@pytest.fixture
def here(core: Core, lane: Lane, newest: NewestRows) -> ReadsHere:
    """Reads of this thread, which has begun to serve them."""
    reads = ReadsHere(core.session, lane, newest)
    reads.begin()
    return reads


async def test_a_key_is_read_at_the_revision_that_memory_shows(
    core: Core, lane: Lane, newest: NewestRows
) -> None:
    here = ReadsHere(core.session, lane, newest)
    core.commit(Put(b"k", b"v"))
    newest.apply([], core.revision())
    core.commit(Put(b"other", b"v"))  # nobody has been told of it yet
    here.begin()

    revision, row = _read(here, b"k")

    assert (revision, row.value) == (core.revision() - 1, b"v")
    assert newest.read(b"k") == (revision, row)


async def test_a_row_that_memory_does_not_know_of_is_not_shown(core: Core, here: ReadsHere) -> None:
    core.commit(Put(b"k", b"newer"))

    assert here.read(b"k") is None


async def test_a_key_that_is_not_there_is_left_to_who_reads_the_state(here: ReadsHere) -> None:
    assert here.read(b"never") is None


async def test_nothing_is_read_alone_while_the_revision_is_not_known(
    here: ReadsHere, newest: NewestRows
) -> None:
    newest.forget()

    assert here.read(b"k") is None


async def test_a_turn_reads_a_few_keys_alone(here: ReadsHere) -> None:
    read = [here.read(b"k") for _ in range(ALONE + 1)]
    here.turn(lambda _session: None)

    assert [found is None for found in read] == [False] * ALONE + [True]
    assert here.read(b"k") is not None


async def test_a_thread_that_serves_no_reads_is_told_nothing(here: ReadsHere) -> None:
    found: list[object] = []
    other = threading.Thread(target=lambda: found.append(here.read(b"k")))
    other.start()
    other.join(10)

    assert found == [None]


def _read(here: ReadsHere, key: bytes) -> tuple[int, Row]:
    found = here.read(key)
    assert found is not None
    return found
