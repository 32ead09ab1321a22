"""What PostgreSQL refuses at the start, as one line with the remedy: the GRANT that is missing.

PostgreSQL's words are parsed for the thing that they name; where they are of another language the
remedy is the general one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg

from datastore.errors import StartError

if TYPE_CHECKING:
    from datastore.backends.postgres_database import Database

_DENIED = re.compile(r"permission denied for (\w+) \"?([^\s\"]+)\"?")
_OWNER = re.compile(r"must be owner of (\w+) \"?([^\s\"]+)\"?")
_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"
_GENERAL = "check the server and the URL"
_POOLER = (
    "PgBouncer does not take it: leave ?options= out, and give a schema as ?schema=, or list it in "
    "PgBouncer's ignore_startup_parameters"
)


def refusal(database: Database, error: Exception) -> StartError:
    """Return what to say of the driver's error, or of one of ours that it caused."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    said = " ".join((primary or str(error)).split())
    return StartError(f"datastore {database.name}: {said}: {remedy(database, error)}")


def remedy(database: Database, error: Exception) -> str:
    """Return what to do about an error."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    said = str(error)
    denied, owner = _DENIED.search(said), _OWNER.search(said)
    if owner:
        return (
            f"only the owner of {owner[1]} {owner[2]} can migrate it: start one server as that "
            "role once, then the others"
        )
    if denied and "CONNECT" in said:  # as the detail says, before there is a connection
        return f'GRANT CONNECT ON DATABASE "{denied[2]}" TO {_user(database)}'
    if denied:
        return _grant(database, denied[1], denied[2])
    if isinstance(cause, psycopg.errors.InvalidSchemaName):
        return _grant(database, "schema", database.schema or "public")
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return "make the user the owner of the schema"
    return _POOLER if "unsupported startup parameter" in said else _GENERAL


def _grant(database: Database, kind: str, name: str) -> str:
    """Return the statement for the administrator that mends a missing right."""
    user = _user(database)
    if kind == "schema":
        return f'GRANT USAGE, CREATE ON SCHEMA "{name}" TO {user}'
    if kind == "database":  # in which a schema cannot be made
        return f'CREATE SCHEMA "{database.schema}" AUTHORIZATION {user}'
    if kind in ("table", "view", "relation"):
        schema = database.schema or "public"
        return f'GRANT {_RIGHTS} ON ALL TABLES IN SCHEMA "{schema}" TO {user}'
    return f'GRANT USAGE ON {kind.upper()} "{name}" TO {user}'


def _user(database: Database) -> str:
    return f'"{database.user}"' if database.user else "the user"
