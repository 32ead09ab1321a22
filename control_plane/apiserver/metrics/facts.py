"""A server at one moment, taken on the event loop in one go; it is put into words in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from control_plane.apiserver.metrics.histogram import Seen
    from control_plane.apiserver.metrics.requests import RequestCounts, RequestLabels
    from control_plane.apiserver.metrics.store_calls import StoreCalls
    from control_plane.apiserver.storage.cache_view import Cache


class RequestFacts(NamedTuple):
    """The requests of one kind."""

    labels: RequestLabels
    codes: Mapping[int, int]
    seconds: Seen
    sizes: Seen | None


class CacheFacts(NamedTuple):
    """One resource's cache; `events` are those that were sent to watches."""

    group: str
    version: str
    resource: str
    objects: int
    encoded_bytes: int
    revision: int
    received: int
    cut_watches: int
    events: Seen
    events_sent: int


class CallFacts(NamedTuple):
    """The calls to the store of one kind."""

    labels: tuple[str, str, str]
    made: int
    failed: int
    seconds: Seen


class Facts(NamedTuple):
    """All of it."""

    requests: list[RequestFacts]
    service: Mapping[tuple[str, ...], Seen]
    long_running: Mapping[tuple[str, ...], int]
    in_flight: Mapping[str, int]
    deprecated: list[tuple[str, ...]]
    terminated: Mapping[tuple[tuple[str, ...], int], int]
    caches: list[CacheFacts]
    calls: list[CallFacts]


def facts_of(requests: RequestCounts, caches: Iterable[Cache], calls: StoreCalls) -> Facts:
    """Look at everything."""
    return Facts(
        [
            RequestFacts(
                labels,
                dict(series.codes),
                series.seconds.seen(),
                series.sizes.seen() if series.sizes is not None and series.sizes.count else None,
            )
            for labels, series in requests.series.items()
            if series.codes
        ],
        {labels: seen.seen() for labels, seen in requests.service.items() if seen.count},
        dict(requests.long_running),
        dict(requests.in_flight),
        sorted(requests.deprecated),
        dict(requests.terminated),
        [_cache_facts(cache) for cache in caches],
        [
            CallFacts(kind, one.seconds.count, one.failed, one.seconds.seen())
            for kind, one in calls.calls.items()
        ],
    )


def _cache_facts(cache: Cache) -> CacheFacts:
    resource = cache.resource
    return CacheFacts(
        resource.group,
        resource.version,
        resource.plural,
        len(cache),
        cache.encoded_bytes,
        cache.clock.revision,
        cache.received,
        cache.cut_watches,
        cache.sent.seen(),
        cache.sent.count,
    )
