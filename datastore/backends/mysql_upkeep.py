"""What is done to a whole MySQL store: giving space back, copying it, restoring one.

Day to day InnoDB makes the room of deleted rows usable again, which is enough. `shrink` is for an
operator who wants it back for others: OPTIMIZE TABLE, which writes a table anew beside those who
read and write.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from datastore.backends.mysql_connection import MysqlConnection, Trouble
from datastore.backends.mysql_migration import TABLES, check_and_migrate_mysql
from datastore.backends.mysql_nodes import connect
from datastore.backends.mysql_rights import refusal
from datastore.backends.mysql_statements import MysqlStatements
from datastore.backends.rows_file import (
    BATCH_ROWS,
    opened_file,
    read_file,
    refuse_tables,
    tables,
    write_file,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Table

    from datastore.backends.mysql_target import Target
    from datastore.backends.mysql_transaction import MysqlTransaction
    from datastore.backends.rows_file import Rows

_statements = MysqlStatements()
_UNLIMITED = {
    True: "SET SESSION max_statement_time = 0, lock_wait_timeout = 60",
    False: "SET SESSION max_execution_time = 0, lock_wait_timeout = 60",
}


def shrink(connection: MysqlConnection) -> None:
    """Write every table anew."""
    connection.exchange([_UNLIMITED[connection.mariadb]])
    for table in tables():
        connection.exchange([f"OPTIMIZE TABLE `{table.name}`"])


def copy_to(tx: MysqlTransaction, path: Path) -> None:
    """Write every row that the transaction sees into a new SQLite file."""
    write_file(path, lambda table: _rows(tx, table))


def fill(target: Target, write: Callable[[Path], None]) -> None:
    """Make the store of the file that `write` writes; the database has to be empty.

    All rows come in one transaction. After a failure there is an empty store at most.
    """
    try:
        with closing(connect(target)) as connection:
            refuse_tables(target.name, (row[0] for row in connection.exchange([TABLES])[0]))
        with opened_file(write) as file:
            check_and_migrate_mysql(target)
            _fill(target, file)
    except Trouble as error:
        raise refusal(target, error) from error


def _fill(target: Target, file: sqlite3.Connection) -> None:
    with closing(connect(target)) as connection:
        connection.exchange([_UNLIMITED[connection.mariadb], "START TRANSACTION"])
        for table in tables():
            connection.exchange([f"DELETE FROM `{table.name}`"])
            for rows in read_file(file, table):
                insert = _statements.inserts[table.name, False]
                for statement in insert.statements(rows, connection.escape):
                    connection.exchange([statement])
        connection.exchange(["COMMIT"])


def _rows(tx: MysqlTransaction, table: Table) -> Iterator[Rows]:
    """Yield the rows in order of the primary key, each batch after the last row of the other."""
    columns = ", ".join(f"`{column.name}`" for column in table.c)
    keys = [column.name for column in table.primary_key]
    key = ", ".join(f"`{name}`" for name in keys)
    places = [list(table.c.keys()).index(name) for name in keys]
    ordered = f"ORDER BY {key} LIMIT {BATCH_ROWS}"
    rows = tx.run(f"SELECT {columns} FROM `{table.name}` {ordered}")
    marks = ", ".join(["%s"] * len(keys))
    following = f"SELECT {columns} FROM `{table.name}` WHERE ({key}) > ({marks}) {ordered}"
    while rows:
        yield rows
        rows = tx.run(following, [rows[-1][place] for place in places])
