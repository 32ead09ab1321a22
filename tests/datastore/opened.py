"""A store of its own for a test, on a SQLite file and without a server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.mvcc.store import AuthOptions, Limits, Store


@asynccontextmanager
async def opened(
    path: Path, *, limits: Limits | None = None, auth: AuthOptions | None = None
) -> AsyncIterator[Store]:
    """Start the store of a file, new or not; stop it afterwards."""
    backend = new_backend(f"sqlite:///{path}", Identity("test", ()))
    backend.open()
    store = Store(backend, limits or Limits(), auth)
    await store.start()
    yield store
    await store.stop()
