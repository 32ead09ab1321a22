"""The rule that a Txn changes no key twice, judged before it runs, in n log n for n changes.

Put the changes of one branch in this order: its own deletes, then those of each nested Txn, then
its own puts. A put is refused if an earlier change put its key, or deletes a range that holds it.
So a delete in a later sibling passes, as in etcd. The two branches of a nested Txn do not see each
other: the smaller is judged, taken back, and put there again when the larger has been judged.

A nested Txn of 700 KB can hold 74,000 changes, and this runs where requests are received.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from datastore.errors import DuplicateKey
from datastore.mvcc.model import DeleteRange, Put, Txn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from datastore.mvcc.model import Op

Interval = tuple[bytes, bytes]  # half-open


class _Branch(NamedTuple):
    """What a branch changes; of each nested Txn both branches, the smaller first."""

    deletes: list[Interval]
    nested: list[tuple[_Branch, _Branch]]
    puts: list[bytes]
    size: int  # changes, the nested ones included


def check_changes(ops: Sequence[Op | None]) -> None:
    """Raise DuplicateKey if a branch changes a key twice."""
    if len(ops) > 1 or any(isinstance(op, Txn) for op in ops):
        branch = _branch(ops)
        _check(branch, _Changed(_intervals(branch)))


def _branch(ops: Iterable[Op | None]) -> _Branch:
    deletes: list[Interval] = []
    nested: list[tuple[_Branch, _Branch]] = []
    puts: list[bytes] = []
    size = 0
    for op in ops:
        if isinstance(op, Put):
            puts.append(op.key)
        elif isinstance(op, DeleteRange):
            deletes += _interval(op)
        elif isinstance(op, Txn):
            one, other = _branch(op.success), _branch(op.failure)
            nested.append((one, other) if one.size < other.size else (other, one))
            size += one.size + other.size
    return _Branch(deletes, nested, puts, size + len(deletes) + len(puts))


def _interval(delete: DeleteRange) -> list[Interval]:
    """Return the keys that a delete is held to change: none if its end is ``\\0``, as in etcd."""
    end = delete.end or delete.key + b"\0"
    return [(delete.key, end)] if delete.key < end else []


def _intervals(branch: _Branch) -> Iterator[Interval]:
    yield from branch.deletes
    for pair in branch.nested:
        for one in pair:
            yield from _intervals(one)


def _check(branch: _Branch, changed: _Changed) -> None:
    for interval in branch.deletes:
        changed.delete(interval)
    for smaller, larger in branch.nested:
        begin = changed.position
        _check(smaller, changed)
        taken = changed.take_back(begin)
        _check(larger, changed)
        changed.restore(taken)
    for key in branch.puts:
        changed.put(key)


class _Changed:
    """The changes so far: a set of keys, and how many intervals cover each place between bounds.

    The intervals that may come are known from the start. `_tree` is a Fenwick tree over their
    bounds: +1 where one starts, -1 where it ends, so a prefix sum is the cover of a place.
    """

    def __init__(self, intervals: Iterable[Interval]) -> None:
        self._bounds = sorted({bound for interval in intervals for bound in interval})
        self._tree = [0] * (len(self._bounds) + 1)
        self._puts: set[bytes] = set()
        self._log: list[bytes | Interval] = []

    @property
    def position(self) -> int:
        """How many changes there are."""
        return len(self._log)

    def put(self, key: bytes) -> None:
        """Add a put; DuplicateKey if the key is changed already."""
        if key in self._puts or self._covers(key):
            raise DuplicateKey
        self._puts.add(key)
        self._log.append(key)

    def delete(self, interval: Interval) -> None:
        """Add a delete."""
        self._cover(interval, 1)
        self._log.append(interval)

    def take_back(self, position: int) -> list[bytes | Interval]:
        """Take back and return the changes since a position."""
        taken = self._log[position:]
        del self._log[position:]
        for change in taken:
            if isinstance(change, bytes):
                self._puts.discard(change)
            else:
                self._cover(change, -1)
        return taken

    def restore(self, taken: list[bytes | Interval]) -> None:
        """Add changes that were judged before."""
        for change in taken:
            if isinstance(change, bytes):
                self._puts.add(change)
            else:
                self._cover(change, 1)
        self._log += taken

    def _cover(self, interval: Interval, by: int) -> None:
        start, end = interval
        for bound, delta in ((start, by), (end, -by)):
            place = bisect_right(self._bounds, bound)
            while place < len(self._tree):
                self._tree[place] += delta
                place += place & -place

    def _covers(self, key: bytes) -> bool:
        place, cover = bisect_right(self._bounds, key), 0
        while place:
            cover += self._tree[place]
            place &= place - 1
        return cover > 0
