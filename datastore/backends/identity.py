"""Who this server is to its store: the cluster's id, and a member id that survives restarts."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from datastore.backends import schema

if TYPE_CHECKING:
    from datastore.backends.transaction import SqlTransaction

ALIVE_MS = 15_000  # a member without a heartbeat for this long is gone


class Identity(NamedTuple):
    """What the command line says about this server."""

    name: str
    client_urls: tuple[str, ...]


def register(tx: SqlTransaction, identity: Identity) -> tuple[int, int]:
    """Return (cluster id, member id), after writing this server's member row.

    A server takes the row of its name again, unless the one that has it is alive.
    """
    tx.begin()
    now = tx.state().now
    cluster_id = tx.execute(tx.statements.prepare(select(schema.meta.c.cluster_id)))[0][0]
    ids = [member.id for member in tx.members() if member.name == identity.name]
    member_id = ids[0] if ids else secrets.randbits(62) + 1
    row = (member_id, identity.name, ",".join(identity.client_urls), now, 0)
    tx.insert(schema.member, [row], replace=True)
    return cluster_id, member_id
