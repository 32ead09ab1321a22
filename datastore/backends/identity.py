"""Who this server is to its store: the cluster's id, and a member id that survives restarts."""

from __future__ import annotations

import secrets
from json import dumps
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from datastore.backends import schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.backends.transaction import SqlTransaction


class Identity(NamedTuple):
    """What the command line says about this server."""

    name: str
    client_urls: tuple[str, ...]
    peer_urls: tuple[str, ...] = ()  # until MemberUpdate says others
    max_request_bytes: int = 3 << 19  # which some databases have to be set up for


def register(
    tx: SqlTransaction,
    identity: Identity,
    claim: Callable[[int], bool] = lambda _: True,
    batch: int = 0,
) -> tuple[int, int]:
    """Return (cluster id, member id), after writing this server's member row.

    A server takes the row of its name again, unless `claim` says that another one has it. `batch`
    is what the row says before the first one.
    """
    tx.begin()
    now = tx.state().now
    cluster_id = tx.execute(tx.statements.prepare(select(schema.meta.c.cluster_id)))[0][0]
    known = {member.id: member for member in tx.members() if member.name == identity.name}
    member_id = next(filter(claim, known), 0)
    peer_urls = (member_id and known[member_id].peer_urls) or identity.peer_urls
    while not member_id:
        candidate = secrets.randbits(62) + 1
        member_id = candidate if claim(candidate) else 0
    urls = ",".join(identity.client_urls)
    row = (member_id, identity.name, urls, now, batch, dumps(peer_urls))
    tx.insert(schema.member, [row], replace=True)
    return cluster_id, member_id
