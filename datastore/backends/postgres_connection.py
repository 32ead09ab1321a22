"""A PostgreSQL connection as every part of the backend needs it, and what the driver's errors mean.

A session whose peer has frozen or gone is ended by the server in about 5 s (`postgres_database`),
so that it cannot keep the store's lock; only COMMIT may take as long as it takes. Plans are kept to
index walks in key order: a generic plan that sorts or hashes a whole table for the sake of one page
would be a cliff.
"""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors as pg

from datastore.backends.lifeline import shut
from datastore.mvcc.backend import BackendDown, BackendFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datastore.backends.postgres_database import Database

CONNECT_SECONDS = 5
_AGAIN = (
    pg.LockNotAvailable,
    pg.QueryCanceled,
    pg.SerializationFailure,
    pg.DeadlockDetected,
)
_NO_PRIMARY = (pg.ReadOnlySqlTransaction, pg.FeatureNotSupported)  # to begin a write on a standby
logging.getLogger("psycopg").setLevel(logging.ERROR)  # it warns of errors that we raise anyway


class PostgresConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that can be cut from another thread, and that may stay in pipeline mode."""

    _stay: tuple[psycopg.Pipeline, ExitStack] | None = None

    def cut(self) -> None:
        """From a thread that does not own the connection: whoever waits on it gets an error."""
        with suppress(OSError, psycopg.Error):  # of one that is closed already
            shut(self.fileno())

    @contextmanager
    def pipelined(self, *, stay: bool) -> Iterator[psycopg.Pipeline]:
        """Enter pipeline mode, for one transaction or to stay in it.

        To leave it costs an exchange. The writer's next transaction follows soon, so its connection
        stays, unless something goes wrong.
        """
        if not stay:
            with self.pipeline() as pipeline:
                yield pipeline
            return
        pipeline, stack = self._stay or self._enter_to_stay()
        try:
            yield pipeline
            if pipeline.result_queue:
                pipeline.sync()
        except BaseException:
            self._stay = None
            stack.__exit__(*sys.exc_info())
            raise

    def _enter_to_stay(self) -> tuple[psycopg.Pipeline, ExitStack]:
        stack = ExitStack()
        self._stay = stack.enter_context(self.pipeline()), stack
        return self._stay

    def leave_pipeline(self) -> None:
        """Leave pipeline mode; a connection that is broken says so at its next use."""
        if self._stay is not None:
            stack, self._stay = self._stay[1], None
            with suppress(psycopg.Error):
                stack.close()

    def leave(self) -> None:
        """Close it, in whatever state it is."""
        with suppress(psycopg.Error):
            self.close()


def connect(database: Database, *, writer: bool = False) -> PostgresConnection:
    """Open a connection, set up as `Database` says unless that is each transaction's matter."""
    connection = PostgresConnection.connect(
        database.conninfo,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        keepalives_idle=2,
        keepalives_interval=1,
        keepalives_count=3,
        tcp_user_timeout=5_000,
        application_name="tapir",
    )
    if database.pooled:
        connection.prepare_threshold = None  # what is prepared stays at one of its connections
    else:
        connection.execute(database.session_settings(writer=writer).encode())
    return connection


def found_pooled(database: Database) -> Database:
    """Ask whether a pooler stands before the database: it does not know its processes' numbers."""
    with closing(connect(database._replace(pooled=True))) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        return database._replace(pooled=row != (connection.info.backend_pid,))


@contextmanager
def one_transaction(database: Database) -> Iterator[psycopg.Connection]:
    """Open a connection for one transaction of any length, which is committed at the end."""
    with closing(connect(database, writer=True)) as connection, connection.transaction():
        if database.pooled:
            connection.execute(database.prologue(writer=True).encode())
        yield connection


def said(error: Exception) -> str:
    """Return an error in one line."""
    return " ".join(str(error).split())


def lost(connection: psycopg.Connection, error: psycopg.Error) -> bool:
    """Say whether the connection is gone, or of no use: it may not have noticed."""
    fatal = error.diag.severity_nonlocalized in ("FATAL", "PANIC")
    if fatal or isinstance(error, _NO_PRIMARY):
        connection.close()
    return connection.closed


@contextmanager
def translated(connection: psycopg.Connection) -> Iterator[None]:
    """Turn the driver's errors into those of the backend protocol."""
    try:
        yield
    except psycopg.Error as error:
        gone = lost(connection, error) or isinstance(error, _AGAIN)
        raise (BackendDown if gone else BackendFailed)(said(error)) from error
