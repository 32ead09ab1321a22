"""Composition root: listeners, backend, store, services; and the way down again.

`run` serves until it is cancelled. It then stops taking calls, ends streams with UNAVAILABLE (the
one status after which etcd's clients resume), finishes the writes that wait and closes the store.
Addresses are bound before the database is touched, so a port in use changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from datastore import systemd
from datastore.backends import new_backend
from datastore.backends.identity import Identity
from datastore.data_dir import prepare
from datastore.descriptors import allow_many
from datastore.errors import StartError, Unavailable
from datastore.gateway.server import HttpFront
from datastore.memory import keep_large_blocks, leave_out_start
from datastore.mvcc.store import AuthOptions, Limits, Store
from datastore.rpc.answering import Edge
from datastore.rpc.fronts import Fronts
from datastore.tls.ciphers import check_grpc
from datastore.tls.serving import serving

if TYPE_CHECKING:
    from datastore.config import DatastoreConfig

log = logging.getLogger(__name__)
GRACE_SECONDS = 2.0
SWITCH_INTERVAL = 0.0002  # seconds; a database thread waits this long for the interpreter


async def run(config: DatastoreConfig, ready: asyncio.Event | None = None) -> None:
    """Serve until cancelled; `ready` is set when calls are answered.

    StartError or ConfigError, with nothing changed, when the database or an address cannot be
    used.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    keep_large_blocks()
    allow_many()
    check_grpc(config.tls)
    store = _store(config)
    async with AsyncExitStack() as ending:
        fronts, http = _bind(config, ending)
        await asyncio.to_thread(_open, config, store)
        ending.push_async_callback(store.stop)
        try:
            await store.start()
        except Unavailable as error:
            raise StartError("the database was lost while starting: see the log") from error
        edge = Edge(store, max_request_bytes=config.grpc.max_request_bytes)
        edge.client_cert_auth = config.tls.client_cert_auth
        ending.push_async_callback(_stop, fronts, http, edge)
        await http.start(edge)
        await fronts.start(edge)
        leave_out_start()
        log.info("ready to serve client requests urls=%s", ",".join(config.listen_client_urls))
        for flag in config.exposed:
            log.warning("every user of this machine sees the password in flag=%s", flag)
        systemd.notify(systemd.READY)
        ending.callback(systemd.notify, systemd.STOPPING)
        if ready:
            ready.set()
        # Not wait_for_termination: cancelling that would cancel the graceful stop with it.
        _die(await store.house.broken)


def _die(reason: str) -> None:
    """End at once: closing a database that cannot be trusted would write to it."""
    log.critical("ending, nothing more can be promised reason=%s", reason)
    logging.shutdown()
    os._exit(1)


def _store(config: DatastoreConfig) -> Store:
    """Return the store of a configuration, which has touched nothing yet."""
    largest = config.grpc.max_request_bytes
    identity = Identity(config.name, config.advertised, config.peer_urls, largest)
    backend = new_backend(
        config.database,
        identity,
        password_file=config.password_file,
        listen=config.endpoint_listen,
    )
    limits = Limits(
        config.max_txn_ops,
        config.quota_backend_bytes,
        config.watch_progress_notify_interval,
        config.auto_compaction.mode,
        config.auto_compaction.retention,
        config.least_lease_ttl,
    )
    tokens = AuthOptions(config.auth_token, config.auth_token_ttl, config.bcrypt_cost)
    return Store(backend, limits, tokens)


def _bind(config: DatastoreConfig, ending: AsyncExitStack) -> tuple[Fronts, HttpFront]:
    """Bind every URL."""
    hosts = dict.fromkeys(url.host for url in (*config.listeners, *config.http.urls) if url.host)
    tls = serving(config.tls, hosts)
    fronts, http = Fronts(config.grpc, tls), HttpFront(config.http, tls)
    ending.push_async_callback(http.stop)
    ending.push_async_callback(fronts.stop, 0)
    for url in config.listeners:
        fronts.bind(http.behind(url))
    http.bind()
    return fronts, http


def _open(config: DatastoreConfig, store: Store) -> None:
    if not config.endpoint:
        prepare(config.data_dir)
    store.backend.open()


async def _stop(fronts: Fronts, http: HttpFront, edge: Edge) -> None:
    edge.stopping.set()
    await asyncio.gather(fronts.stop(GRACE_SECONDS), http.stop(GRACE_SECONDS))
    log.info("stopped taking calls")
