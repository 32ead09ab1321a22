"""Expectations: what a controller has asked for and not yet seen in its own cache.

A controller that creates three pods and looks again at once sees none of them and would create
three more. So it notes "three creations" first, the informer's events tick them off, and it does
not act while some are open. Kept per owner uid, so that a re-created owner starts afresh.
Deletions are a set of keys: a pod seen both as terminating and as gone counts once.

An expectation older than 5 minutes is taken as met, so that a lost event cannot block for ever.
Bound: one record per live owner. Source: kubernetes pkg/controller/controller_utils.go.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from control_plane.client.clock import Clock

TIMEOUT_SECONDS = 300.0


@dataclass(slots=True)
class _Open:
    """What one owner still waits to see, and since when."""

    at: float
    creations: int = 0
    deletions: set[str] = field(default_factory=set)


class Expectations:
    """Open creations and deletions by owner uid."""

    def __init__(self, clock: Clock) -> None:
        """Start with none."""
        self._clock = clock
        self._open: dict[str, _Open] = {}

    def satisfied(self, uid: str) -> bool:
        """Whether the owner's cache shows all that was asked for, or has had time enough to."""
        expected = self._open.get(uid)
        if expected is None or (expected.creations <= 0 and not expected.deletions):
            return True
        return self._clock.monotonic() - expected.at > TIMEOUT_SECONDS

    def expect_creations(self, uid: str, count: int) -> None:
        """Replace what `uid` waits for by `count` creations."""
        self._open[uid] = _Open(self._clock.monotonic(), creations=count)

    def expect_deletions(self, uid: str, keys: Iterable[str]) -> None:
        """Replace what `uid` waits for by the deletion of `keys`."""
        self._open[uid] = _Open(self._clock.monotonic(), deletions=set(keys))

    def creation_observed(self, uid: str, count: int = 1) -> None:
        """Tick off `count` creations, seen or given up."""
        if expected := self._open.get(uid):
            expected.creations -= count

    def deletion_observed(self, uid: str, key: str) -> None:
        """Tick off the deletion of `key`, seen or given up; other keys do not count."""
        if expected := self._open.get(uid):
            expected.deletions.discard(key)

    def forget(self, uid: str) -> None:
        """Drop what `uid` waits for: the owner is gone."""
        self._open.pop(uid, None)
