"""The quota, as etcd counts it: what a request may cost, and how much room is left.

A request that would not fit raises the NOSPACE alarm and is refused; the alarm stays until a client
disarms it. Called by the committer before a batch and by `execution` for each request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.mvcc.model import Put, Txn

if TYPE_CHECKING:
    from datastore.mvcc.backend import WriteTx
    from datastore.mvcc.model import Op

NEAR = 256 << 20  # bytes below the quota from which on every batch looks at the store's size
LEASE_COST = 64


class Quota:
    """The quota of a store; `allocated` is its size as of the last look, a second ago or so."""

    def __init__(self, limit: int = 0) -> None:
        """`limit` in bytes; 0 or less is none."""
        self._limit = limit
        self.allocated = 0

    def room(self, tx: WriteTx) -> int | None:
        """Return how many bytes are left, None when there are plenty."""
        if not 0 < self._limit <= self.allocated + NEAR:
            return None
        return self._limit - tx.allocated()


def put_cost(request: Op | None) -> int:
    """Return what etcd's quota counts for a request: the dearer branch of a Txn."""
    match request:
        case Put():
            return 256 + len(request.key) + len(request.value)
        case Txn():
            return max(
                sum(put_cost(op) for op in request.success),
                sum(put_cost(op) for op in request.failure),
            )
        case _:
            return 0
