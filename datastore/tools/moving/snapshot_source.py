"""An etcd snapshot (or its `member/snap/db`) as the source of an import; users come along.

The file has every event since the last compaction in order of revision. Which is the newest of each
key is gathered in a temporary database, sorted by key, with only where the value lies in the file.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Self

from google.protobuf.message import DecodeError

from datastore.mvcc.auth.model import AuthState, AuthTables, Permission, Role, User
from datastore.private_directory import PrivateDirectory
from datastore.tools.moving.bolt import BadBolt, Bolt
from datastore.tools.moving.record import CannotMove, Record, batched
from proto.etcd import auth_pb2, kv_pb2, rpc_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK, DIGEST = 512, 32  # a snapshot is whole blocks, and the SHA-256 of them
AT_ONCE = 1 << 20
KEY, META, LEASE, AUTH = b"key", b"meta", b"lease", b"auth"
USERS, ROLES = b"authUsers", b"authRoles"
COMPACTIONS = (b"scheduledCompactRev", b"finishedCompactRev")
REVISION = struct.Struct(">qcq")  # of an event: main, "_", sub; a tombstone has a "t" after it
EMPTY = REVISION.pack(1, b"_", 0)
NUMBER = struct.Struct(">q")
SCHEMA = "CREATE TABLE newest (key BLOB PRIMARY KEY, at INTEGER, size INTEGER) WITHOUT ROWID"
PUT = "INSERT OR REPLACE INTO newest VALUES (?, ?, ?)"
DROP = "DELETE FROM newest WHERE key = ?"


class SnapshotSource:
    """See the module, and `Source`."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.identity = ""
        self.auth_on = False
        self._path = path
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Check the file and gather its keys."""
        try:
            with ExitStack() as opened:
                digest = digest_of(self._path)
                self._bolt = opened.enter_context(closing(Bolt(self._path)))
                directory = opened.enter_context(PrivateDirectory())
                index = sqlite3.connect(directory.path / "keys.db", isolation_level=None)
                self._index = opened.enter_context(closing(index))
                self._revision = self._gather()
                self._users = self._read_users()
                self._open = opened.pop_all()
        except (BadBolt, DecodeError, struct.error) as error:
            raise CannotMove(f"{self.name} is damaged: {error}: use another copy") from error
        except OSError as error:
            raise CannotMove(f"{error.filename or self.name}: {error.strerror}") from error
        self.identity = f"snapshot {digest} {self._revision}"
        self.auth_on = self._users.state.enabled
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def newest(self) -> int:
        """Return the snapshot's revision."""
        return self._revision

    def pin(self, revision: int) -> int:
        """Read at the only revision that there is."""
        assert revision == self._revision, "another revision is another identity"
        return int(self._index.execute("SELECT count(*) FROM newest").fetchone()[0])

    def records(self, after: bytes) -> Iterator[list[Record]]:
        """Yield the live keys."""
        places = self._index.execute(
            "SELECT at, size FROM newest WHERE key > ? ORDER BY key", (after,)
        )
        return batched(self._record(at, size) for at, size in places)

    def leases(self) -> dict[int, int]:
        """Return the leases."""
        found = {}
        for item in self._bolt.items(LEASE):
            # etcd's own message has the id as field 1 and the TTL as field 2: this one, swapped.
            lease = rpc_pb2.LeaseGrantRequest.FromString(self._bolt.value(item.at, item.size))
            found[lease.TTL] = lease.ID
        return found

    def users(self) -> AuthTables | None:
        """Return users, with the hashes of their passwords, and roles."""
        return self._users

    def _record(self, at: int, size: int) -> Record:
        kv = kv_pb2.KeyValue.FromString(self._bolt.value(at, size))
        return Record(kv.key, kv.value, kv.create_revision, kv.mod_revision, kv.version, kv.lease)

    def _gather(self) -> int:
        """Fill the index, and return the revision."""
        index, bolt, last = self._index, self._bolt, EMPTY
        index.execute("PRAGMA synchronous=OFF")
        index.execute("PRAGMA journal_mode=OFF")
        index.execute(SCHEMA)
        index.execute("BEGIN")
        for item in bolt.items(KEY):
            last = item.key
            key = kv_pb2.KeyValue.FromString(bolt.value(item.at, item.size)).key
            if item.key[REVISION.size :] == b"t":
                index.execute(DROP, (key,))
            else:
                index.execute(PUT, (key, item.at, item.size))
        index.execute("COMMIT")
        compacted = [found for name in COMPACTIONS if (found := bolt.get(META, name))]
        return max(int(REVISION.unpack_from(found)[0]) for found in (last, *compacted))

    def _read_users(self) -> AuthTables:
        bolt = self._bolt
        users = [
            auth_pb2.User.FromString(bolt.value(item.at, item.size)) for item in bolt.items(USERS)
        ]
        roles = [
            auth_pb2.Role.FromString(bolt.value(item.at, item.size)) for item in bolt.items(ROLES)
        ]
        number = bolt.get(AUTH, b"authRevision")
        state = AuthState(
            bolt.get(AUTH, b"authEnabled") == b"\x01", NUMBER.unpack(number)[0] if number else 1
        )
        return AuthTables(
            state,
            {user.name: user for user in map(_user, users)},
            {role.name: role for role in map(_role, roles)},
        )


def digest_of(path: Path) -> str:
    """Return a snapshot's checksum; CannotMove when it is wrong.

    A copy of an etcd's file has none: only what is read of it is seen to be sound.
    """
    digest, size = hashlib.sha256(), path.stat().st_size
    left = size - DIGEST if size % BLOCK == DIGEST else size
    with path.open("rb") as file:
        while left and (data := file.read(min(AT_ONCE, left))):
            digest.update(data)
            left -= len(data)
        checksum = file.read()
    if checksum and checksum != digest.digest():
        raise CannotMove(f"{path} is damaged: its checksum is wrong: use another copy")
    return digest.hexdigest()


def _user(user: auth_pb2.User) -> User:
    no_password = user.HasField("options") and user.options.no_password
    return User(user.name.decode(), user.password, no_password, tuple(user.roles))


def _role(role: auth_pb2.Role) -> Role:
    permissions = [Permission(one.permType, one.key, one.range_end) for one in role.keyPermission]
    return Role(role.name.decode(), tuple(permissions))
