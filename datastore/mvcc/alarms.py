"""Alarms: who raises them, what they refuse, who takes them back.

NOSPACE refuses what may add data. A client raises it, or a request that does not fit the quota, or
the disk when it is about to be full. The first two stay until a client disarms them, as in etcd;
what the disk raised ends when its space is back: the lock row `DISK_FULL` remembers, across
restarts, that it was the disk. CORRUPT, raised by clients alone, refuses every write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from datastore.errors import CorruptCluster, NoSpace
from datastore.mvcc.model import Alarm, DeleteRange, Lock, Put, Txn
from datastore.mvcc.quota import LEASE_COST, put_cost

if TYPE_CHECKING:
    from datastore.mvcc.batch import BatchState
    from datastore.mvcc.requests import DisarmAlarm, DiskSpace, RaiseAlarm

NOSPACE, CORRUPT = 1, 2
DISK_FULL = "disk-full"


class Alarms(NamedTuple):
    """The alarms that a request changed."""

    revision: int
    alarms: list[Alarm]


def check_operation(batch: BatchState, request: Put | DeleteRange | Txn) -> None:
    """Refuse a request that does not fit the quota or that an alarm forbids."""
    if batch.room is not None:
        _check_room(batch, put_cost(request))
    if batch.alarms is not None and not batch.alarms:
        return
    kinds = {alarm.alarm for alarm in batch.active_alarms()}
    if CORRUPT in kinds:
        raise CorruptCluster
    if NOSPACE in kinds and puts_something(request):
        raise NoSpace


def check_grant(batch: BatchState) -> None:
    """Refuse a new lease that does not fit the quota or that an alarm forbids."""
    if batch.room is not None:
        _check_room(batch, LEASE_COST)
    kinds = {alarm.alarm for alarm in batch.active_alarms()}
    if kinds:
        raise CorruptCluster if CORRUPT in kinds else NoSpace


def check_intact(batch: BatchState) -> None:
    """Refuse what only CORRUPT forbids."""
    if CORRUPT in {alarm.alarm for alarm in batch.active_alarms()}:
        raise CorruptCluster


def puts_something(request: Put | DeleteRange | Txn) -> bool:
    """Say whether a request may add data, in whichever branch: NOSPACE refuses those."""
    if isinstance(request, Txn):
        branches = (*request.success, *request.failure)
        return any(puts_something(op) for op in branches if isinstance(op, Put | DeleteRange | Txn))
    return isinstance(request, Put)


def _check_room(batch: BatchState, cost: int) -> None:
    """Raise NOSPACE if so many bytes do not fit; a request that costs nothing always does."""
    if batch.room is not None and cost and cost >= batch.room:
        _activate(batch, Alarm(batch.server.member_id, NOSPACE))
        raise NoSpace


def _activate(batch: BatchState, alarm: Alarm) -> bool:
    """Make an alarm active; say whether it was not."""
    if alarm in batch.active_alarms():
        return False
    batch.active_alarms().add(alarm)
    batch.changes.put_alarms.add(alarm)
    batch.changes.drop_alarms.discard(alarm)
    return True


def _deactivate(batch: BatchState, alarm: Alarm) -> bool:
    """Make an alarm inactive; say whether it was active."""
    if alarm not in batch.active_alarms():
        return False
    batch.active_alarms().discard(alarm)
    batch.changes.drop_alarms.add(alarm)
    batch.changes.put_alarms.discard(alarm)
    return True


def raise_alarm(batch: BatchState, request: RaiseAlarm) -> Alarms:
    """Do what a client asks: raising an active alarm again is no error."""
    _activate(batch, request.alarm)
    return Alarms(batch.revision, [request.alarm])


def disarm(batch: BatchState, request: DisarmAlarm) -> Alarms:
    """Do what a client asks: the answer is empty when there was nothing to disarm."""
    done = _deactivate(batch, request.alarm)
    return Alarms(batch.revision, [request.alarm] if done else [])


def disk_space(batch: BatchState, request: DiskSpace) -> Alarms:
    """Raise NOSPACE for a disk about to be full, or end what the disk alone has raised."""
    member = batch.server.member_id
    if request.full:
        alarm = Alarm(member, NOSPACE)
        if not _activate(batch, alarm):
            return Alarms(batch.revision, [])
        _note(batch, Lock(DISK_FULL, member, batch.now))
        return Alarms(batch.revision, [alarm])
    noted = batch.tx.lock(DISK_FULL)
    if noted is None or not noted.until:
        return Alarms(batch.revision, [])
    alarm = Alarm(noted.owner, NOSPACE)
    _note(batch, noted._replace(until=0))
    return Alarms(batch.revision, [alarm] if _deactivate(batch, alarm) else [])


def _note(batch: BatchState, lock: Lock) -> None:
    batch.flush()
    batch.changes.put_lock = lock
    batch.flush()
