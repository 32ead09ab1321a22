"""Lists of indexes of an indexed job's pods, "1,3-5": read and counted.

Called by the rules of jobs. Pure. Source: v1.35 batch/v1 validation.
"""

from __future__ import annotations

import contextlib
from collections import deque

from control_plane.api.integers import int64


def count_indexes(text: str, completions: int) -> int:
    """Return how many indexes a list names; ValueError says what is wrong with it."""
    total, previous = 0, None
    for fragment in text.split(",") if text else []:
        first, last = _interval(fragment, completions)
        if previous is not None and previous >= first:
            raise ValueError(f"non-increasing order, previous: {previous}, current: {first}")
        previous = last
        total += last - first + 1
    return total


def first_overlap(one: str, other: str, completions: int) -> int | None:
    """Return the first index that both lists name; what cannot be read in them does not count."""
    left, right = (_intervals(text, completions) for text in (one, other))
    while left and right:
        if left[0][0] <= right[0][1] and right[0][0] <= left[0][1]:
            return max(left[0][0], right[0][0])
        (left if left[0][1] < right[0][1] else right).popleft()
    return None


def _intervals(text: str, completions: int) -> deque[tuple[int, int]]:
    found: deque[tuple[int, int]] = deque()
    for fragment in text.split(",") if text else []:
        with contextlib.suppress(ValueError):
            found.append(_interval(fragment, completions))
    return found


def _interval(fragment: str, completions: int) -> tuple[int, int]:
    parts = fragment.split("-")
    if len(parts) > 2:
        raise ValueError(
            f'the fragment "{fragment}" violates the requirement that an index interval can '
            "have at most two parts separated by '-'"
        )
    first = _index(parts[0], completions)
    if len(parts) == 1:
        return first, first
    last = _index(parts[1], completions)
    if first >= last:
        raise ValueError(f"non-increasing order, previous: {first}, current: {last}")
    return first, last


def _index(text: str, completions: int) -> int:
    number = int64(text)
    if number is None:
        raise ValueError(f'cannot convert string to integer for index: "{text}"')
    if number >= completions:
        raise ValueError(f'too large index: "{text}"')
    return number
