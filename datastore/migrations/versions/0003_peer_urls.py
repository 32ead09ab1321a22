"""A member's peer URLs: nobody uses them, but MemberUpdate stores what MemberList tells."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column: a JSON list, empty for none."""
    op.add_column("member", sa.Column("peer_urls", sa.Text, nullable=False, server_default="[]"))
