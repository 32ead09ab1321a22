"""All rows of a store to and from a SQLite file: how a snapshot leaves and enters other databases.

The file is a store of its own, of the same schema, so that a snapshot of any backend restores into
any backend. Rows go over in batches of bounded bytes.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from datastore.backends.migration import check_and_migrate
from datastore.backends.schema import metadata
from datastore.backends.sqlite_upkeep import prepare_new
from datastore.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy import Table

BATCH_ROWS = 200
SHOWN = 3  # names of tables that are in the way

Rows = list[tuple[Any, ...]]


def tables() -> Sequence[Table]:
    """Return the tables of a store, the order of which is always the same."""
    return metadata.sorted_tables


def columns(table: Table) -> str:
    """Return the columns of a table as SQL lists them."""
    return ", ".join(f'"{column.name}"' for column in table.c)


def write_file(path: Path, read: Callable[[Table], Iterable[Rows]]) -> None:
    """Make a file of the rows that `read` yields of each table."""
    prepare_new(path)
    check_and_migrate(f"sqlite:///{path}", str(path), fresh=True)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("BEGIN")
        for table in tables():
            connection.execute(f'DELETE FROM "{table.name}"')
            marks = ", ".join("?" * len(table.c))
            insert = f'INSERT INTO "{table.name}" ({columns(table)}) VALUES ({marks})'
            for rows in read(table):
                connection.executemany(insert, rows)
        connection.execute("COMMIT")
    finally:
        connection.close()


def read_file(connection: sqlite3.Connection, table: Table) -> Iterator[Rows]:
    """Yield the rows of a table of a file, in batches."""
    cursor = connection.execute(str(select(*table.c)))
    while rows := cursor.fetchmany(BATCH_ROWS):
        yield rows


@contextmanager
def opened_file(write: Callable[[Path], None]) -> Iterator[sqlite3.Connection]:
    """Let `write` write a file, and open it for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="tapir-restore-") as directory:
        path = Path(directory) / "store.db"
        write(path)
        with closing(sqlite3.connect(path)) as file:
            yield file


def refuse_tables(name: str, found: Iterable[str]) -> None:
    """Raise StartError for a database that is to be filled, and holds tables."""
    if there := sorted(found):
        shown = ", ".join(there[:SHOWN])
        raise StartError(f"datastore {name} holds tables already ({shown}): give an empty database")
