"""The time of revisions is kept, and the views `objects` and `changes` show it."""

import sqlalchemy as sa

from datastore.migrations.steps import create_index, create_table, put_views
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
    put_views(with_times)
