"""Who asks and whether they may, counted under upstream's names.

Written on the event loop alone. Source: the filters for authentication and authorization, the
x509 authenticator and the token cache of apiserver v1.35.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    UnknownMetricFamily,
)

from control_plane.apiserver.metrics.histogram import Histogram, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from control_plane.apiserver.auth.decision import Decision

_SECONDS: Final = tuple(0.001 * 2**step for step in range(15))
_FETCH_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_HOUR, _DAY = 3600.0, 86_400.0
_LEFT_SECONDS: Final = (
    0.0, 0.5 * _HOUR, _HOUR, 2 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 4 * _DAY, 7 * _DAY,
    30 * _DAY, 90 * _DAY, 180 * _DAY, 360 * _DAY,
)  # fmt: skip
# users that are counted by their names; all others by what their names look like
_NAMED: Final = frozenset(
    {"admin", "client", "kube_proxy", "kubelet", "system:serviceaccount:kube-system:default"}
)


class TokenCacheCounts:
    """How a cache of tokens is used; `in_flight` are those that are being checked."""

    def __init__(self) -> None:
        """Nothing has been asked yet."""
        self.hits = 0  # each in less than a millisecond, which is what is measured
        self.in_flight = 0
        self.fetched: Counter[str] = Counter()
        self.misses = Histogram(_FETCH_SECONDS)


class AccessCounts:
    """Requests by whether their user is known and may; what is left of client certificates."""

    def __init__(self) -> None:
        """Nobody has asked yet."""
        self.tokens = TokenCacheCounts()
        self.certificates = Histogram(_LEFT_SECONDS)
        self._users: Counter[str] = Counter()  # but "other", who are the rest
        self._identified = {one: Histogram(_SECONDS) for one in ("success", "failure", "error")}
        self._decided = {one: Histogram(_SECONDS) for one in ("allowed", "denied", "no-opinion")}
        self._success = self._identified["success"]

    def identified(self, name: str, seconds: float) -> None:
        """It took so long to know that `name` asks."""
        self._success.observe(seconds)
        if "@" in name or name in _NAMED:
            self._users[name if name in _NAMED else "email_id"] += 1

    def unidentified(self, seconds: float, *, is_error: bool) -> None:
        """It took so long to know nobody: for wrong credentials, or for want of any."""
        self._identified["error" if is_error else "failure"].observe(seconds)

    def decided(self, decision: Decision, seconds: float) -> None:
        """It took so long to decide."""
        result = "allowed" if decision.allowed else "denied" if decision.denied else "no-opinion"
        self._decided[result].observe(seconds)

    def look(self) -> Callable[[], Iterable[Metric]]:
        """See how things are; what is returned puts it into words, in any thread."""
        others = self._success.count - self._users.total()
        users, left = {**self._users, "other": others}, self.certificates.seen()
        identified, decided = _seen(self._identified), _seen(self._decided)
        tokens = self.tokens
        cache = (tokens.hits, tokens.in_flight, dict(tokens.fetched), tokens.misses.seen())
        return lambda: [
            *_attempts(identified, decided),
            *_users_and_certificates(users, left),
            *_token_cache(*cache),
        ]


def _seen(histograms: Mapping[str, Histogram]) -> dict[str, Seen]:
    return {result: one.seen() for result, one in histograms.items() if one.count}


def _attempts(identified: Mapping[str, Seen], decided: Mapping[str, Seen]) -> Iterator[Metric]:
    # a counter of Python's client is called ..._total, which upstream's is not always
    tried = UnknownMetricFamily(
        "authentication_attempts", "Requests by whether their user is known.", labels=("result",)
    )
    asked = CounterMetricFamily(
        "authorization_attempts_total", "Requests by whether they are allowed.", labels=("result",)
    )
    known = HistogramMetricFamily(
        "authentication_duration_seconds", "Time to know a user by its result.", labels=("result",)
    )
    told = HistogramMetricFamily(
        "authorization_duration_seconds", "Time to decide by its result.", labels=("result",)
    )
    for seconds, attempts, seen in ((known, tried, identified), (told, asked, decided)):
        for result, one in seen.items():
            attempts.add_metric((result,), one.buckets[-1][1])
            seconds.add_metric((result,), one.buckets, one.total)
    yield from (tried, asked, known, told)


def _users_and_certificates(users: Mapping[str, int], left: Seen) -> Iterator[Metric]:
    by_name = UnknownMetricFamily(
        "authenticated_user_requests", "Requests by kinds of users.", labels=("username",)
    )
    for name, count in users.items():
        by_name.add_metric((name,), count)
    yield by_name
    yield HistogramMetricFamily(
        "apiserver_client_certificate_expiration_seconds",
        "What is left of the client certificates that requests come with.",
        buckets=left.buckets,
        sum_value=left.total,
    )


def _token_cache(
    hits: int, in_flight: int, fetched: Mapping[str, int], misses: Seen
) -> Iterator[Metric]:
    name, labels = "authentication_token_cache", ("status",)
    asked = CounterMetricFamily(f"{name}_request_total", "Tokens looked up.", labels=labels)
    seconds = HistogramMetricFamily(
        f"{name}_request_duration_seconds", "Time to look a token up.", labels=labels
    )
    checked = CounterMetricFamily(f"{name}_fetch_total", "Tokens checked.", labels=labels)
    active = GaugeMetricFamily(
        f"{name}_active_fetch_count", "Tokens that are being checked.", labels=labels
    )
    asked.add_metric(("hit",), hits)
    asked.add_metric(("miss",), misses.buckets[-1][1])
    seconds.add_metric(("hit",), [(bound, float(hits)) for bound, _ in misses.buckets], 0.0)
    seconds.add_metric(("miss",), misses.buckets, misses.total)
    for status, count in fetched.items():
        checked.add_metric((status,), count)
    active.add_metric(("in_flight",), in_flight)
    yield from (asked, seconds, checked, active)
