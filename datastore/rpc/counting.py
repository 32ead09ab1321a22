"""How often each method was called and how it ended, for /metrics.

Calls that run on the event loop (streams, the gateway's) are counted here, by plain integers. The
grpcio front counts its unary calls `apart`, under a lock of its own; the native front counts its
calls outside Python, and `sources` are asked for those at each scrape.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING, Any

import grpc

from datastore.mvcc.counters import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CODES = {code.value[0]: code.name for code in grpc.StatusCode}


class MethodCounts:
    """The calls of one method."""

    __slots__ = (
        "handled",
        "received",
        "received_bytes",
        "seconds",
        "sent",
        "sent_bytes",
        "started",
    )

    def __init__(self) -> None:
        self.started = 0
        self.received = self.received_bytes = 0
        self.sent = self.sent_bytes = 0
        self.handled: Counter[str] = Counter()  # by gRPC code, as "NOT_FOUND"
        self.seconds = Histogram(SECONDS)

    def receive(self, size: int) -> None:
        """Count a message that came."""
        self.received += 1
        self.received_bytes += size

    def send(self, size: int) -> None:
        """Count a message that went; as with Go's interceptor a refusal is one, of 0 bytes."""
        self.sent += 1
        self.sent_bytes += size

    def end(self, code: str, begun: float) -> None:
        """Count a call that began at `begun` (perf_counter) and has ended."""
        self.handled[code] += 1
        self.seconds.observe(perf_counter() - begun)

    def exchange(self, received: int, sent: int, code: str, begun: float) -> None:
        """Count the one message in, the one out, and the end of a call, in one step."""
        self.received += 1
        self.received_bytes += received
        self.sent += 1
        self.sent_bytes += sent
        self.handled[code] += 1
        self.seconds.observe(perf_counter() - begun)

    def add(self, other: MethodCounts) -> None:
        """Add other calls of the method."""
        self.started += other.started
        self.received += other.received
        self.received_bytes += other.received_bytes
        self.sent += other.sent
        self.sent_bytes += other.sent_bytes
        self.handled.update(other.handled)
        self.seconds.sum += other.seconds.sum
        for bound, count in enumerate(other.seconds.counts):
            self.seconds.counts[bound] += count

    def copy(self) -> MethodCounts:
        """Return the counts as they are now."""
        made = MethodCounts()
        made.started = self.started
        made.received, made.received_bytes = self.received, self.received_bytes
        made.sent, made.sent_bytes = self.sent, self.sent_bytes
        made.handled = Counter(self.handled)
        made.seconds.counts, made.seconds.sum = list(self.seconds.counts), self.seconds.sum
        return made


class RpcCounts:
    """The calls of every method of a server."""

    def __init__(self) -> None:
        self._methods: dict[str, MethodCounts] = {}
        self.sources: list[Callable[[], dict[str, Any] | None]] = []
        self._apart: list[RpcCounts] = []

    def of(self, service: str, method: str) -> MethodCounts:
        """Return the counts of a method, as `package.Service` and its name."""
        path = f"/{service}/{method}"
        found = self._methods.get(path)
        if found is None:
            found = self._methods[path] = MethodCounts()
        return found

    def apart(self) -> RpcCounts:
        """Return counts that are kept elsewhere than on the event loop, and are in the totals."""
        made = RpcCounts()
        self._apart.append(made)
        return made

    def totals(self) -> dict[str, MethodCounts]:
        """Return the counts of every method, by path, those of the sources added."""
        totals = {path: counts.copy() for path, counts in self._methods.items()}
        for apart in self._apart:
            for path, counts in apart.totals().items():
                totals.setdefault(path, MethodCounts()).add(counts)
        for source in self.sources:
            measured = source() or {"methods": {}, "bounds": ()}
            for path, found in measured["methods"].items():
                if path in totals:
                    _add(totals[path], found, measured["bounds"])
        return totals


def _add(counts: MethodCounts, found: dict[str, Any], bounds: Sequence[float]) -> None:
    """Add what the native front measured: unary calls, by the number of their code."""
    counts.started += found["started"]
    for number, calls in found["status"].items():
        code = CODES[int(number)]
        counts.handled[code] += calls["count"]
        counts.received += calls["count"]
        counts.received_bytes += calls["rcvd"]["sum"]
        counts.sent += calls["count"]
        counts.sent_bytes += calls["sent"]["sum"]
        counts.seconds.sum += calls["sum"]
        for bound, count in zip((*bounds, float("inf")), calls["buckets"], strict=True):
            counts.seconds.counts[bisect_left(SECONDS, bound)] += count
