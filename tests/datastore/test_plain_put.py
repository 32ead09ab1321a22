"""A plain put takes a short way through a batch: it comes to what the long way comes to."""

import random
from pathlib import Path
from typing import Any

import pytest

from datastore.errors import LeaseNotFound
from datastore.mvcc.committer import Outcome
from datastore.mvcc.model import DeleteRange, Put, RangeQuery, Txn
from datastore.mvcc.requests import Compact, GrantLease, Prune, RevokeLease
from tests.datastore.core import Core
from tests.datastore.test_model import KEYS


def random_request(chance: random.Random) -> Any:
    """Return a put, mostly; sometimes what makes puts differ from each other."""
    drawn = chance.random()
    key = chance.choice(KEYS)
    if drawn < 0.7:
        return Put(key, chance.randbytes(3), lease=chance.choice([0, 0, 7, 8]))
    if drawn < 0.8:
        return DeleteRange(key, chance.choice([b"", b"\0"]))
    if drawn < 0.9:
        return Txn((), (Put(key, b"in a txn"), RangeQuery(key)), ())
    return chance.choice([GrantLease(7, 100), RevokeLease(7), Compact(chance.randrange(40))])


def long_way(request: Any) -> Any:
    """Return the same put, asked for in a way that the short one does not take."""
    return request._replace(prev_kv=True) if isinstance(request, Put) else request


def seen(outcome: Outcome) -> Any:
    """Return what a batch comes to, but for what the long way answers beside."""
    results = [
        (type(result).__name__, getattr(result, "revision", str(result)))
        for result in outcome.results
    ]
    events = [(event.row, event.prev if event.prev_known else None) for event in outcome.events]
    return results, [row for row, _ in events], outcome.revision


@pytest.mark.parametrize("seed", range(8))
def test_both_ways_come_to_the_same(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with Core(f"sqlite:///{tmp_path}/a.db") as short, Core(f"sqlite:///{tmp_path}/b.db") as long:
        for _ in range(40):
            requests = [random_request(chance) for _ in range(chance.randrange(1, 9))]
            taken = short.attempt(*requests)
            expected = long.attempt(*map(long_way, requests))

            assert seen(taken) == seen(expected)
            for ours, theirs in zip(taken.events, expected.events, strict=True):
                if ours.prev_known and theirs.prev_known:
                    assert ours.prev == theirs.prev
        short.commit(Prune(1_000))
        long.commit(Prune(1_000))
        first = max(short.compacted(), 1)
        assert short.live() == long.live()
        assert short.events(first) == long.events(first)


def test_a_lease_that_is_not_there_changes_nothing(core: Core) -> None:
    missing, fine = core.commit(Put(b"a", b"1", lease=5), Put(b"b", b"1"))

    assert isinstance(missing, LeaseNotFound)
    assert fine.revision == 2
    assert [entry[0] for entry in core.live()] == [b"b"]
