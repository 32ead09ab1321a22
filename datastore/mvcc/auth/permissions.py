"""The union of ranges that permissions cover. Pure.

A range is permitted when the union covers it without a gap; one that holds no key (its end at or
below its start) when the start is covered, as in etcd. Intervals are kept sorted and merged, so
that a question is one binary search.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from datastore.mvcc.auth.model import OPEN_END, Access, Permission

if TYPE_CHECKING:
    from collections.abc import Iterable

Interval = tuple[bytes, bytes | None]  # half-open; None is no end
_ALLOWS = {
    Access.READ: (Access.READ, Access.READWRITE),
    Access.WRITE: (Access.WRITE, Access.READWRITE),
}


class Coverage:
    """The keys that a user may read, and those that he may write."""

    def __init__(self, permissions: Iterable[Permission]) -> None:
        granted = tuple(permissions)
        self._intervals = {
            access: merge(interval(p.key, p.end) for p in granted if p.access in allowing)
            for access, allowing in _ALLOWS.items()
        }
        self._starts = {
            access: [start for start, _ in intervals]
            for access, intervals in self._intervals.items()
        }

    def allows(self, access: Access, key: bytes, end: bytes = b"") -> bool:
        """Say whether a range is permitted; access is READ or WRITE."""
        at = bisect_right(self._starts[access], key) - 1
        if at < 0:
            return False
        covered = self._intervals[access][at][1]
        if covered is None:
            return True
        if key >= covered:
            return False
        asked = interval(key, end)[1]
        return asked is not None and asked <= covered


def interval(key: bytes, end: bytes) -> Interval:
    """Return a wire range as a half-open interval."""
    if end == b"":
        return key, key + b"\0"
    return key, None if end == OPEN_END else end


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the union of intervals: sorted, with those that touch or overlap joined."""
    merged: list[Interval] = []
    for start, end in sorted(intervals, key=lambda interval: interval[0]):
        if merged and _reaches(merged[-1][1], start):
            merged[-1] = (merged[-1][0], _later(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def is_valid(key: bytes, end: bytes) -> bool:
    """Say whether a permission may be granted on this range."""
    return bool(key) and (end in (b"", OPEN_END) or key < end)


def _reaches(end: bytes | None, start: bytes) -> bool:
    return end is None or end >= start


def _later(one: bytes | None, other: bytes | None) -> bytes | None:
    return None if one is None or other is None else max(one, other)
