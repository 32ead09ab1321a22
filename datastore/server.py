"""Composition root: backend, store, services, listeners; and the way down again.

`run` serves until it is cancelled. It then stops taking calls, ends streams with UNAVAILABLE (the
one status after which etcd's clients resume), finishes the writes that wait and closes the store.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.config import DatastoreConfig, listen_address
from datastore.errors import StartError
from datastore.mvcc.store import Limits, Store
from datastore.rpc.answering import Edge
from datastore.rpc.front import new_server

if TYPE_CHECKING:
    import grpc

log = logging.getLogger(__name__)
GRACE_SECONDS = 2.0


async def run(config: DatastoreConfig, ready: asyncio.Event | None = None) -> None:
    """Serve until cancelled; `ready` is set when calls are answered.

    StartError or ConfigError, with nothing changed, when the database or an address cannot be
    used.
    """
    backend = new_backend(config.endpoint, Identity(config.name, config.advertised))
    await asyncio.to_thread(backend.open)
    limits = Limits(
        config.max_txn_ops, config.quota_backend_bytes, config.watch_progress_notify_interval
    )
    store = Store(backend, limits)
    try:
        await store.start()
        edge = Edge(store, max_request_bytes=config.max_request_bytes)
        server = await new_server(edge)
        for url in config.listen_client_urls:
            _listen(server, url)
        await server.start()
        _protect(config)
        log.info("ready to serve client requests urls=%s", ",".join(config.listen_client_urls))
        if ready:
            ready.set()
        try:
            await server.wait_for_termination()
        finally:
            edge.stopping.set()
            await server.stop(GRACE_SECONDS)
    finally:
        await store.stop()
        log.info("stopped")


def _listen(server: grpc.aio.Server, url: str) -> None:
    address = listen_address(url)
    if address.startswith("unix:"):
        _clear_socket(Path(address.removeprefix("unix:")))
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError:
        bound = 0
    if not bound:
        raise StartError(f"cannot listen on {url}: address in use or not of this machine")


def _clear_socket(path: Path) -> None:
    """Remove the socket of a server that is gone; anything else in its place is refused."""
    if path.is_socket():
        path.unlink()
    elif path.exists():
        raise StartError(f"cannot listen on unix://{path}: it exists and is not a socket")
    if not path.parent.is_dir():
        raise StartError(f"cannot listen on unix://{path}: no such directory {path.parent}")


def _protect(config: DatastoreConfig) -> None:
    """Let nobody else connect to our sockets."""
    for url in config.listen_client_urls:
        address = listen_address(url)
        if address.startswith("unix:"):
            Path(address.removeprefix("unix:")).chmod(0o600)
