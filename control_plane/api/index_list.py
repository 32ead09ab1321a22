"""Lists of indexes of an indexed job's pods, "1,3-5": read and counted.

Called by the rules of jobs. Pure. Source: v1.35 batch/v1 validation.
"""

from __future__ import annotations

from control_plane.api.integers import int64


def count_indexes(text: str, completions: int) -> int:
    """Return how many indexes a list names; ValueError says what is wrong with it."""
    if not text:
        return 0
    total, previous = 0, None
    for fragment in text.split(","):
        parts = fragment.split("-")
        if len(parts) > 2:
            raise ValueError(
                f'the fragment "{fragment}" violates the requirement that an index interval can '
                "have at most two parts separated by '-'"
            )
        first = _index(parts[0], completions)
        if previous is not None and previous >= first:
            raise ValueError(f"non-increasing order, previous: {previous}, current: {first}")
        previous = first
        if len(parts) == 2:
            last = _index(parts[1], completions)
            if first >= last:
                raise ValueError(f"non-increasing order, previous: {first}, current: {last}")
            total += last - first
            previous = last
        total += 1
    return total


def _index(text: str, completions: int) -> int:
    number = int64(text)
    if number is None:
        raise ValueError(f'cannot convert string to integer for index: "{text}"')
    if number >= completions:
        raise ValueError(f'too large index: "{text}"')
    return number
