"""Answers that are good for some time: a bounded number of them, the oldest go first. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Answer = TypeVar("Answer")


class Remembered(Generic[Answer]):
    """At most `limit` answers; `clock` is in seconds."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        """Nothing is remembered yet."""
        self._limit = limit
        self._clock = clock
        self._answers: OrderedDict[Hashable, tuple[float, Answer]] = OrderedDict()

    def get(self, key: Hashable) -> tuple[Answer] | None:
        """The answer, in a tuple since it may be None; None when there is none that is good."""
        found = self._answers.get(key)
        if found is None or self._clock() >= found[0]:
            return None
        return (found[1],)

    def put(self, key: Hashable, answer: Answer, seconds: float) -> None:
        """Remember it for that long."""
        self._answers[key] = (self._clock() + seconds, answer)
        self._answers.move_to_end(key)
        if len(self._answers) > self._limit:
            self._answers.popitem(last=False)

    def __len__(self) -> int:
        """How many there are, good or not."""
        return len(self._answers)
