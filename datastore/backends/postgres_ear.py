"""The connection on which a server learns of other servers' commits, however it learns of them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg

from datastore.backends.lifeline import cut
from datastore.backends.postgres_connection import connect

if TYPE_CHECKING:
    from datastore.backends.lifeline import Lifeline
    from datastore.backends.postgres_database import Database
    from datastore.backends.standing import Standing


class Ear:
    """One connection, made again when it was dropped. One thread uses it; any may `cut`."""

    def __init__(self, database: Database, lifeline: Lifeline, standing: Standing) -> None:
        self._database = database
        self._lifeline = lifeline
        self._standing = standing
        self._connection: psycopg.Connection | None = None

    def open(self) -> psycopg.Connection:
        """Connect."""
        self._connection = connect(self._database)
        return self._connection

    def cut(self) -> None:
        """From another thread: end the wait for an answer that does not come."""
        connection = self._connection  # which its own thread may drop meanwhile
        if connection is not None:
            cut(connection)

    def drop(self) -> None:
        """Give up the connection, to be made again."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None
