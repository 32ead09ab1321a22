"""Requests counted: how many, how they ended, how long they took, how many there are now."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from control_plane.apiserver.metrics.histogram import (
    ANSWER_BYTES,
    REQUEST_SECONDS,
    SERVICE_SECONDS,
    Histogram,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

READS = frozenset({"GET", "LIST", "WATCH"})
_SIZED = frozenset({"GET", "LIST"})


class RequestLabels(NamedTuple):
    """What a request is counted under, as upstream's labels; "" where one has no meaning."""

    verb: str
    dry_run: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    scope: str = ""
    component: str = "apiserver"

    @property
    def without_dry_run(self) -> tuple[str, ...]:
        """The labels of what knows no dry run."""
        return (self.verb, *self[2:])

    @property
    def is_long_running(self) -> bool:
        """Whether it ends when somebody wants it to, and not when it is done."""
        return self.verb in ("WATCH", "CONNECT") or self.subresource == "log"


class Series:
    """The requests of one kind."""

    __slots__ = ("codes", "seconds", "sizes")

    def __init__(self) -> None:
        """Nothing has been counted yet."""
        self.codes: Counter[int] = Counter()
        self.seconds = Histogram(REQUEST_SECONDS)
        self.sizes = Histogram(ANSWER_BYTES)


class RequestCounts:
    """All requests by their kind; there are as many kinds as resources have verbs."""

    def __init__(self) -> None:
        """Nothing has been counted yet."""
        self._series: dict[RequestLabels, Series] = {}
        self.service: dict[tuple[str, ...], Histogram] = {}
        self.long_running: Counter[tuple[str, ...]] = Counter()
        self.in_flight = {"mutating": 0, "readOnly": 0}
        self.deprecated: set[tuple[str, ...]] = set()

    @property
    def series(self) -> Mapping[RequestLabels, Series]:
        """What has been counted."""
        return self._series

    def begin(self, labels: RequestLabels) -> None:
        """A request is there; it must `end`."""
        self._count_present(labels, 1)

    def end(
        self, labels: RequestLabels, code: int, seconds: float, size: int, waited: float = 0.0
    ) -> None:
        """A request is done, with `code` (0: the client did not wait) and `size` bytes.

        It has `waited` for its turn before it was served.
        """
        self._count_present(labels, -1)
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = Series()
        series.codes[code] += 1
        series.seconds.observe(seconds)
        if not labels.is_long_running:
            self._service_of(labels).observe(seconds - waited)
        if labels.verb in _SIZED:
            series.sizes.observe(size)

    def _service_of(self, labels: RequestLabels) -> Histogram:
        kind = labels.without_dry_run
        found = self.service.get(kind)
        if found is None:
            found = self.service[kind] = Histogram(SERVICE_SECONDS)
        return found

    def _count_present(self, labels: RequestLabels, more: int) -> None:
        if labels.is_long_running:
            self.long_running[labels.without_dry_run] += more
        else:
            self.in_flight["readOnly" if labels.verb in READS else "mutating"] += more
