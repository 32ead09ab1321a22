"""Which watchers an event concerns: found without looking at the others.

Watchers of one key are in a table. Watchers of ranges share one entry a distinct range, and the
bounds of those ranges cut the key space into segments, each with the ranges that cover it: an
event costs one binary search and the watchers that match. Adding or removing a range costs the
segments that it covers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Generic, TypeVar

from datastore.mvcc.model import upper_bound

if TYPE_CHECKING:
    from collections.abc import Iterator

W = TypeVar("W")
Range = tuple[bytes, "bytes | None"]


class WatchIndex(Generic[W]):
    """A set of watchers by key range."""

    def __init__(self) -> None:
        self._keys: dict[bytes, set[W]] = {}
        self._ranges: dict[Range, set[W]] = {}
        self._bounds: list[bytes] = [b""]  # segment i is [bounds[i], bounds[i + 1])
        self._covers: list[set[Range]] = [set()]
        self._uses: dict[bytes, int] = {b"": 1}

    def add(self, key: bytes, end: bytes, watcher: W) -> None:
        """Add a watcher of a wire range."""
        if not end:
            self._keys.setdefault(key, set()).add(watcher)
            return
        wanted = (key, upper_bound(key, end))
        if wanted not in self._ranges:
            self._ranges[wanted] = set()
            self._cover(wanted)
        self._ranges[wanted].add(watcher)

    def remove(self, key: bytes, end: bytes, watcher: W) -> None:
        """Remove a watcher; nothing happens when it is not there."""
        if not end:
            held = self._keys.get(key, set())
            held.discard(watcher)
            if not held:
                self._keys.pop(key, None)
            return
        wanted = (key, upper_bound(key, end))
        held = self._ranges.get(wanted, set())
        held.discard(watcher)
        if wanted in self._ranges and not held:
            del self._ranges[wanted]
            self._uncover(wanted)

    def matching(self, key: bytes) -> Iterator[W]:
        """Yield every watcher whose range holds the key."""
        yield from self._keys.get(key, ())
        for wanted in self._covers[bisect_right(self._bounds, key) - 1]:
            yield from self._ranges[wanted]

    def groups(self, key: bytes) -> Iterator[set[W]]:
        """Yield the watchers of each range that holds the key: the same set for the same range."""
        held = self._keys.get(key)
        if held:
            yield held
        for wanted in self._covers[bisect_right(self._bounds, key) - 1]:
            yield self._ranges[wanted]

    def everyone(self) -> Iterator[W]:
        """Yield every watcher."""
        for watchers in (*self._keys.values(), *self._ranges.values()):
            yield from watchers

    def _cover(self, wanted: Range) -> None:
        self._split(wanted[0])
        if wanted[1] is not None:
            self._split(wanted[1])
        for segment in range(self._at(wanted[0]), self._at(wanted[1])):
            self._covers[segment].add(wanted)

    def _uncover(self, wanted: Range) -> None:
        for segment in range(self._at(wanted[0]), self._at(wanted[1])):
            self._covers[segment].discard(wanted)
        self._merge(wanted[0])
        if wanted[1] is not None:
            self._merge(wanted[1])

    def _at(self, bound: bytes | None) -> int:
        return len(self._bounds) if bound is None else bisect_left(self._bounds, bound)

    def _split(self, bound: bytes) -> None:
        self._uses[bound] = self._uses.get(bound, 0) + 1
        if self._uses[bound] > 1:
            return
        at = bisect_left(self._bounds, bound)
        self._bounds.insert(at, bound)
        self._covers.insert(at, set(self._covers[at - 1]))

    def _merge(self, bound: bytes) -> None:
        self._uses[bound] -= 1
        if not self._uses[bound]:
            del self._uses[bound]
            at = bisect_left(self._bounds, bound)
            del self._bounds[at], self._covers[at]
