"""GET /metrics, in Prometheus' text format."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from control_plane.apiserver.http.answer import Answer, Reply
from control_plane.apiserver.http.health import Health
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.metrics.facts import Facts, facts_of
from control_plane.apiserver.metrics.families import families
from control_plane.apiserver.metrics.health_families import health_families
from control_plane.apiserver.metrics.requests import RequestCounts
from control_plane.apiserver.metrics.store_calls import StoreCalls
from control_plane.apiserver.storage.cache_view import Cache

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"


Look = Callable[[], Callable[[], Iterable[Metric]]]


def all_of(*looks: Look) -> Look:
    """What sees what all of them see."""

    def look() -> Callable[[], Iterable[Metric]]:
        seen = [one() for one in looks]
        return lambda: [family for one in seen for family in one()]

    return look


class MetricsEndpoint:
    """Looks at the server, and says what it saw."""

    def __init__(
        self,
        requests: RequestCounts,
        caches: Callable[[], Iterable[Cache]],
        calls: StoreCalls,
        build: Mapping[str, str],
        health: Sequence[Health],
        look: Look,
    ) -> None:
        """Look at these; `look` sees something more and returns what puts that into words.

        `caches` says which there are: those of custom resources come and go.
        """
        self._requests = requests
        self._caches = caches
        self._calls = calls
        self._build = build
        self._health = health
        self._look = look
        self._busy = asyncio.Lock()  # scrapes that come together are made one by one

    async def get(self, _request: Request) -> Reply:
        """Answer with the metrics of this moment; the text is made in a thread."""
        async with self._busy:
            facts = facts_of(self._requests, self._caches(), self._calls)
            text = await asyncio.to_thread(self._text, facts, self._look())
            return Answer(200, text, MEDIA_TYPE)

    async def health(self, _request: Request) -> Reply:
        """Answer GET /metrics/slis: how the health checks have ended."""
        found = [(one.endpoint, dict(one.results)) for one in self._health]
        return Answer(200, _rendered(health_families(found)), MEDIA_TYPE)

    def _text(self, facts: Facts, more: Callable[[], Iterable[Metric]]) -> bytes:
        process = ProcessCollector(registry=None).collect()
        made = [*families(facts, self._build), *more(), *process]
        return _rendered(made)


def _rendered(made: Iterable[Metric]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Once(made))
    return generate_latest(registry)


class _Once(Collector):
    """Families that are collected once."""

    def __init__(self, made: Iterable[Metric]) -> None:
        self._made = made

    def describe(self) -> list[Metric]:
        """Names are not checked beforehand: that would collect."""
        return []

    def collect(self) -> Iterable[Metric]:
        return self._made
