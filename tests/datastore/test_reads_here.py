"""Reads of one key that a front's own thread serves: without the lane, and no more than a few."""

import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from datastore.mvcc import point_reads
from datastore.mvcc.auth.guard import Guard
from datastore.mvcc.auth.tokens import new_tokens
from datastore.mvcc.lane import Lane
from datastore.mvcc.model import Put, RangeQuery
from datastore.mvcc.point_reads import HERE, PointReads
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
        return self._done.wait(10)


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
    monkeypatch.setattr(point_reads, "SLOW_SECONDS", -1.0)  # every read is slow
    monkeypatch.setattr(point_reads, "REST", 1e9)  # and as if it had been so for long
    first, second = _in_front(points, 1), _in_front(points, 1)

    assert all(answer.wait() for answer in (*first, *second))
    assert (first[0].by, second[0].by) == ("front", "lane-0")
