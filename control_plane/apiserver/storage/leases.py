"""Leases for objects that expire, such as events.

One lease serves many objects: it is granted for a little longer than they live and reused for a
short while, so that a thousand events cost one lease. Never renewed, never revoked.
Source: the lease manager of apiserver/pkg/storage/etcd3.
"""

import asyncio
from collections.abc import Callable

from control_plane.apiserver.etcd.client import EtcdClient

MAX_OBJECTS = 1000
MAX_REUSE_SECONDS = 60


class ObjectLeases:
    """Hands out leases for objects that live `ttl_seconds`."""

    def __init__(self, etcd: EtcdClient, ttl_seconds: int, clock: Callable[[], float]) -> None:
        """`clock` returns monotonic seconds."""
        self._etcd = etcd
        self._reuse_seconds = min(MAX_REUSE_SECONDS, max(1, ttl_seconds // 20))
        self._ttl_seconds = ttl_seconds + self._reuse_seconds
        self._clock = clock
        self._lease = 0
        self._expires = 0.0
        self._left = 0
        self._granting = asyncio.Lock()

    async def lease(self) -> int:
        """A lease that outlives an object written now."""
        async with self._granting:
            if self._left <= 0 or self._clock() >= self._expires:
                self._lease = await self._etcd.grant_lease(self._ttl_seconds)
                self._expires = self._clock() + self._reuse_seconds
                self._left = MAX_OBJECTS
            self._left -= 1
            return self._lease
