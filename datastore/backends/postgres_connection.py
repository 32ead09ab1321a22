"""A PostgreSQL connection as every part of the backend needs it, and what the driver's errors mean.

A session whose peer has frozen or gone is ended by the server in about 5 s (`_SESSION`), so that
it cannot keep the store's lock; only COMMIT may take as long as it takes. Plans are kept to index
walks in key order: a generic plan that sorts or hashes a whole table for the sake of one page would
be a cliff.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors as pg

from datastore.mvcc.backend import BackendDown, BackendFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_SECONDS = 5
_AGAIN = (
    pg.LockNotAvailable,
    pg.QueryCanceled,
    pg.SerializationFailure,
    pg.DeadlockDetected,
)
_NO_PRIMARY = (pg.ReadOnlySqlTransaction, pg.FeatureNotSupported)  # to begin a write on a standby
_SESSION = """
SET lock_timeout = '5s';
SET idle_in_transaction_session_timeout = '5s';
SET tcp_keepalives_idle = 2;
SET tcp_keepalives_interval = 1;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = 5000;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET jit = off;
"""
logging.getLogger("psycopg").setLevel(logging.ERROR)  # it warns of errors that we raise anyway


def connect(conninfo: str) -> psycopg.Connection:
    """Open a connection with the settings that every one needs."""
    connection = psycopg.connect(
        conninfo,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        keepalives_idle=2,
        keepalives_interval=1,
        keepalives_count=3,
        tcp_user_timeout=5_000,
        application_name="tapir",
    )
    connection.execute(_SESSION)
    return connection


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
        raise (BackendDown if gone else BackendFailed)(" ".join(str(error).split())) from error
