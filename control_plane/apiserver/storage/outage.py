"""The store's absence, as the log tells it: one line when it begins and one when it is over.

Every cache notices an outage by itself and tries again every other second; all of them share one
StoreOutage, so that an operator reads two lines and not two thousand. Called by watch_cache.py.
"""

import logging

from control_plane.apiserver.etcd.errors import StoreError

logger = logging.getLogger(__name__)


class StoreOutage:
    """Who waits for the store: `waits` and `follows` are called by each cache as it happens."""

    def __init__(self) -> None:
        """Start with nobody waiting."""
        self._waiting: set[str] = set()

    def waits(self, cache: str, error: StoreError) -> None:
        """Note that `cache` has no watch on the store; the first one is a warning."""
        level = logging.DEBUG if self._waiting else logging.WARNING
        self._waiting.add(cache)
        logger.log(level, "store unavailable cache=%s action=retry error=%s", cache, error)

    def follows(self, cache: str) -> None:
        """Note that `cache` has its watch; the last one ends the outage."""
        if cache in self._waiting:
            self._waiting.remove(cache)
            if not self._waiting:
                logger.warning("store available again")
