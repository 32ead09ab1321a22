"""What `--from` names, as a source: an etcd's URL, a database's URL, or a file of any kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from datastore.backends import BACKENDS, without_password
from datastore.backends.migration import VERSION_TABLE
from datastore.tools.moving.bolt import MAGIC as BOLT
from datastore.tools.moving.bolt import PAGE
from datastore.tools.moving.etcd_source import EtcdSource
from datastore.tools.moving.kine_source import TABLE, KineSource
from datastore.tools.moving.record import CannotMove
from datastore.tools.moving.snapshot_source import SnapshotSource
from datastore.tools.moving.store_source import StoreSource
from datastore.tools.read_only import engine_of, snapshot
from datastore.tools.snapshot_file import MAGIC
from datastore.tools.unreadable import SQLITE_UNREADABLE, in_one_line

if TYPE_CHECKING:
    from datastore.tools.endpoint import Server
    from datastore.tools.moving.record import Source

SCHEMES = (*BACKENDS, "postgres", "mysql")
MAGIC_BYTES = 4  # of the first page of a bbolt file, behind its header


def source_of(server: Server) -> Source:
    """Return the source, not open yet; ConfigError when it cannot be one."""
    named = server.endpoint
    if named.partition("://")[0] in SCHEMES:
        return database_source(named)
    path = Path(named)
    if "://" not in named and path.exists():
        return _of_file(path)
    if "://" not in named and ("/" in named or ":" not in named):
        raise CannotMove(f"{named}: there is no such file, and it is no URL: name a source")
    return EtcdSource(server)


def _of_file(path: Path) -> Source:
    try:
        with path.open("rb") as file:
            beginning = file.read(PAGE.size + MAGIC_BYTES)
    except OSError as error:
        raise CannotMove(f"{path}: {error.strerror}") from error
    if beginning.startswith(MAGIC):
        return database_source(f"sqlite:///{path}")
    if int.from_bytes(beginning[PAGE.size :], "little") == BOLT:
        return SnapshotSource(path)
    raise CannotMove(f"{path} is no etcd snapshot and no SQLite database: name another source")


def database_source(endpoint: str) -> Source:
    """Return what a database is by its tables; ConfigError when it is none of them."""
    name = without_password(endpoint)
    engine = engine_of(endpoint)
    try:
        with engine.connect() as connection, snapshot(connection):
            tables = inspect(connection)
            kine, ours = tables.has_table(TABLE), tables.has_table(VERSION_TABLE)
    except (DBAPIError, *SQLITE_UNREADABLE) as error:
        raise CannotMove(f"{name}: {in_one_line(error)}: check the source") from error
    finally:
        engine.dispose()
    if kine and ours:
        raise CannotMove(f"{name} has the tables of both kine and Tapir: drop the one not meant")
    if not kine and not ours:
        raise CannotMove(f"{name} has no table of kine or Tapir: name another source")
    return KineSource(endpoint) if kine else StoreSource(endpoint)
