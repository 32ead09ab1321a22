"""Which server leads: the one that holds the lock row, and with it the work done once for all.

Every server writes, so the leader of etcd's answers and metrics is here whoever ends leases. A
server that has its database to itself always leads it. Of those that share one the lock row says
who does; nobody may, for up to `LOCK_MS` after the one that did was killed. `Leadership` is what a
server has last seen of it, `hold` and `move` are what a batch does to the row: rows of the table in
`mvcc/execution.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from datastore.errors.members import NotLeader
from datastore.mvcc.leases import extend
from datastore.mvcc.model import Lock
from datastore.mvcc.requests import ExtendLeases, Revision

if TYPE_CHECKING:
    from datastore.mvcc.batch import BatchState
    from datastore.mvcc.requests import HoldLock, MoveLock

LOCK = "lessor"
LOCK_MS = 6_000


class Leadership:
    """The member that leads as of the last look, 0 for none, and how often another one was seen."""

    def __init__(self, alone: int = 0) -> None:
        """Know the leader for good where a server is `alone`: its member id."""
        self.leader = alone
        self.changes = int(bool(alone))
        self._alone = alone

    def saw(self, leader: int) -> None:
        """Note who leads now; the same one after nobody is a change, as on etcd."""
        if self._alone:
            return
        if leader and leader != self.leader:
            self.changes += 1
        self.leader = leader


class Held(NamedTuple):
    """Who holds a lock row."""

    owner: int


def owner_of(lock: Lock | None, now: int) -> int:
    """Return the member that holds a lock row at a time of the database's clock, 0 for none."""
    return lock.owner if lock and lock.until > now else 0


def hold(batch: BatchState, request: HoldLock) -> Held:
    """Take a lock row that nobody holds, or keep one's own."""
    mine = batch.server.member_id
    owner = owner_of(batch.tx.lock(request.name), batch.now)
    if owner not in (0, mine):
        return Held(owner)
    batch.flush()
    batch.changes.put_lock = Lock(request.name, mine, batch.now + request.milliseconds)
    if request.extend or not owner:
        extend(batch, ExtendLeases(0))
    batch.flush()
    return Held(mine)


def move(batch: BatchState, request: MoveLock) -> Revision:
    """Give one's own lock row to another member; NotLeader for whoever does not hold it."""
    if owner_of(batch.tx.lock(request.name), batch.now) != batch.server.member_id:
        raise NotLeader
    batch.changes.put_lock = Lock(request.name, request.target, batch.now + request.milliseconds)
    batch.flush()
    return Revision(batch.revision)
