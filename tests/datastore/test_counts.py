"""Counts of ranges are exactly those of the database at the revision answered, however far the
hub is behind, whatever was compacted, and whoever wrote.
"""

import random
from collections import deque

import pytest

from datastore.mvcc import counts as counts_module
from datastore.mvcc.committer import Outcome
from datastore.mvcc.counts import CountedView, LiveCounts, read_counted
from datastore.mvcc.model import DeleteRange, Put, RangeQuery, Txn
from datastore.mvcc.requests import Compact, EndLeases, ExtendLeases, WriteRequest
from tests.datastore.core import Core

KEYS = [b"k%02d" % number for number in range(40)]
RANGES = [(b"k", b"l"), (b"k1", b"k2"), (b"k", b"\0"), (b"\0", b"\0"), (b"k07", b"k31")]
REVISIONS = 600


class Told(LiveCounts):
    """Counts that learn of commits late."""

    def __init__(self, core: Core) -> None:
        super().__init__(core.revision())
        self.waiting: deque[Outcome] = deque()

    def tell(self) -> None:
        """Hand over the oldest commit that is still unknown."""
        if self.waiting:
            outcome = self.waiting.popleft()
            self.note(outcome.events, outcome.revision)


def _write(dice: random.Random) -> Put | DeleteRange | Txn:
    key = dice.choice(KEYS)
    match dice.randrange(6):
        case 0:
            return DeleteRange(key)
        case 1:
            return DeleteRange(key, dice.choice(KEYS))
        case 2:
            return Txn((), (DeleteRange(key), Put(key, b"again"), Put(key + b"x", b"")), ())
        case _:
            return Put(key, b"v")


def _check(core: Core, told: LiveCounts, dice: random.Random) -> None:
    with core.session.snapshot() as snapshot:
        state = snapshot.state()
        lowest = max(state.compact_revision, 1)
        at = dice.choice([0, 0, state.revision, dice.randint(lowest, state.revision)])
        key, end = dice.choice(RANGES)
        expected = snapshot.count(key, None if end == b"\0" else end, at)
        view = CountedView(snapshot, state, told)
        assert view.count(key, end, at) == expected, (key, end, at, state)


def _pages(core: Core, told: LiveCounts, dice: random.Random) -> None:
    """Read a range in pages at a pinned revision: the counts go down by what was returned."""
    key, end = dice.choice(RANGES)
    first = read_counted(core.session, RangeQuery(key, end, limit=7), told, core.guard)
    at, result, seen = first.revision, first, 0
    while result.more:
        assert result.total == first.total - seen
        seen += len(result.rows)
        key = result.rows[-1].key + b"\0"
        result = read_counted(
            core.session, RangeQuery(key, end, limit=7, revision=at), told, core.guard
        )
    assert seen + len(result.rows) == first.total
    assert len(result.rows) == result.total


def _count_in_write(core: Core, dice: random.Random) -> Outcome:
    """Let a Txn count after its own writes and those of its batch: as a reader does after it."""
    query = RangeQuery(*dice.choice(RANGES), count_only=True)
    before: list[WriteRequest] = [_write(dice) for _ in range(dice.randint(0, 3))]
    if dice.random() < 0.2:
        before.append(EndLeases(()) if dice.random() < 0.5 else ExtendLeases(0))
    outcome = core.attempt(*before, Txn((), (_write(dice), query), ()))
    assert outcome.results[-1].results[-1].total == core.range(query).total
    return outcome


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_the_database(
    core: Core, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small bounds, so that every one of them is met."""
    for bound, value in {"EXACT": 30, "LIVE": 3, "STEPS": 8, "JOURNAL": 12, "BRIDGE": 10}.items():
        monkeypatch.setattr(counts_module, bound, value)
    dice = random.Random(seed)
    told = Told(core)
    core.count_by(told)
    for _ in range(REVISIONS):
        action = dice.random()
        if action < 0.5:
            told.waiting.append(core.attempt(*(_write(dice) for _ in range(dice.randint(1, 3)))))
        elif action < 0.55 and dice.random() < 0.3:
            core.attempt(Compact(dice.randint(1, core.revision())))
            core.prune()
        elif action < 0.56:
            told.waiting.clear()
            told.reset(core.revision())
        elif action < 0.6:
            _pages(core, told, dice)
        elif action < 0.7:
            told.waiting.append(_count_in_write(core, dice))
        elif action < 0.85:
            told.tell()
        else:
            _check(core, told, dice)


def test_a_hot_range_is_counted_once(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(core)
    for key in KEYS:
        told.waiting.append(core.attempt(Put(key)))
    while told.waiting:
        told.tell()
    query = RangeQuery(b"k", b"l", limit=5)
    assert read_counted(core.session, query, told, core.guard).total == len(KEYS)
    core.count_by(told)

    with core.session.snapshot() as snapshot:
        monkeypatch.setattr(type(snapshot), "count", None)
    told.waiting.append(core.attempt(DeleteRange(b"k1", b"k2")))
    assert (
        read_counted(core.session, query, told, core.guard).total == len(KEYS) - 10
    )  # the hub is behind
    told.tell()
    assert read_counted(core.session, query, told, core.guard).total == len(KEYS) - 10
    counted = RangeQuery(b"k", b"l", count_only=True)
    assert read_counted(core.session, counted, told, core.guard).total == len(KEYS) - 10

    writing = Txn((), (DeleteRange(b"k2", b"k3"), query, counted), ())
    (answer,) = core.commit(writing)
    assert [result.total for result in answer.results[1:]] == [len(KEYS) - 20] * 2
