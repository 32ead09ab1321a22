"""How often each statement of a session ran, and how long that took, for /metrics.

Counted under the text of the statement, whose hash Python keeps: a look into a dictionary and two
additions. Names are looked up when somebody asks. Written by the session's thread alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Spent(NamedTuple):
    """How often, and how many seconds in all."""

    runs: int
    seconds: float


class StatementTimes:
    """The times of one session; `name_of` names a statement's text."""

    __slots__ = ("_name_of", "_spent")

    def __init__(self, name_of: Callable[[str], str]) -> None:
        self._name_of = name_of
        self._spent: dict[str, list[float]] = {}  # the count and the seconds by text

    def add(self, text: str, seconds: float) -> None:
        """Count one that took so long."""
        spent = self._spent.get(text)
        if spent is None:
            spent = self._spent[text] = [0, 0.0]
        spent[0] += 1
        spent[1] += seconds

    def named(self) -> list[tuple[str, Spent]]:
        """Return what was counted, a name once for each of its texts; for any thread."""
        return [
            (self._name_of(text), Spent(int(count), seconds))
            for text, (count, seconds) in list(self._spent.items())
        ]


def total(all_times: Iterable[StatementTimes]) -> dict[str, Spent]:
    """Return the sums of all sessions by name."""
    sums: dict[str, Spent] = {}
    for times in all_times:
        for name, spent in times.named():
            before = sums.get(name, Spent(0, 0.0))
            sums[name] = Spent(before.runs + spent.runs, before.seconds + spent.seconds)
    return dict(sorted(sums.items()))
