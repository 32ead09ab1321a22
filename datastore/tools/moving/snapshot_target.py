"""A store of ours as an etcd snapshot, for `etcdutl snapshot restore`.

Unlike an export into a live etcd it keeps everything: revisions, versions, the history since the
last compaction, leases, users and roles. The file is compared with the store before it gets its
name.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from datastore.mvcc.model import MAX_EVENTS
from datastore.tools.moving.bolt_writer import BoltWriter
from datastore.tools.moving.snapshot_source import (
    AT_ONCE,
    AUTH,
    COMPACTIONS,
    KEY,
    LEASE,
    META,
    NUMBER,
    REVISION,
    ROLES,
    USERS,
)
from proto.etcd import auth_pb2, kv_pb2, rpc_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from datastore.mvcc.auth.model import AuthTables
    from datastore.mvcc.model import Row
    from datastore.tools.moving.progress import Progress
    from datastore.tools.moving.store_source import StoreSource

EMPTY = (b"alarm", b"cluster", b"members", b"members_removed")  # etcd expects them
Item = tuple[bytes, bytes]


def write_snapshot(source: StoreSource, file: BinaryIO, progress: Progress) -> None:
    """Write an open store into an empty file, and its checksum behind that."""
    writer = BoltWriter(file)
    buckets = {KEY: writer.bucket(_events(source, progress))}
    buckets[META] = writer.bucket(_meta(source.compacted()))
    buckets[LEASE] = writer.bucket(_leases(source.leases()))
    users = source.users()
    buckets[AUTH] = writer.bucket(_auth(users))
    buckets[USERS] = writer.bucket(sorted(_users(users)))
    buckets[ROLES] = writer.bucket(sorted(_roles(users)))
    buckets.update((name, writer.bucket([])) for name in EMPTY)
    writer.finish(buckets)
    _sign(file)


def _events(source: StoreSource, progress: Progress) -> Iterator[Item]:
    for row in source.events():
        yield _event(row)
        progress.advance(1)


def _event(row: Row) -> Item:
    name = REVISION.pack(row.revision, b"_", row.id % MAX_EVENTS)
    if row.deleted:
        return name + b"t", kv_pb2.KeyValue(key=row.key).SerializeToString()
    kv = kv_pb2.KeyValue(
        key=row.key,
        create_revision=row.create_revision,
        mod_revision=row.revision,
        version=row.version,
        value=row.value,
        lease=row.lease,
    )
    return name, kv.SerializeToString()


def _meta(compacted: int) -> list[Item]:
    if compacted <= 0:
        return []
    return sorted((name, REVISION.pack(compacted, b"_", 0)) for name in COMPACTIONS)


def _leases(leases: dict[int, int]) -> list[Item]:
    """Write etcd's message, whose fields are those of this one, swapped."""
    return sorted(
        (NUMBER.pack(lease), rpc_pb2.LeaseGrantRequest(TTL=lease, ID=ttl).SerializeToString())
        for lease, ttl in leases.items()
    )


def _auth(users: AuthTables) -> list[Item]:
    return [
        (b"authEnabled", bytes([users.state.enabled])),
        (b"authRevision", NUMBER.pack(users.state.revision)),
    ]


def _users(users: AuthTables) -> Iterator[Item]:
    for user in users.users.values():
        name = user.name.encode()
        message = auth_pb2.User(name=name, password=user.password, roles=user.roles)
        message.options.no_password = user.no_password
        yield name, message.SerializeToString()


def _roles(users: AuthTables) -> Iterator[Item]:
    for role in users.roles.values():
        message = auth_pb2.Role(name=role.name.encode())
        for one in role.permissions:
            message.keyPermission.add(permType=one.access, key=one.key, range_end=one.end)
        yield message.name, message.SerializeToString()


def _sign(file: BinaryIO) -> None:
    """Put the checksum of all that is there behind it."""
    digest = hashlib.sha256()
    file.seek(0)  # writes what is buffered, and reads from the beginning
    while data := file.read(AT_ONCE):
        digest.update(data)
    file.write(digest.digest())
