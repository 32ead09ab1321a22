"""The views for people tell more, take UTF-8 for text, and stand any value; `changes` is new."""

from datastore.migrations.steps import put_views
from datastore.migrations.views_0004 import statements

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Replace the views; no table changes, so servers of the version before may go on."""
    put_views(statements)
