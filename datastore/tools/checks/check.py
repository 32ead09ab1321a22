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

    from datastore.tools.checks.bounds import Bounds


class Finding(NamedTuple):
    """A broken invariant: where (a key and a revision, a lease …), what, and what to do."""

    check: str
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.check}: {self.where}: {self.what}: {self.remedy}"


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


def at(key: object, event: object) -> str:
    """Return the place of an event for a person: its key, and its revision."""
    return f"key {shown(key)} revision {place(event)}"


def place(event: object) -> str:
    """Return the revision of an event id, with its place in the revision if it is not the first.

    What is no event id, since the store is damaged, is returned as it is.
    """
    if not isinstance(event, int):
        return repr(event)
    revision, sub = event >> SUB_BITS, event & ((1 << SUB_BITS) - 1)
    return f"{revision}.{sub}" if sub else str(revision)


def shown(key: object) -> str:
    """Return a key as text if it is printable, else as a hexadecimal literal.

    What is not bytes, since the store is damaged, is returned as it is.
    """
    if not isinstance(key, bytes):
        return repr(key)
    if key and key.isascii() and key.decode("ascii").isprintable() and b" " not in key:
        return key.decode("ascii")
    return f"x'{key.hex()}'"
