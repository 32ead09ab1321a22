"""Lanes and the point reads in front of them: nobody waits for ever, whatever fails or closes."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.errors import ServerStopped, StartError, TooManyRequests
from datastore.mvcc.answer import Answer, Nobody
from datastore.mvcc.auth.guard import Guard
from datastore.mvcc.auth.tokens import new_tokens
from datastore.mvcc.lane import BOUND, Lane
from datastore.mvcc.model import Put, RangeQuery
from datastore.mvcc.point_reads import PointReads
from tests.datastore.core import Core
from tests.datastore.held import Held


class Unheard:
    """An answer that its caller cannot be given, as one too large for its connection."""

    def __init__(self) -> None:
        self.told = threading.Event()

    def done(self) -> bool:
        return False

    def set_result(self, result: Any) -> None:
        raise ValueError(result)

    def set_exception(self, error: Exception) -> None:
        del error
        self.told.set()


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A file: what is tested here is the same for every backend."""
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
async def lane(core: Core) -> AsyncIterator[Lane]:
    """A lane of one thread over a store with one key."""
    core.commit(Put(b"k", b"v"))
    opened = Lane("test", core.backend.session, together=8)
    yield opened
    await opened.close()


def _points(lane: Lane) -> PointReads:
    return PointReads(lane, Guard(new_tokens("simple", 300)), None)


def _answer() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def _read(points: PointReads, answer: Answer) -> None:
    points.read(RangeQuery(b"k"), answer)


async def test_an_answer_that_cannot_be_given_is_the_trouble_of_its_caller_alone(
    lane: Lane,
) -> None:
    unheard, unread, answer = Unheard(), Unheard(), _answer()
    lane.submit(lambda session: "too large", unheard)
    points = _points(lane)
    _read(points, unread)
    _read(points, answer)

    assert (await answer).rows[0].value == b"v"
    assert await asyncio.to_thread(unheard.told.wait, 10)
    assert unread.told.is_set()


async def test_reads_that_a_full_lane_refuses_are_refused_once_and_later_ones_served(
    lane: Lane,
) -> None:
    points, refused, served = _points(lane), _answer(), _answer()
    held = Held(lane)
    for _ in range(BOUND):
        lane.submit(lambda session: None, Nobody())
    _read(points, refused)
    with pytest.raises(TooManyRequests):
        await refused
    held.let_go()
    await _settled(lane)
    _read(points, served)

    assert (await served).rows[0].value == b"v"


async def _settled(lane: Lane) -> None:
    """Wait until the lane has taken what waits in it."""
    while True:
        try:
            await lane.call(lambda session: None)
        except TooManyRequests:
            await asyncio.sleep(0)
        else:
            return


async def test_what_came_before_a_lane_closed_is_answered_and_nothing_after(lane: Lane) -> None:
    points = _points(lane)
    held = Held(lane)
    answers = [_answer() for _ in range(1_500)]  # several queries' worth: each asks for the next
    for answer in answers:
        _read(points, answer)
    closing = asyncio.ensure_future(lane.close())
    await asyncio.sleep(0)
    late = _answer()
    with pytest.raises(ServerStopped):
        lane.submit(lambda session: None, late)
    held.let_go()

    assert {(await answer).rows[0].value for answer in answers} == {b"v"}
    await closing


async def test_a_session_that_cannot_be_opened_is_told_to_who_starts(tmp_path: Path) -> None:
    backend = new_backend(f"sqlite:///{tmp_path}/gone/store.db", Identity("test", ()))
    with pytest.raises(StartError, match=r"gone/store\.db"):
        Lane("test", backend.session)
