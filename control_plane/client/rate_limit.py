"""How long to wait before trying again: pure arithmetic over a given time, in seconds.

`ItemBackoff` and `TokenBucket` make up the workqueue's default limiter, `Backoff` paces one loop
that talks to a server. Source: client-go util/workqueue default_rate_limiters and x/time/rate.
"""

import random
from collections.abc import Callable

BASE_SECONDS = 0.005
MAX_SECONDS = 1000.0
BUCKET_RATE = 10.0  # per second
BUCKET_BURST = 100.0


class ItemBackoff:
    """Exponential delay by item: base · 2^failures, capped."""

    def __init__(self, base: float = BASE_SECONDS, cap: float = MAX_SECONDS) -> None:
        """Start with no failures; both bounds are seconds."""
        self._base = base
        self._cap = cap
        self._failures: dict[str, int] = {}

    def delay(self, item: str) -> float:
        """Count one more failure of `item` and return its delay; the first one is `base`."""
        failures = self._failures.get(item, 0)
        self._failures[item] = failures + 1
        return min(self._base * 2.0 ** min(failures, 64), self._cap)

    def forget(self, item: str) -> None:
        """Take `item` for healthy again."""
        self._failures.pop(item, None)

    def failures(self, item: str) -> int:
        """Return how often `item` failed since it was last forgotten."""
        return self._failures.get(item, 0)


class TokenBucket:
    """`burst` requests at once, `rate` a second for good; later ones get a place in the future."""

    def __init__(self, rate: float = BUCKET_RATE, burst: float = BUCKET_BURST) -> None:
        """Start full."""
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at: float | None = None

    def reserve(self, now: float) -> float:
        """Take a token, on credit if need be, and return the seconds until it is covered."""
        self._refill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def allow(self, now: float) -> bool:
        """Take a token if there is a whole one."""
        self._refill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _refill(self, now: float) -> None:
        elapsed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now
        self._tokens = min(self._burst, self._tokens + elapsed * self._rate)


class Backoff:
    """Growing delays with jitter for one loop: base · 2^n, capped, each 1 to 2 times as long."""

    def __init__(
        self, base: float, cap: float, jitter: Callable[[], float] = random.random
    ) -> None:
        """Start at `base` seconds; `jitter` returns a number in [0, 1)."""
        self._base = base
        self._cap = cap
        self._jitter = jitter
        self._next = base

    def delay(self) -> float:
        """Return the seconds to wait after one more failure."""
        delay, self._next = self._next, min(self._next * 2, self._cap)
        return delay * (1 + self._jitter())

    def reset(self) -> None:
        """Begin at `base` again: things went well."""
        self._next = self._base
