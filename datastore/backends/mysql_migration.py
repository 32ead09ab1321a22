"""Bringing a MySQL database to the schema of this program, under a lock that all servers take.

Each change of the schema is committed by itself there, so a first migration that was cut short
leaves tables without a version: it is gone on with (`datastore/migrations/steps.py`).
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from datastore.backends.migration import VERSION_TABLE, judge, migrate
from datastore.backends.mysql_galera import first_node
from datastore.backends.mysql_nodes import connect
from datastore.backends.schema import metadata
from datastore.errors import StartError

if TYPE_CHECKING:
    from datastore.backends.mysql_connection import MysqlConnection
    from datastore.backends.mysql_target import Target

WAIT_SECONDS = 600  # for a migration that another server is at
TABLES = (
    "SELECT table_name FROM information_schema.tables "
    "WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
)
_PATIENT = "SET SESSION lock_wait_timeout = 60"


def check_and_migrate_mysql(target: Target) -> None:
    """Check and migrate a database; servers that start together do it in turn."""
    with closing(_connection(target)) as raw:
        lock = raw.escape(target.lock("schema"))
        if raw.exchange([f"SELECT GET_LOCK({lock}, {WAIT_SECONDS})"])[0][0][0] != 1:
            raise StartError(
                f"datastore {target.name}: another server has been migrating it for "
                f"{WAIT_SECONDS} s: wait until it is ready"
            )
        if _needs_migration(raw, target.name):
            raw.exchange([_PATIENT])
            _migrate(raw)


def _connection(target: Target) -> MysqlConnection:
    """Connect to where everybody looks for the lock: of a cluster, to its first node."""
    connection = connect(target)
    if not connection.galera:
        return connection
    connection.leave()
    return first_node(target)


def _needs_migration(raw: MysqlConnection, name: str) -> bool:
    found = {row[0] for row in raw.exchange([TABLES])[0]}
    version = None
    if VERSION_TABLE in found:
        rows = raw.exchange([f"SELECT version_num FROM {VERSION_TABLE}"])[0]
        version = rows[0][0] if rows else None
    begun = VERSION_TABLE in found and version is None
    if begun and not found - metadata.tables.keys() - {VERSION_TABLE}:
        return True
    return judge(name, sorted(found), version)


def _migrate(raw: MysqlConnection) -> None:
    from sqlalchemy import create_engine

    engine = create_engine("mysql+pymysql://", creator=lambda: raw)
    with engine.connect() as connection:
        migrate(connection)
        connection.commit()
