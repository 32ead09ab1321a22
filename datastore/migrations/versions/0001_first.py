"""The first schema: history, kv and what is shared by servers, and the views for people."""

import secrets

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import LONGBLOB

from datastore.migrations.steps import create_index, create_table
from datastore.migrations.views_0001 import VIEWS

revision = "0001"
down_revision = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Key = sa.LargeBinary().with_variant(sa.VARBINARY(3_072), "mysql")
Value = sa.LargeBinary().with_variant(LONGBLOB(), "mysql")


def upgrade() -> None:
    """Create the tables, the one row of meta, and the views."""
    _create_keys()
    _create_shared()
    meta = create_table(
        "meta",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("cluster_id", sa.BigInteger, nullable=False),
        sa.Column("floor", sa.BigInteger, nullable=False),
        sa.Column("compact_revision", sa.BigInteger, nullable=False),
        sa.Column("pruned_revision", sa.BigInteger, nullable=False),
    )
    first = {"id": 1, "floor": 1, "compact_revision": -1, "pruned_revision": -1}
    if op.get_bind().scalar(sa.select(meta.c.id)) is None:
        op.bulk_insert(meta, [{**first, "cluster_id": secrets.randbits(62) + 1}])
    escaped = "%" if op.get_bind().dialect.name == "sqlite" else "%%"
    for statement in VIEWS.get(op.get_bind().dialect.name, ()):
        op.get_bind().exec_driver_sql(statement.replace("%", escaped))


def _create_keys() -> None:
    create_table(
        "history",
        sa.Column("id", Id, primary_key=True, autoincrement=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("value", Value, nullable=False),
        sa.Column("create_revision", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("lease", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.SmallInteger, nullable=False),
        sa.Column("prev_id", sa.BigInteger, nullable=False),
    )
    create_table(
        "kv",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("key", Key, primary_key=True),
        sa.Column("create_revision", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("lease", sa.BigInteger, nullable=False),
        sa.Column("deleted", sa.SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    leased = sa.text("lease <> 0")
    create_index("kv_lease", "kv", ["lease"], sqlite_where=leased, postgresql_where=leased)


def _create_shared() -> None:
    create_table(
        "lease",
        sa.Column("id", Id, primary_key=True, autoincrement=False),
        sa.Column("ttl", sa.BigInteger, nullable=False),
        sa.Column("deadline", sa.BigInteger, nullable=False),
    )
    create_index("lease_deadline", "lease", ["deadline"])
    create_table(
        "member",
        sa.Column("id", Id, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("client_urls", sa.Text, nullable=False),
        sa.Column("heartbeat", sa.BigInteger, nullable=False),
        sa.Column("batch", sa.BigInteger, nullable=False),
    )
    create_table(
        "lock",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("owner", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    create_table(
        "alarm",
        sa.Column("member_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("alarm", sa.Integer, primary_key=True, autoincrement=False),
    )
