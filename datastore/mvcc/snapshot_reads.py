"""What the store reads beside keys, in one snapshot each: its state, leases, alarms and members.

Each function runs in a lane's thread. While auth is on, those that take a caller or a query of one
raise what refuses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from datastore.mvcc.leadership import LOCK, owner_of
from datastore.mvcc.model import LeasesQuery

if TYPE_CHECKING:
    from datastore.mvcc.auth.guard import Guard
    from datastore.mvcc.auth.model import Credentials
    from datastore.mvcc.backend import Session
    from datastore.mvcc.model import Alarm, Lease, LeaseQuery, Member, State


class Standing(NamedTuple):
    """The state, the alarms that are up, and the member that holds the lock, 0 for none."""

    state: State
    alarms: list[Alarm]
    holder: int


def state(session: Session) -> State:
    """Return the store's state."""
    with session.snapshot() as snapshot:
        return snapshot.state()


def all_leases(session: Session) -> dict[int, Lease]:
    """Return every lease by its id."""
    with session.snapshot() as snapshot:
        return snapshot.leases(None)


def lease(
    session: Session, guard: Guard, query: LeaseQuery
) -> tuple[State, Lease | None, list[bytes]]:
    """Return a lease, None if there is none, and if asked its keys; auth may refuse it."""
    with session.snapshot() as snapshot:
        found = snapshot.state()
        if found.auth:
            guard.check(snapshot, found, query)
        held = [head.key for head in snapshot.lease_keys(query.id)] if query.keys else []
        return found, snapshot.leases([query.id]).get(query.id), held


def leases(session: Session, guard: Guard, caller: Credentials) -> tuple[State, list[Lease]]:
    """Return every lease; auth may refuse it."""
    with session.snapshot() as snapshot:
        found = snapshot.state()
        if found.auth:
            guard.check(snapshot, found, LeasesQuery(caller))
        return found, list(snapshot.leases(None).values())


def alarms(session: Session) -> tuple[State, list[Alarm]]:
    """Return the active alarms."""
    with session.snapshot() as snapshot:
        return snapshot.state(), snapshot.alarms()


def standing(session: Session) -> Standing:
    """Return how the store stands."""
    with session.snapshot() as snapshot:
        found = snapshot.state()
        return Standing(found, snapshot.alarms(), owner_of(snapshot.lock(LOCK), found.now))


def members(session: Session) -> tuple[State, list[Member]]:
    """Return every server known, the longest known first."""
    with session.snapshot() as snapshot:
        return snapshot.state(), snapshot.members()
