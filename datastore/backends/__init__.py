"""DURABILITY: the only SQL; BACKENDS lists the databases.

A backend is one file and one line here: the scheme of an endpoint URL, and the module and class
that serve it. The module is loaded only when its scheme is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from datastore.backends.endpoint_url import parse, without_password
from datastore.errors import ConfigError

__all__ = ["BACKENDS", "new_backend", "without_password"]

if TYPE_CHECKING:
    from datastore.backends.identity import Identity
    from datastore.mvcc.backend import Backend

BACKENDS = {
    "sqlite": "datastore.backends.sqlite:SqliteBackend",
    "postgresql": "datastore.backends.postgres:PostgresBackend",
    "mysql": "datastore.backends.mysql:MysqlBackend",
}
LISTENING = "postgresql"  # where servers are told of commits on a connection of their own


def new_backend(
    endpoint: str, identity: Identity, *, password_file: str = "", listen: str = ""
) -> Backend:
    """Return the backend of an endpoint URL, not opened yet; ConfigError names what is wrong.

    `listen` is the URL of the one connection that a server must have for itself, if it is another.
    """
    url = parse(endpoint, BACKENDS, password_file)
    module, name = BACKENDS[url.drivername].split(":")
    kind = getattr(import_module(module), name)
    if not listen:
        backend: Backend = kind(url, identity)
        return backend
    if url.drivername != LISTENING:
        raise ConfigError(f"--endpoint-listen is for {LISTENING}:// alone: leave it out")
    direct = parse(listen, (LISTENING,), password_file)
    listening: Backend = kind(url, identity, direct)
    return listening
