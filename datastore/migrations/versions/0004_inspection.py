"""The views for people tell more, take UTF-8 for text, and stand any value; `changes` is new."""

from alembic import op

from datastore.migrations.views_0004 import statements

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Replace the views; no table changes, so servers of the version before may go on."""
    bind = op.get_bind()
    database = "mariadb" if getattr(bind.dialect, "is_mariadb", False) else bind.dialect.name
    escaped = "%" if database == "sqlite" else "%%"
    for statement in statements(database):
        bind.exec_driver_sql(statement.replace("%", escaped))
