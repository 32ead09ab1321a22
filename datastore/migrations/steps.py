"""Changes of the schema that may be begun anew: each leaves alone what it finds done.

Used by the files in `versions`. MySQL commits every one of them by itself, so a server that is
killed in the middle of a migration leaves half of it behind, which the next one completes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic import op
from sqlalchemy import MetaData, Table, inspect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy import Column
    from sqlalchemy.schema import SchemaItem

MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_row_format": "DYNAMIC",  # indexes keys of 3,072 bytes
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}


def create_table(name: str, *items: SchemaItem, **options: Any) -> Table:
    """Create a table."""
    if _may_be_done() and inspect(op.get_bind()).has_table(name):
        return Table(name, MetaData(), *items)
    return op.create_table(name, *items, **options, **MYSQL)


def create_index(name: str, table: str, columns: list[str], **options: Any) -> None:
    """Create an index."""
    if not (_may_be_done() and name in _names(inspect(op.get_bind()).get_indexes(table))):
        op.create_index(name, table, columns, **options)


def add_column(table: str, column: Column[Any]) -> None:
    """Add a column."""
    if not (_may_be_done() and column.name in _names(inspect(op.get_bind()).get_columns(table))):
        op.add_column(table, column)


def put_views(statements: Callable[[str], Iterable[str]]) -> None:
    """Run the statements that `statements` has for a database by its name: sqlite, mariadb..."""
    bind = op.get_bind()
    database = "mariadb" if getattr(bind.dialect, "is_mariadb", False) else bind.dialect.name
    escaped = "%" if database == "sqlite" else "%%"  # for drivers that take parameters by %s
    for statement in statements(database):
        bind.exec_driver_sql(statement.replace("%", escaped))


def _may_be_done() -> bool:
    """Say whether half of a migration may be there: elsewhere it is one transaction."""
    return op.get_bind().dialect.name == "mysql"


def _names(found: Iterable[Mapping[str, Any]]) -> set[Any]:
    return {each["name"] for each in found}
