"""DURABILITY: the only SQL; BACKENDS lists the databases.

A backend is one file and one line here: the scheme of an endpoint URL, and the module and class
that serve it. The module is loaded only when its scheme is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from datastore.errors import ConfigError

if TYPE_CHECKING:
    from datastore.backends.identity import Identity
    from datastore.mvcc.backend import Backend

BACKENDS = {
    "sqlite": "datastore.backends.sqlite:SqliteBackend",
    "postgresql": "datastore.backends.postgres:PostgresBackend",
}


def new_backend(endpoint: str, identity: Identity) -> Backend:
    """Return the backend of an endpoint URL, not opened yet; ConfigError names what is wrong."""
    try:
        url = make_url(endpoint)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in BACKENDS:
        raise ConfigError(
            f"datastore endpoint {without_password(endpoint)!r} is not one of "
            + ", ".join(f"{scheme}://…" for scheme in BACKENDS)
        )
    module, name = BACKENDS[url.drivername].split(":")
    backend: Backend = getattr(import_module(module), name)(url, identity)
    return backend


def without_password(endpoint: str) -> str:
    """Return an endpoint fit for an error message: without user, password and query."""
    scheme, separator, rest = endpoint.partition("://")
    return scheme + separator + rest.partition("?")[0].rpartition("@")[2]
