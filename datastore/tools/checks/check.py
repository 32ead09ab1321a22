"""What a check is: a named invariant, the rows it asks for, and a pure judgement of them.

A row of `CHECKS` (in the package) is all there is to add. `ask` builds a statement for the bounds
of one snapshot, `judge` turns its rows, which stream, into findings. Most statements select only
what is wrong, so their judge merely words it; `each` makes such a judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from datastore.mvcc.model import SUB_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy import Executable, Row

Rows = "Iterable[Row[Any]]"


class Bounds(NamedTuple):
    """What one snapshot says of the store, and where to begin.

    Events with an id below `first` are not judged: 0 judges the whole store.
    """

    revision: int
    floor: int
    compacted: int
    pruned: int
    first: int = 0

    @property
    def looked_at(self) -> int:
        """The first event id that compaction has not certainly passed.

        It goes from `pruned` on; the compact revision itself has been passed when it is reached.
        """
        done = self.pruned == self.compacted
        return (max(self.pruned, 0) + done) << SUB_BITS

    @property
    def passed(self) -> int:
        """The first event id that compaction cannot have passed: a step may have been there."""
        return (max(self.pruned, 0) + 1) << SUB_BITS


class Finding(NamedTuple):
    """A broken invariant: where (a key and a revision, a lease …), what, and what to do."""

    check: str
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.check}: {self.where}: {self.what}: {self.remedy}"


Judge = "Callable[[Iterable[Row[Any]], Bounds], Iterator[tuple[str, str]]]"


@dataclass(frozen=True, slots=True)
class Check:
    """An invariant: its name, what holds, what to do when it does not, and how to see it.

    `judge` yields (where, what). `whole` checks always look at the whole store and cost
    accordingly; `only` is the one database that a check is for.
    """

    name: str
    holds: str
    remedy: str
    ask: Callable[[Bounds], Executable]
    judge: Callable[[Iterable[Row[Any]], Bounds], Iterator[tuple[str, str]]]
    whole: bool = False
    only: str = ""

    def findings(self, rows: Iterable[Row[Any]], bounds: Bounds) -> Iterator[Finding]:
        """Yield what the rows say is broken."""
        for where, what in self.judge(rows, bounds):
            yield Finding(self.name, where, what, self.remedy)


def each(
    word: Callable[[Row[Any]], tuple[str, str]],
) -> Callable[[Iterable[Row[Any]], Bounds], Iterator[tuple[str, str]]]:
    """Return the judge of a statement that selects only what is wrong."""

    def judge(rows: Iterable[Row[Any]], _: Bounds) -> Iterator[tuple[str, str]]:
        yield from map(word, rows)

    return judge


def at(key: bytes, event: int) -> str:
    """Return the place of an event for a person: its key, and its revision."""
    return f"key {shown(key)} revision {place(event)}"


def place(event: int) -> str:
    """Return the revision of an event id, with its place in the revision if it is not the first."""
    revision, sub = event >> SUB_BITS, event & ((1 << SUB_BITS) - 1)
    return f"{revision}.{sub}" if sub else str(revision)


def shown(key: bytes) -> str:
    """Return a key as text if it is printable, else as a hexadecimal literal."""
    key = bytes(key)
    if key and key.isascii() and key.decode("ascii").isprintable() and b" " not in key:
        return key.decode("ascii")
    return f"x'{key.hex()}'"
