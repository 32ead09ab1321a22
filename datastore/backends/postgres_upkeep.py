"""What is done to a whole PostgreSQL store while it serves: giving space back, and copying it.

Day to day autovacuum makes the room of deleted rows usable again, which is enough. `shrink` is for
an operator who wants it back for others: VACUUM FULL, which writes a table anew and lets nobody at
it meanwhile, as etcd's defragmentation lets nobody at its file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.backends.rows_file import BATCH_ROWS, columns, tables, write_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg
    from sqlalchemy import Table

    from datastore.backends.postgres_session import PostgresTransaction
    from datastore.backends.rows_file import Rows


def shrink(connection: psycopg.Connection) -> None:
    """Write every table anew."""
    for table in tables():
        connection.execute(f'VACUUM (FULL, ANALYZE) "{table.name}"'.encode())


def copy_to(tx: PostgresTransaction, path: Path) -> None:
    """Write every row that the transaction sees into a new SQLite file."""
    write_file(path, lambda table: _rows(tx, table))


def _rows(tx: PostgresTransaction, table: Table) -> Iterator[Rows]:
    tx.queue(f'DECLARE copied NO SCROLL CURSOR FOR SELECT {columns(table)} FROM "{table.name}"')
    while rows := tx.run(f"FETCH {BATCH_ROWS} FROM copied"):
        yield rows
    tx.queue("CLOSE copied")
