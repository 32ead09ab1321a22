"""The time of revisions is kept, and the views `objects` and `changes` show it."""

import sqlalchemy as sa
from alembic import op

from datastore.migrations.steps import create_index, create_table
from datastore.migrations.views_0004 import with_times

revision = "0005"
down_revision = "0004"

Second = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table, and a column to two views; servers of the version before may go on."""
    create_table(
        "moment",
        sa.Column("time", Second, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    create_index("moment_revision", "moment", ["revision"])
    bind = op.get_bind()
    database = "mariadb" if getattr(bind.dialect, "is_mariadb", False) else bind.dialect.name
    escaped = "%" if database == "sqlite" else "%%"
    for statement in with_times(database):
        bind.exec_driver_sql(statement.replace("%", escaped))
