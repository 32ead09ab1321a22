"""What is done to a whole PostgreSQL store: giving space back, copying it, restoring one.

Autovacuum makes the room of deleted rows usable again, a minute or more after they went. The server
that pruned does it at once (`sweep`) when they are worth it, so that the tables need no room for
the rows of one compaction more. `shrink` is for an operator who wants room back for others: VACUUM
FULL, which writes a table anew and lets nobody at it meanwhile, as etcd's defragmentation lets
nobody at its file.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from datastore.backends.postgres_connection import found_pooled, one_transaction
from datastore.backends.postgres_migration import check_and_migrate
from datastore.backends.postgres_rights import refusal
from datastore.backends.postgres_statements import PostgresStatements
from datastore.backends.postgres_transaction import MORE_TIME
from datastore.backends.rows_file import (
    BATCH_ROWS,
    columns,
    opened_file,
    read_file,
    refuse_tables,
    tables,
    write_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Table

    from datastore.backends.postgres_database import Database
    from datastore.backends.postgres_transaction import PostgresTransaction
    from datastore.backends.rows_file import Rows

SWEPT_PART = 0.1  # of the rows of history that are dead before they are swept
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
_statements = PostgresStatements()


def sweep(connection: psycopg.Connection, database: Database, deleted: int) -> bool:
    """VACUUM what pruning deletes from, if that is a good part of it; say whether.

    Nobody waits for it: it skips a table that autovacuum, or another server, is at.
    """
    history = database.table("history")
    asked = "SELECT reltuples FROM pg_class WHERE oid = %s::regclass"
    row = connection.execute(asked, (history,)).fetchone()
    if row and deleted < row[0] * SWEPT_PART:
        return False
    vacuum(connection, database, ("history", "kv"))
    return True


def vacuum(connection: psycopg.Connection, database: Database, names: Sequence[str]) -> None:
    """VACUUM some tables; one that somebody else is at, or has locked, is skipped."""
    with _unhurried(connection, database):
        for name in names:
            connection.execute(f"VACUUM (SKIP_LOCKED, PARALLEL 0) {database.table(name)}".encode())


def shrink(connection: psycopg.Connection, database: Database) -> None:
    """Write every table anew, for as long as that takes."""
    with _unhurried(connection, database):
        for table in tables():
            connection.execute(f"VACUUM (FULL, ANALYZE) {database.table(table.name)}".encode())


@contextmanager
def _unhurried(connection: psycopg.Connection, database: Database) -> Iterator[None]:
    """Let statements take their time; afterwards, whatever came of them, as long as a session's.

    A connection behind a pooler is not ours to set up.
    """
    if database.pooled:
        yield
        return
    connection.execute("SET statement_timeout = 0")
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(database.session_settings(writer=False).encode())


def copy_to(tx: PostgresTransaction, path: Path) -> None:
    """Write every row that the transaction sees into a new SQLite file."""
    write_file(path, lambda table: _rows(tx, table))


def fill(database: Database, write: Callable[[Path], None]) -> None:
    """Make the store of the file that `write` writes; the database has to be empty.

    All rows come in one transaction. After a failure there is an empty store at most.
    """
    try:
        database = found_pooled(database)
        with one_transaction(database) as connection:
            refuse_tables(database.name, (row[0] for row in connection.execute(_TABLES)))
        with opened_file(write) as file:
            check_and_migrate(database)
            with one_transaction(database) as connection:
                connection.execute(MORE_TIME.encode())  # rows are read from the file in between
                for table in tables():
                    _insert(connection, table, read_file(file, table))
    except psycopg.Error as error:
        raise refusal(database, error) from error


def _insert(connection: psycopg.Connection, table: Table, batches: Iterator[Rows]) -> None:
    insert = _statements.inserts[table.name, False].encode()
    cursor = connection.cursor(binary=True)
    cursor.execute(f'DELETE FROM "{table.name}"'.encode())
    for rows in batches:
        cursor.execute(insert, [list(column) for column in zip(*rows, strict=True)])


def _rows(tx: PostgresTransaction, table: Table) -> Iterator[Rows]:
    tx.queue(MORE_TIME)  # rows are written to the file in between
    tx.queue(f'DECLARE copied NO SCROLL CURSOR FOR SELECT {columns(table)} FROM "{table.name}"')
    while rows := tx.run(f"FETCH {BATCH_ROWS} FROM copied"):
        yield rows
    tx.queue("CLOSE copied")
