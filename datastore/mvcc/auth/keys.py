"""The keys of a store as one caller may use them: what Lock and Election work on.

Each operation goes out under the caller's name, so that it needs of him what it would need if he
sent it himself. A watch is not checked: those services watch only what they have just read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datastore.mvcc.auth.model import Credentials
    from datastore.mvcc.model import (
        DeleteRange,
        DeleteResult,
        Lease,
        RangeQuery,
        RangeResult,
        Txn,
        TxnResult,
    )
    from datastore.mvcc.store import Store
    from datastore.mvcc.watch import WatchStream


class CallersKeys:
    """A store, used in somebody's name."""

    def __init__(self, store: Store, caller: Credentials) -> None:
        self._store = store
        self._caller = caller

    async def range(self, query: RangeQuery) -> RangeResult:
        """Answer a read."""
        return await self._store.range(query._replace(caller=self._caller))

    async def txn(self, txn: Txn, size: int) -> TxnResult:
        """Run a Txn."""
        return await self._store.txn(txn._replace(caller=self._caller), size)

    async def delete_range(self, delete: DeleteRange, size: int) -> DeleteResult:
        """Delete keys."""
        return await self._store.delete_range(delete._replace(caller=self._caller), size)

    async def grant(self, lease: int, ttl: int) -> tuple[int, Lease]:
        """Grant a lease."""
        return await self._store.grant(lease, ttl, self._caller)

    def watch_stream(self) -> WatchStream:
        """Open a stream of watches on what the caller has read."""
        return self._store.watch_stream()
