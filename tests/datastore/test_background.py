"""Background work goes on after any error: soon after the database's, less often after ours."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from datastore.errors import Unavailable
from datastore.mvcc.background import LONGEST_PAUSE, RETRY_SECONDS, every, keep
from datastore.mvcc.model import Put
from datastore.mvcc.requests import EndLeases, Prune, WriteRequest
from datastore.mvcc.store import Limits, Store
from tests.datastore.opened import opened


class Work:
    """A job that ends, each time, in what it is told to; its clock moves when it pauses."""

    def __init__(self, *ends: Exception | None, lasts: float = 0.0) -> None:
        self._ends = list(ends)
        self._lasts = lasts
        self.now = 0.0
        self.pauses: list[float] = []

    async def job(self) -> None:
        self.now += self._lasts
        end = self._ends.pop(0)
        if end is not None:
            raise end

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def kept(self) -> list[float]:
        await keep("work", self.job, clock=lambda: self.now, sleep=self.pause)
        assert not self._ends
        return self.pauses


async def test_a_database_in_trouble_is_asked_again_soon_however_long_it_takes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await Work(*[Unavailable()] * 50, None).kept() == [RETRY_SECONDS] * 50
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]


async def test_a_fault_is_told_each_time_and_met_less_and_less_often(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pauses = await Work(*[OverflowError("too large")] * 9, None).kept()

    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(pauses) == pauses[-1] == LONGEST_PAUSE
    told = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert len(told) == 9
    assert "job=work" in told[0].getMessage()
    assert told[0].exc_info is not None


async def test_a_fault_after_a_long_time_is_a_new_one() -> None:
    pauses = await Work(*[OverflowError()] * 3, None, lasts=LONGEST_PAUSE + 1).kept()
    assert pauses == [RETRY_SECONDS] * 3


async def test_a_step_is_taken_again_and_again() -> None:
    steps: asyncio.Queue[int] = asyncio.Queue()
    task = asyncio.create_task(keep("steps", every(0.0, lambda: steps.put(1))))
    for _ in range(3):
        await steps.get()
    task.cancel()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store that runs, in a file."""
    async with opened(tmp_path / "store.db", limits=Limits(least_ttl=1)) as store:
        yield store


class Failing:
    """Stands before a writer and lets the first request of a kind end in an error of ours."""

    def __init__(self, store: Store, kind: type) -> None:
        self._submit = store.writer.submit
        self._kind = kind
        self._failed = False
        self.passed = asyncio.Event()  # one of the kind has been done since

    async def __call__(self, request: WriteRequest, size: int = 0) -> Any:
        if type(request) is not self._kind:
            return await self._submit(request, size)
        if not self._failed:
            self._failed = True
            raise OverflowError("nobody foresaw this")
        result = await self._submit(request, size)
        self.passed.set()
        return result


async def test_a_compaction_is_finished_after_a_fault(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Failing(store, Prune)
    monkeypatch.setattr(store.writer, "submit", failing)
    revision = (await store.put(Put(b"k", b"v"), 0)).revision

    await store.compact(revision, physical=True)

    assert failing.passed.is_set()


async def test_leases_expire_after_a_fault(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Failing(store, EndLeases)
    monkeypatch.setattr(store.writer, "submit", failing)
    await store.grant(7, 1)

    await failing.passed.wait()

    assert (await store.leases())[1] == []
