"""Leases, alarms, locks, members and moments: small tables, and what keys say of leases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, not_, or_, select

from datastore.backends.schema import alarm, kv, lease, lock, member, moment
from datastore.mvcc.alarms import CORRUPT, NOSPACE
from datastore.mvcc.leases import MAX_TTL
from datastore.tools.checks.check import Check, at, each

if TYPE_CHECKING:
    from sqlalchemy import Row, Select

    from datastore.tools.checks.bounds import Bounds


def _leased(bounds: Bounds) -> Select[Any]:
    return (
        select(kv.c.key, kv.c.id, kv.c.lease)
        .select_from(kv.outerjoin(lease, lease.c.id == kv.c.lease))
        .where(kv.c.lease != 0, kv.c.id >= bounds.first)
        .where(or_(lease.c.id.is_(None), kv.c.deleted != 0))
    )


def _leased_key(row: Row[Any]) -> tuple[str, str]:
    return at(row.key, row.id), f"attached to lease {row.lease}, which is not there"


def _leases(_: Bounds) -> Select[Any]:
    possible = and_(lease.c.id != 0, lease.c.ttl >= 1, lease.c.ttl <= MAX_TTL, lease.c.deadline > 0)
    return select(*lease.c).where(not_(possible))


def _lease(row: Row[Any]) -> tuple[str, str]:
    return f"lease {row.id}", f"cannot be: ttl {row.ttl} s, deadline {row.deadline} ms"


def _alarms(_: Bounds) -> Select[Any]:
    return select(*alarm.c).where(alarm.c.alarm.not_in((NOSPACE, CORRUPT)))


def _alarm(row: Row[Any]) -> tuple[str, str]:
    return f"alarm of member {row.member_id}", f"number {row.alarm} is no alarm"


def _members(_: Bounds) -> Select[Any]:
    unnamed = func.length(member.c.name) == 0
    return select(*member.c).where(or_(member.c.id <= 0, unnamed, member.c.batch < 0))


def _member(row: Row[Any]) -> tuple[str, str]:
    return f"member {row.id}", f"cannot be: name {row.name!r}, batch {row.batch}"


def _locks(_: Bounds) -> Select[Any]:
    return select(lock.c.name, lock.c.owner, lock.c.until).where(lock.c.until < 0)


def _lock(row: Row[Any]) -> tuple[str, str]:
    return f"lock {row.name}", f"held until {row.until} ms by member {row.owner}"


def _moments(bounds: Bounds) -> Select[Any]:
    impossible = or_(moment.c.time <= 0, moment.c.revision < 1)
    return select(*moment.c).where(or_(impossible, moment.c.revision > bounds.revision))


def _moment(row: Row[Any]) -> tuple[str, str]:
    return f"moment {row.time}", f"is of revision {row.revision}, which the store has not reached"


SHARED = (
    Check(
        "leased",
        "each key that is attached to a lease is live, and the lease exists",
        "put the key again, without that lease",
        _leased,
        each(_leased_key),
    ),
    Check(
        "leases",
        "each lease has an id, a TTL from 1 to 9,000,000,000 s and a deadline",
        "revoke the lease",
        _leases,
        each(_lease),
    ),
    Check(
        "alarms",
        "each alarm is NOSPACE or CORRUPT",
        "delete the row from table alarm",
        _alarms,
        each(_alarm),
    ),
    Check(
        "members",
        "each member has an id, a name and a batch number",
        "stop all servers and delete the row from table member",
        _members,
        each(_member),
    ),
    Check(
        "locks",
        "no lock is held until before 1970",
        "delete the row from table lock",
        _locks,
        each(_lock),
    ),
    Check(
        "moments",
        "no time is kept of a revision that the store has not reached",
        "delete the row from table moment: it only tells people the time",
        _moments,
        each(_moment),
    ),
)
