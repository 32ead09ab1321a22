"""MySQL 8 and MariaDB: any number of servers on one database.

Servers learn of each other's commits by looking (`mysql_looker`), on a connection of its own; a
look only says that there is something to read, so a late one costs latency, never an event. What a
write transaction reads after it has locked the row of `meta` is all that came before.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from datastore.backends import mysql_upkeep
from datastore.backends.mysql_connection import Trouble, said
from datastore.backends.mysql_database import durability_warnings, refuse_unfit
from datastore.backends.mysql_looker import Looker
from datastore.backends.mysql_migration import check_and_migrate_mysql
from datastore.backends.mysql_nodes import connect
from datastore.backends.mysql_rights import refusal
from datastore.backends.mysql_session import MysqlSession
from datastore.backends.mysql_statements import LONGEST_KEY
from datastore.backends.mysql_target import target_of
from datastore.backends.shared_backend import SharedBackend

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import URL

    from datastore.backends.identity import Identity
    from datastore.errors import StartError


class MysqlBackend(SharedBackend):
    """See the module, and `SharedBackend`."""

    longest_key = LONGEST_KEY
    trouble = Trouble

    def __init__(self, url: URL, identity: Identity) -> None:
        self._target = target_of(url)
        super().__init__(self._target.name, identity)
        self._ear = Looker(self._target, self._lifeline, self._standing)

    def fill(self, write: Callable[[Path], None]) -> None:
        """Fill the database with the rows of the file that `write` writes."""
        mysql_upkeep.fill(self._target, write)

    def session(self, *, writer: bool = False) -> MysqlSession:
        """Return a new session; it connects when first used."""
        return MysqlSession(self._target, self._lifeline, self._standing, writer=writer)

    def _prepare(self) -> None:
        with closing(connect(self._target)) as connection:
            refuse_unfit(connection, self._target.name, self._identity.max_request_bytes)
            self.warnings = durability_warnings(connection)
            self._like = f"tls={'on' if connection.encrypted else 'off'}"
        check_and_migrate_mysql(self._target)
        self._ear.open()

    def _said(self, error: Exception) -> str:
        return said(error)

    def _refusal(self, error: Exception) -> StartError:
        return refusal(self._target, error)
