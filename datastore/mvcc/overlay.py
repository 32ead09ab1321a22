"""The newest rows of the keys that a batch or a draft has changed, by key and by range.

A Txn may hold thousands of puts and as many ranges, so a range does not look at every key: the
keys are kept in order too, from the first range on, and brought up to date by each. Keys are never
taken out, which is how the new ones are known: a dict has them at its end.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import islice
from typing import TYPE_CHECKING

from datastore.mvcc.model import Row, upper_bound

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = 16  # new keys, that are put in their places one by one


class Overlay(dict[bytes, Row]):
    """Rows by key; add and replace only."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._ordered: list[bytes] = []

    def within(self, key: bytes, end: bytes) -> Iterator[tuple[bytes, Row]]:
        """Yield the keys of a wire range, in order, with their rows."""
        self._order()
        bound = upper_bound(key, end)
        first = bisect_left(self._ordered, key)
        last = len(self._ordered) if bound is None else bisect_left(self._ordered, bound)
        for at in range(first, last):
            changed = self._ordered[at]
            yield changed, self[changed]

    def _order(self) -> None:
        fresh = list(islice(reversed(self), len(self) - len(self._ordered)))
        if len(fresh) > FEW:
            self._ordered += fresh
            self._ordered.sort()
            return
        for key in fresh:
            insort(self._ordered, key)
