"""What a round came to, in figures: how many calls of which kind, and how long they took."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.robustness.history import OK, Record
from tests.robustness.judge import Verdict


@dataclass(slots=True)
class Tally:
    """One round. Latencies are seconds of the acknowledged calls, in ascending order.

    `silence` is the longest time in which nobody, at any server, was answered.
    """

    verdict: Verdict
    seconds: float
    compacted: int
    reconnects: int
    latencies: list[float]
    silence: float
    violations: list[str] = field(default_factory=list)


def latencies_of(records: Sequence[Record]) -> list[float]:
    """Return how long the acknowledged calls took, ascending."""
    return sorted(record.end - record.start for record in records if record.status == OK)


def silence_of(records: Sequence[Record]) -> float:
    """Return the longest time between two answers, or the load's ends."""
    if not records:
        return 0.0
    ends = sorted(record.end for record in records if record.status == OK)
    first = min(record.start for record in records)
    last = max(record.end for record in records)
    return max(later - earlier for earlier, later in pairwise([first, *ends, last]))


def percentile(ascending: Sequence[float], share: float) -> float:
    """Return the value below which that share lies; 0 when there is none."""
    return ascending[min(int(len(ascending) * share), len(ascending) - 1)] if ascending else 0.0
