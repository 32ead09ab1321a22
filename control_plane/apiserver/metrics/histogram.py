"""How often an amount fell between which bounds. Written on the event loop alone."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from collections.abc import Sequence

REQUEST_SECONDS = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0,
    10.0, 15.0, 20.0, 30.0, 45.0, 60.0,
)  # fmt: skip
SERVICE_SECONDS = (
    0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0,
    30.0, 45.0, 60.0,
)  # fmt: skip
ANSWER_BYTES = tuple(1000.0 * 10**step for step in range(7))
EVENT_BYTES = tuple(1024.0 * 2**step for step in range(8))


class Seen(NamedTuple):
    """A histogram at one moment: for each bound how often it was not exceeded, and the sum."""

    buckets: list[tuple[str, float]]
    total: float


class Histogram:
    """The last count is of amounts above all bounds."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Nothing has been observed yet."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, amount: float) -> None:
        """Count an amount."""
        self.counts[bisect_left(self.bounds, amount)] += 1
        self.sum += amount

    @property
    def count(self) -> int:
        """How often something was observed."""
        return sum(self.counts)

    def seen(self) -> Seen:
        """The histogram as it is now."""
        names = [*map(floatToGoString, self.bounds), "+Inf"]
        reached = map(float, accumulate(self.counts))
        return Seen(list(zip(names, reached, strict=True)), self.sum)
