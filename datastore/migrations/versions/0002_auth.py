"""Auth: users, roles, permissions and tokens, shared by all servers.

Names are bytes, because a user's name may be any text and must not be compared by a collation.
Whether auth is on, and its revision, stand in the one row of meta: every request reads that row
anyway, so a store without auth pays nothing for it.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import LONGBLOB

from datastore.migrations.steps import add_column, create_index, create_table

revision = "0002"
down_revision = "0001"

Name = sa.LargeBinary(1024).with_variant(sa.VARBINARY(1024), "mysql")
Key = sa.LargeBinary().with_variant(LONGBLOB(), "mysql")
Digest = sa.LargeBinary(32).with_variant(sa.VARBINARY(32), "mysql")


def upgrade() -> None:
    """Create the tables, and the columns of meta."""
    for name, kind, value in (
        ("auth_enabled", sa.SmallInteger, "0"),
        ("auth_revision", sa.BigInteger, "1"),
    ):
        add_column("meta", sa.Column(name, kind, nullable=False, server_default=value))
    create_table(
        "auth_user",
        sa.Column("name", Name, primary_key=True),
        sa.Column("password", sa.LargeBinary, nullable=False),
        sa.Column("no_password", sa.SmallInteger, nullable=False),
    )
    create_table("auth_role", sa.Column("name", Name, primary_key=True))
    create_table(
        "auth_grant",
        sa.Column("user_name", Name, primary_key=True),
        sa.Column("role_name", Name, primary_key=True),
    )
    create_table(
        "auth_permission",
        sa.Column("role_name", Name, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("access", sa.Integer, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("range_end", Key, nullable=False),
    )
    create_table(
        "token",
        sa.Column("digest", Digest, primary_key=True),
        sa.Column("user_name", Name, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )
    create_index("token_expires", "token", ["expires"])
