"""Who the servers of a store are: the rows of `member`, and the heartbeats in them.

A server that shares its database writes a heartbeat every `HEARTBEAT_SECONDS`; one whose last is
older than `ALIVE_MS` is gone, and MemberList does not show it. Its row stays, so that it is the
same member when it comes back. The server that leads removes rows that nobody has used for
`KEPT_MS`: whoever starts servers under ever new names would have more of them every day.

`update` and `forget` are what a batch does: rows of the table in `mvcc/execution.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.errors.members import MemberNotFound
from datastore.mvcc.leadership import LOCK, owner_of
from datastore.mvcc.requests import Revision

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datastore.mvcc.batch import BatchState
    from datastore.mvcc.model import Member
    from datastore.mvcc.requests import ForgetMembers, UpdateMember

HEARTBEAT_SECONDS = 5.0
ALIVE_MS = 15_000
KEPT_MS = 24 * 60 * 60 * 1_000
FORGET_SECONDS = 600.0  # between two looks for rows to remove


def alive(members: Iterable[Member], now: int) -> list[Member]:
    """Return the members that have given a sign of life lately."""
    return [member for member in members if now - member.heartbeat < ALIVE_MS]


def outdated(members: Iterable[Member], now: int) -> list[int]:
    """Return the ids of members that have given none for very long."""
    return [member.id for member in members if now - member.heartbeat > KEPT_MS]


def update(batch: BatchState, request: UpdateMember) -> Revision:
    """Store the peer URLs of a member."""
    if request.id not in {member.id for member in batch.tx.members()}:
        raise MemberNotFound
    batch.changes.peer_urls[request.id] = request.peer_urls
    return Revision(batch.revision)


def forget(batch: BatchState, _: ForgetMembers) -> list[int]:
    """Remove outdated rows, if this server leads; return their ids."""
    here = batch.server.member_id
    if owner_of(batch.tx.lock(LOCK), batch.now) != here:
        return []
    members = [member for member in batch.tx.members() if member.id != here]
    batch.changes.drop_members = outdated(members, batch.now)
    return batch.changes.drop_members
