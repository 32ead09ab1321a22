"""A pod in the scheduling queue, and how long it backs off after a failed attempt."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import floor

from control_plane.scheduler.framework.pod_info import PodInfo

INITIAL_BACKOFF_SECONDS = 1.0
MAX_BACKOFF_SECONDS = 10.0


class Place(enum.Enum):
    """Where in the queue a pod is. A gated pod is in UNSCHEDULABLE with `gated_by` set."""

    ACTIVE = enum.auto()
    BACKOFF = enum.auto()
    ERROR_BACKOFF = enum.auto()
    UNSCHEDULABLE = enum.auto()
    IN_FLIGHT = enum.auto()


@dataclass(frozen=True, slots=True)
class BackoffLimits:
    """The first back-off and the longest one, in seconds."""

    initial_seconds: float = INITIAL_BACKOFF_SECONDS
    max_seconds: float = MAX_BACKOFF_SECONDS


@dataclass(slots=True)
class QueuedPod:
    """One waiting pod. `queued_at` is when it came or last failed, in seconds of the queue's clock.

    `rejectors` are the plugins that refused it last; an event wakes the pod only if it concerns one
    of them. `in_flight_since` numbers the first event the running attempt may have missed. `ticket`
    changes whenever the pod moves, so that entries left behind in a heap can be told from the valid
    one.
    """

    info: PodInfo
    queued_at: float
    place: Place = Place.ACTIVE
    unschedulable_count: int = 0
    error_count: int = 0
    rejectors: frozenset[str] = field(default_factory=frozenset)
    gated_by: str = ""
    in_flight_since: int = 0
    ticket: int = 0

    @property
    def attempts(self) -> int:
        """How many attempts ended in a refusal or an error since the pod was queued."""
        return self.unschedulable_count + self.error_count

    def failed(self, now: float, rejectors: Iterable[str]) -> None:
        """Record a failed attempt; without a rejecting plugin it counts as an error."""
        self.rejectors = frozenset(rejectors)
        self.queued_at = now
        if self.rejectors:
            self.unschedulable_count += 1
            self.error_count = 0
        else:
            self.error_count += 1

    def backoff_until(self, limits: BackoffLimits) -> float:
        """Return when the pod may be tried again, in whole seconds; 0 before the first failure."""
        failures = self.error_count or self.unschedulable_count
        if not failures:
            return 0.0
        doublings = min(failures - 1, 30)
        wait = min(limits.initial_seconds * 2**doublings, limits.max_seconds)
        return float(floor(self.queued_at + wait))
