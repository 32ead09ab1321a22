"""Forgetting old history: the protocol by which any number of API servers compact one store.

Every interval each server tries to write, under the condition that nobody has since its last try,
the revision it noted then; who succeeds compacts to that revision. So history lives between one and
two intervals, whoever compacts. Source: apiserver/pkg/storage/etcd3/compact.go.
"""

import asyncio
import logging

from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.errors import CompactedError, StoreError

KEY = b"compact_rev_key"

logger = logging.getLogger(__name__)


class Compactor:
    """One server's part in the protocol."""

    def __init__(self, etcd: EtcdClient) -> None:
        """Start with logical time 0 and no revision noted."""
        self._etcd = etcd
        self._time = 0
        self._revision = 0

    async def run(self, interval_seconds: float) -> None:
        """Take part for ever; a round that the store fails is one round lost."""
        while True:
            await asyncio.sleep(interval_seconds)
            try:
                await self.round()
            except StoreError as error:
                logger.warning("compaction round failed: %s", error)

    async def round(self) -> None:
        """One round: try to be the one who compacts, and note the revision for the next."""
        compact_to = self._revision
        value = str(compact_to).encode()
        succeeded, self._time, self._revision = await self._etcd.put_if_version(
            KEY, value, self._time
        )
        if succeeded and compact_to:
            try:
                await self._etcd.compact(compact_to)
            except CompactedError:
                return  # somebody else, with another protocol, was further
            logger.debug("compacted revision=%d", compact_to)
