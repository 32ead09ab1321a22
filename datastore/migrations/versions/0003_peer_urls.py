"""A member's peer URLs: nobody uses them, but MemberUpdate stores what MemberList tells."""

import sqlalchemy as sa
from alembic import op

from datastore.migrations.steps import add_column

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column: a JSON list, empty for none."""
    mysql = op.get_bind().dialect.name == "mysql"  # where a text's default is an expression
    default = sa.text("('[]')") if mysql else "[]"
    add_column("member", sa.Column("peer_urls", sa.Text, nullable=False, server_default=default))
