"""The tables, one definition for every database. Keys and values are bytes everywhere.

`history` is the append-only log: one row an event, its id `revision << 20 | sub`; prev_id links to
the key's event before it. `kv` has the newest event of each key, tombstones included until
compaction passes them. `meta` has one row, which every write transaction locks: that is what
orders revisions. It is not updated by puts; the current revision is that of the newest event.
`moment` says in which second (of Unix time) a revision was made, at most one in each.

Columns stand in the order of the tuples in `datastore.mvcc.model`, so rows need no mapping.
The schema itself is made by `datastore/migrations`; a test compares the two.
"""

from sqlalchemy import (
    VARBINARY,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.mysql import LONGBLOB

metadata = MetaData()
BigKey = BigInteger().with_variant(Integer(), "sqlite")  # SQLite's rowid must be spelt INTEGER
# What MySQL indexes has a length, and its plain BLOB ends at 64 KiB.
Key = LargeBinary().with_variant(VARBINARY(3_072), "mysql")
Value = LargeBinary().with_variant(LONGBLOB(), "mysql")
Name = LargeBinary(1024).with_variant(VARBINARY(1024), "mysql")  # UTF-8, compared as bytes
Digest = LargeBinary(32).with_variant(VARBINARY(32), "mysql")

meta = Table(
    "meta",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("cluster_id", BigInteger, nullable=False),
    Column("floor", BigInteger, nullable=False),
    Column("compact_revision", BigInteger, nullable=False),
    Column("pruned_revision", BigInteger, nullable=False),
    Column("auth_enabled", SmallInteger, nullable=False, server_default="0"),
    Column("auth_revision", BigInteger, nullable=False, server_default="1"),
)

history = Table(
    "history",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=False),
    Column("key", Key, nullable=False),
    Column("value", Value, nullable=False),
    Column("create_revision", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("lease", BigInteger, nullable=False),
    Column("deleted", SmallInteger, nullable=False),
    Column("prev_id", BigInteger, nullable=False),
)

kv = Table(
    "kv",
    metadata,
    Column("id", BigInteger, nullable=False),
    Column("key", Key, primary_key=True),
    Column("create_revision", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("lease", BigInteger, nullable=False),
    Column("deleted", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index(
    "kv_lease",
    kv.c.lease,
    sqlite_where=text("lease <> 0"),
    postgresql_where=text("lease <> 0"),
)

moment = Table(
    "moment",
    metadata,
    Column("time", BigKey, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
)
Index("moment_revision", moment.c.revision)

lease = Table(
    "lease",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=False),
    Column("ttl", BigInteger, nullable=False),
    Column("deadline", BigInteger, nullable=False),
)
Index("lease_deadline", lease.c.deadline)

member = Table(
    "member",
    metadata,
    Column("id", BigKey, primary_key=True, autoincrement=False),
    Column("name", String(255), nullable=False),
    Column("client_urls", Text, nullable=False),
    Column("heartbeat", BigInteger, nullable=False),
    Column("batch", BigInteger, nullable=False),
    Column("peer_urls", Text, nullable=False, server_default="[]"),
)

lock = Table(
    "lock",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("owner", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
)

alarm = Table(
    "alarm",
    metadata,
    Column("member_id", BigInteger, primary_key=True, autoincrement=False),
    Column("alarm", Integer, primary_key=True, autoincrement=False),
)

auth_user = Table(
    "auth_user",
    metadata,
    Column("name", Name, primary_key=True),
    Column("password", LargeBinary, nullable=False),
    Column("no_password", SmallInteger, nullable=False),
)

auth_role = Table("auth_role", metadata, Column("name", Name, primary_key=True))

auth_grant = Table(
    "auth_grant",
    metadata,
    Column("user_name", Name, primary_key=True),
    Column("role_name", Name, primary_key=True),
)

auth_permission = Table(
    "auth_permission",
    metadata,
    Column("role_name", Name, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("access", Integer, nullable=False),
    Column("key", Value, nullable=False),
    Column("range_end", Value, nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("digest", Digest, primary_key=True),
    Column("user_name", Name, nullable=False),
    Column("expires", BigInteger, nullable=False),
)
Index("token_expires", token.c.expires)
