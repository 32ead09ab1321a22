"""Both sides of a move compared, key by key, in one walk over both."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from datastore.tools.moving.record import Record, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EVERYTHING = Record._fields[1:]
CONTENT = ("value",)


class Difference(NamedTuple):
    """A key, and in what it differs."""

    key: bytes
    what: str
    missing: bool = False  # in the target

    def __str__(self) -> str:
        return f"{shown(self.key)}: {self.what}"


def differences(
    source: Iterable[Record], target: Iterable[Record], fields: Iterable[str] = EVERYTHING
) -> Iterator[Difference]:
    """Yield every difference between two walks, both in key order."""
    left, right = iter(source), iter(target)
    ours, theirs = next(left, None), next(right, None)
    while ours is not None or theirs is not None:
        if theirs is None or (ours is not None and ours.key < theirs.key):
            assert ours is not None
            yield Difference(ours.key, "is missing in the target", missing=True)
            ours = next(left, None)
        elif ours is None or theirs.key < ours.key:
            yield Difference(theirs.key, "is in the target alone")
            theirs = next(right, None)
        else:
            yield from _in_fields(ours, theirs, fields)
            ours, theirs = next(left, None), next(right, None)


def missing(source: Iterable[Record], target: Iterable[Record]) -> Iterator[Record]:
    """Yield what the target lacks; it has nothing that the source has not."""
    there = iter(target)
    next_there = next(there, None)
    for record in source:
        if next_there is not None and next_there.key == record.key:
            next_there = next(there, None)
        else:
            yield record


def _in_fields(ours: Record, theirs: Record, fields: Iterable[str]) -> Iterator[Difference]:
    for field in fields:
        here, there = getattr(ours, field), getattr(theirs, field)
        if here == there:
            continue
        if isinstance(here, bytes):
            said = f"{field} differs ({len(here)} bytes, in the target {len(there)})"
        else:
            said = f"{field} is {here}, in the target {there}"
        yield Difference(ours.key, said)
