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
    """The requests of one kind. `service` is shared with those that differ in `dry_run` alone."""

    __slots__ = ("codes", "labels", "present", "seconds", "service", "sizes")

    def __init__(self, labels: RequestLabels, service: Histogram | None) -> None:
        """Nothing has been counted yet; what lasts as its client likes has no time of service."""
        self.labels = labels
        self.present = 0
        self.codes: Counter[int] = Counter()
        self.seconds = Histogram(REQUEST_SECONDS)
        self.service = service
        self.sizes = Histogram(ANSWER_BYTES) if labels.verb in _SIZED else None

    def begin(self) -> None:
        """A request is there; it must `end`."""
        self.present += 1

    def end(self, code: int, seconds: float, size: int, waited: float = 0.0) -> None:
        """A request is done, with `code` (0: the client did not wait) and `size` bytes.

        It has `waited` for its turn before it was served.
        """
        self.present -= 1
        self.codes[code] += 1
        self.seconds.observe(seconds)
        if self.service is not None:
            self.service.observe(seconds - waited)
        if self.sizes is not None:
            self.sizes.observe(size)


class RequestCounts:
    """All requests by their kind; there are as many kinds as resources have verbs."""

    def __init__(self) -> None:
        """Nothing has been counted yet."""
        self._series: dict[RequestLabels, Series] = {}
        self.service: dict[tuple[str, ...], Histogram] = {}
        self.deprecated: set[tuple[str, ...]] = set()
        self.terminated: Counter[tuple[tuple[str, ...], int]] = Counter()

    @property
    def series(self) -> Mapping[RequestLabels, Series]:
        """What has been counted."""
        return self._series

    @property
    def in_flight(self) -> Mapping[str, int]:
        """How many requests are being served that only read, and that may write."""
        kinds = {"mutating": 0, "readOnly": 0}
        for labels, series in self._series.items():
            if not labels.is_long_running:
                kinds["readOnly" if labels.verb in READS else "mutating"] += series.present
        return kinds

    @property
    def long_running(self) -> Mapping[tuple[str, ...], int]:
        """How many there are of what ends when somebody wants it to."""
        present: Counter[tuple[str, ...]] = Counter()
        for labels, series in self._series.items():
            if labels.is_long_running:
                present[labels.without_dry_run] += series.present
        return present

    def terminate(self, series: Series | None, code: int) -> None:
        """A request gets `code` for its own protection or that of others: 429 or 504."""
        if series is not None:
            self.terminated[series.labels.without_dry_run, code] += 1

    def begin(self, labels: RequestLabels) -> Series:
        """A request is there; it must `end` in the series that this returns."""
        series = self.of(labels)
        series.begin()
        return series

    def of(self, labels: RequestLabels) -> Series:
        """Where requests of these labels are counted, for ever."""
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = Series(labels, self._service_of(labels))
        return series

    def _service_of(self, labels: RequestLabels) -> Histogram | None:
        if labels.is_long_running:
            return None
        return self.service.setdefault(labels.without_dry_run, Histogram(SERVICE_SECONDS))
