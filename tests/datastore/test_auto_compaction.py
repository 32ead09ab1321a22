"""When auto-compaction compacts, and to what: etcd's rules, on a clock that the tests turn."""

import asyncio

import pytest

from datastore.errors import Compacted, Unavailable
from datastore.mvcc.auto_compaction import AutoCompactor, policy

MINUTE, HOUR = 60.0, 3600.0


class Day:
    """A store that gains a revision a second, and a clock that sleeping turns."""

    def __init__(self, mode: str, retention: float, until: float) -> None:
        self.now = 1000.0
        self.start = self.now
        self.until = self.now + until
        self.compactions: list[tuple[float, int]] = []
        self.errors: list[Exception] = []
        chosen = policy(mode, retention, self.now, self.revision())
        assert chosen is not None
        self._compactor = AutoCompactor(
            chosen, self.revision, self.compact, clock=lambda: self.now, sleep=self.sleep
        )

    def revision(self) -> int:
        return int(self.now - self.start) + 1

    async def compact(self, revision: int) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.compactions.append((round(self.now - self.start, 3), revision))

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now > self.until:
            raise asyncio.CancelledError

    async def pass_(self) -> list[tuple[float, int]]:
        with pytest.raises(asyncio.CancelledError):
            await self._compactor.run()
        return self.compactions


async def test_a_short_period_compacts_once_a_period() -> None:
    """To the last revision noted that is at least a period old."""
    assert await Day("periodic", 5 * MINUTE, 15 * MINUTE + 1).pass_() == [
        (300, 1),
        (600, 271),
        (900, 571),
    ]


async def test_a_long_period_compacts_every_hour_after_the_first() -> None:
    found = await Day("periodic", 3 * HOUR, 5 * HOUR + 1).pass_()
    assert found == [(3 * HOUR, 1), (4 * HOUR, 3241), (5 * HOUR, 6841)]


async def test_the_revision_mode_looks_every_five_minutes() -> None:
    found = await Day("revision", 400, 16 * MINUTE).pass_()
    assert found == [(600, 201), (900, 501)]


async def test_what_is_compacted_already_counts_and_what_fails_is_tried_soon() -> None:
    day = Day("periodic", 5 * MINUTE, 11 * MINUTE)
    day.errors = [Unavailable(), Compacted()]
    assert await day.pass_() == [(630, 301)]


async def test_a_store_that_does_not_change_is_compacted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Day, "revision", lambda _: 7)
    assert await Day("periodic", MINUTE, HOUR).pass_() == [(60, 7)]
    assert await Day("revision", 3, HOUR).pass_() == [(300, 4)]


def test_no_retention_is_off() -> None:
    assert policy("periodic", 0, 0, 1) is None
    assert policy("revision", 0, 0, 1) is None
