"""What a MySQL or MariaDB server has to be for a store, and what of it is worth a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.backends.mysql_galera import refuse_unsafe
from datastore.errors import StartError

if TYPE_CHECKING:
    from datastore.backends.mysql_connection import MysqlConnection

OLDEST = {True: (10, 6), False: (8, 0)}  # of MariaDB, of MySQL
_ENVELOPE = 1 << 20  # bytes of a statement beside a value's
DURABLE = {
    "innodb_flush_log_at_trx_commit": ("1",),
    "innodb_doublewrite": ("ON", "1", "DETECT_AND_RECOVER"),
}
_BINARY_LOG = ("log_bin", "sync_binlog")


def refuse_unfit(connection: MysqlConnection, name: str, largest_request: int) -> None:
    """Raise StartError for a server that is too old, unsafe, or takes too little at once."""
    oldest = OLDEST[connection.mariadb]
    if connection.version < oldest:
        kind = "MariaDB" if connection.mariadb else "MySQL"
        raise StartError(
            f"datastore {name} is {kind} {'.'.join(map(str, connection.version))}: "
            f"use {kind} {oldest[0]}.{oldest[1]} or newer"
        )
    if connection.galera:
        refuse_unsafe(connection, name)
    needed = 2 * largest_request + _ENVELOPE  # bytes are written in hexadecimal
    if connection.longest_packet < needed:
        raise StartError(
            f"datastore {name} takes {connection.longest_packet} bytes at once "
            f"(max_allowed_packet), requests of {largest_request} bytes need {needed}: set "
            "max_allowed_packet higher, or --max-request-bytes lower"
        )


def durability_warnings(connection: MysqlConnection) -> tuple[str, ...]:
    """Say which settings let the database forget a commit that it has acknowledged."""
    wanted = ", ".join(f"'{name}'" for name in (*DURABLE, *_BINARY_LOG))
    rows = connection.exchange([f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({wanted})"])[0]
    settings = dict(rows)
    weak = [name for name, durable in DURABLE.items() if settings.get(name) not in (*durable, None)]
    if settings.get("log_bin") == "ON" and settings.get("sync_binlog") != "1":
        weak.append("sync_binlog")
    return tuple(
        f"{name} is {settings[name]}: a crash of the database can lose acknowledged writes"
        for name in weak
    )
