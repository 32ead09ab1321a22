"""The index of watched ranges against looking at every watcher."""

import random

import pytest

from datastore.mvcc.model import in_range
from datastore.mvcc.watch_index import WatchIndex

KEYS = [b"", b"a", b"a\0", b"aa", b"b", b"ba", b"c", b"\xff", b"\xff\xff"]
ENDS = [b"", b"\0", b"b", b"bb", b"c", b"\xff"]


@pytest.mark.parametrize("seed", range(20))
def test_it_finds_what_a_scan_finds(seed: int) -> None:
    chance = random.Random(seed)
    index: WatchIndex[int] = WatchIndex()
    watched: dict[int, tuple[bytes, bytes]] = {}
    for step in range(120):
        if watched and chance.random() < 0.4:
            gone = chance.choice(list(watched))
            index.remove(*watched.pop(gone), gone)
        else:
            key, end = chance.choice(KEYS), chance.choice(ENDS)
            if end in (b"", b"\0") or key < end:
                watched[step] = (key, end)
                index.add(key, end, step)
        for key in KEYS:
            expected = sorted(w for w, wanted in watched.items() if in_range(key, *wanted))
            assert sorted(index.matching(key)) == expected

    assert sorted(index.everyone()) == sorted(watched)
    for watcher, wanted in watched.items():
        index.remove(*wanted, watcher)
    assert list(index.everyone()) == []


def test_removing_what_is_not_there_changes_nothing() -> None:
    index: WatchIndex[int] = WatchIndex()
    index.add(b"a", b"c", 1)

    index.remove(b"a", b"c", 2)
    index.remove(b"x", b"", 1)
    index.remove(b"a", b"d", 1)

    assert list(index.matching(b"b")) == [1]
