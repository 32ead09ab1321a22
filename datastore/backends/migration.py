"""Bringing a database to the schema of this program, or refusing it unchanged.

Four cases: empty, made and migrated by alembic; of this version, left alone (alembic is not even
loaded, so a start costs one query); older, migrated; newer or not ours, refused in one line with
nothing written.
"""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from datastore.errors import StartError

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION_TABLE = "tapir_schema"
MIGRATIONS = Path(__file__).parent.parent / "migrations"


def known_versions() -> list[str]:
    """Return the schema versions of this program, oldest first."""
    return sorted(path.stem.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def judge(name: str, tables: list[str], version: str | None) -> bool:
    """Return whether the database needs migrating; raise StartError if it cannot be used."""
    if version is None:
        if not tables:
            return True
        raise StartError(
            f"datastore {name} holds tables that are not Tapir's ({', '.join(tables[:3])}): "
            "give an empty database"
        )
    known = known_versions()
    if version not in known:
        raise StartError(
            f"datastore {name} has schema {version}, this program knows up to {known[-1]}: "
            "use the newer program that wrote it"
        )
    return version != known[-1]


def migrate(connection: Connection) -> None:
    """Run the missing migrations on a connection whose transaction the caller commits.

    Raises the driver's own error, which the backends know, when the database refuses.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import DBAPIError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    try:
        command.upgrade(config, "head")
    except DBAPIError as error:
        raise (error.orig or error) from error


def check_and_migrate(url: str, name: str, fresh: bool) -> None:
    """Check and migrate a SQLite file."""
    if not fresh and not _needs_migration(name):
        return
    from sqlalchemy import create_engine

    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(name, isolation_level=None))
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        migrate(connection)
        connection.commit()
    engine.dispose()


def _needs_migration(path: str) -> bool:
    """Look at an existing file without changing it."""
    connection = sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        tables = [row[0] for row in rows]
        version = None
        if VERSION_TABLE in tables:
            found = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
            version = found[0] if found else None
        return judge(path, tables, version)
    except sqlite3.DatabaseError as error:
        raise StartError(f"datastore {path} is not a SQLite database: {error}") from error
    finally:
        connection.close()
