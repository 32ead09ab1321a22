"""Where a PostgreSQL store is, and how its sessions are set up.

`Database` is what every connection is made from. A store may live in a schema of its own
(`?schema=kube`), so that several share a database. Behind a pooler that gives each *transaction* a
connection (PgBouncer's transaction mode) nothing that a session sets may stay: the next transaction
may be on another connection, and this one another program's. There the settings come first in every
transaction (`prologue`), in the same exchange as its BEGIN; on a connection of our own they are set
once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg.conninfo import make_conninfo

from datastore.backends.endpoint_url import shown
from datastore.backends.pulse import CLOCKS, Pulse
from datastore.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import URL

PRIMARY = {"target_session_attrs": "read-write"}  # what a standby answers may be old
READ_SECONDS = 60
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$-]{0,62}", re.ASCII)
_EVERY = {
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "5s",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
_READER = {"statement_timeout": f"{READ_SECONDS}s"}
# A COMMIT that waits for a standby and is cancelled is acknowledged all the same: it may wait.
_WRITER = {"statement_timeout": "0"}
_OWN = {  # of a connection of ours alone; what the role's or the database's defaults may cut short
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "5000",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
}


class Database(NamedTuple):
    """How to reach a store: libpq's words, a name without secrets, a schema ("" for the user's)."""

    conninfo: str
    name: str
    user: str
    schema: str = ""
    pooled: bool = False

    def table(self, name: str) -> str:
        """Return a table's name in SQL, for a statement that stands alone."""
        return f'"{self.schema}"."{name}"' if self.schema else f'"{name}"'

    @property
    def pulse(self) -> Pulse:
        """The statements by which servers see each other."""
        return Pulse(self.table, CLOCKS["postgresql"])

    def session_settings(self, *, writer: bool) -> str:
        """Return the statement that sets up a connection of our own, as far as it knows them."""
        wanted = {**_EVERY, **_OWN, **(_WRITER if writer else _READER), **self._path()}
        rows = ", ".join(f"('{name}', '{value}')" for name, value in wanted.items())
        return (
            "SELECT set_config(wanted.name, wanted.value, false) "
            f"FROM (VALUES {rows}) AS wanted (name, value) JOIN pg_settings USING (name)"
        )

    def prologue(self, *, writer: bool) -> str:
        """Return the statement that sets up one transaction."""
        wanted = {**_EVERY, **(_WRITER if writer else _READER), **self._path()}
        calls = (f"set_config('{name}', '{value}', true)" for name, value in wanted.items())
        return f"SELECT {', '.join(calls)}"

    def path_setting(self) -> str:
        """Return the statement that leads one transaction to the schema, "" where it needs none."""
        return f'SET LOCAL search_path = "{self.schema}"' if self.schema else ""

    def _path(self) -> Mapping[str, str]:
        return {"search_path": f'"{self.schema}"'} if self.schema else {}


def database_of(url: URL, *, primary: bool = True) -> Database:
    """Return the database of a URL; ConfigError names a parameter that is wrong.

    Of several hosts the primary is meant, unless any will do.
    """
    query = dict(url.query)
    schema = query.pop("schema", "")
    if schema and (not isinstance(schema, str) or not _NAME.fullmatch(schema)):
        raise ConfigError(
            f"datastore endpoint: ?schema={schema!r}: write letters, digits, _, - and $, 63 at most"
        )
    words = {key: ",".join([value] if isinstance(value, str) else value) for key, value in
             query.items()}  # fmt: skip
    given = {"host": url.host, "port": url.port, "dbname": url.database, "user": url.username,
             "password": url.password}  # fmt: skip
    known = {key: value for key, value in given.items() if value is not None}
    try:
        conninfo = make_conninfo("", **{**known, **words, **(PRIMARY if primary else {})})
    except psycopg.Error as error:
        said = " ".join(str(error).split())
        raise ConfigError(f"datastore endpoint {shown(url)}: {said}") from error
    return Database(conninfo, shown(url), url.username or "", str(schema))
