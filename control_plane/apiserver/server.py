"""The API server as a component: everything is put together here, and run until cancelled.

    listener ── edge ── verbs ── registry/reader ── collections ── etcd client ── the store

A store that cannot be reached at start is waited for: the server listens, readyz fails, and becomes
ready by itself. What cannot work at all (a certificate that is none, a port in use) is a
ConfigError or StartError of one line.
"""

import asyncio
import contextlib
import datetime
import functools
import logging
import ssl
from collections.abc import AsyncIterator
from typing import NamedTuple

import orjson
from fastapi import FastAPI

from control_plane.api.objects import Object
from control_plane.api.resources import BUILT_IN, NODES, PODS, SECRETS, SERVICEACCOUNTS, SERVICES
from control_plane.api.schema import schema
from control_plane.apiserver import tls
from control_plane.apiserver.admission import Admission
from control_plane.apiserver.allocation.allocators import Allocators
from control_plane.apiserver.allocation.cluster_ips import ClusterIPs
from control_plane.apiserver.allocation.node_ports import NodePorts
from control_plane.apiserver.allocation.services import ServiceAllocation, node_ports_of
from control_plane.apiserver.auth.authn import Authenticator
from control_plane.apiserver.auth.tokens import TokenAuthenticator, TokenSigner
from control_plane.apiserver.bootstrap import Bootstrap
from control_plane.apiserver.compaction import Compactor
from control_plane.apiserver.config import ApiServerConfig, ConfigError, StartError, checked
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.health_checks import health_endpoints
from control_plane.apiserver.http.app import make_app
from control_plane.apiserver.http.edge import Edge
from control_plane.apiserver.http.listener import bind, serving
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.kubelet import KubeletClient
from control_plane.apiserver.registry.reading import Reader
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.server_presence import ServerPresence, advertised_address
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.selection import EVERYTHING

__all__ = ["ConfigError", "StartError", "run"]

logger = logging.getLogger(__name__)


async def run(config: ApiServerConfig, ready: asyncio.Event | None = None) -> None:
    """Serve until cancelled; set `ready` once the store answers and the first objects are there."""
    checked(config)
    server_tls, kubelet_tls = tls.server_context(config.tls), tls.kubelet_context(config.tls)
    with contextlib.closing(bind(config.bind_address, config.secure_port)) as listening:
        port = listening.getsockname()[1]
        async with _opened(config) as etcd, _assembled(config, etcd, port, kubelet_tls) as parts:

            def end_streams() -> None:
                parts.services.collections.end_watches()
                parts.services.kubelets.end_streams()

            async with serving(parts.app, listening, server_tls, end_streams):
                await _run_tasks(config, etcd, parts, ready)


class _Parts(NamedTuple):
    """What `run` starts."""

    app: FastAPI
    services: ApiServices
    bootstrap: Bootstrap


async def _run_tasks(
    config: ApiServerConfig, etcd: EtcdClient, parts: _Parts, ready: asyncio.Event | None
) -> None:
    async with asyncio.TaskGroup() as group:
        # read while the store answers: the first request would read it on the event loop
        group.create_task(asyncio.to_thread(schema))
        group.create_task(parts.services.collections.run())
        group.create_task(Compactor(etcd).run(config.compaction_interval_seconds))
        group.create_task(parts.bootstrap.run())
        await parts.bootstrap.done.wait()
        logger.info("ready address=%s port=%d", config.bind_address, config.secure_port)
        if ready is not None:
            ready.set()


@contextlib.asynccontextmanager
async def _assembled(
    config: ApiServerConfig, etcd: EtcdClient, port: int, kubelet_tls: ssl.SSLContext
) -> AsyncIterator[_Parts]:
    collections = Collections(BUILT_IN, etcd, config.etcd_prefix, config.event_ttl_seconds)
    allocators = Allocators(ServiceAllocation(*_ranges(config, etcd, collections)))
    registry = Registry(collections, Admission(collections), allocators, _now)
    kubelets = KubeletClient(collections, kubelet_tls)
    reader, signer = Reader(collections), TokenSigner(config.service_accounts)
    services = ApiServices(config, collections, reader, registry, signer, kubelets)
    lookup = functools.partial(_find_core, collections)
    edge = Edge(Authenticator(TokenAuthenticator(config.service_accounts, lookup)))
    address = advertised_address(config)
    presence = ServerPresence(etcd, config.etcd_prefix, address)
    bootstrap = Bootstrap(config, port, collections, registry, presence)
    health = health_endpoints(etcd, config.etcd_prefix, collections, bootstrap)
    try:
        yield _Parts(make_app(services, edge, health, f"{address}:{port}"), services, bootstrap)
    finally:
        await kubelets.close()


@contextlib.asynccontextmanager
async def _opened(config: ApiServerConfig) -> AsyncIterator[EtcdClient]:
    etcd = EtcdClient(config.etcd)
    try:
        yield etcd
    finally:
        await etcd.close()


def _ranges(
    config: ApiServerConfig, etcd: EtcdClient, collections: Collections
) -> tuple[ClusterIPs, NodePorts]:
    root = config.etcd_prefix

    async def ports_in_use() -> set[int]:
        page = await collections.of(SERVICES).store.page(EVERYTHING)
        used: set[int] = set()
        for entry in page.entries:
            service = orjson.loads(entry.item)
            used |= node_ports_of(service.get("spec") or {})
        return used

    addresses = ClusterIPs(etcd, f"{root}/ipaddresses/".encode(), config.service_network, _now)
    key = f"{root}/ranges/servicenodeports".encode()
    return addresses, NodePorts(etcd, key, config.service_node_port_range, ports_in_use)


async def _find_core(
    collections: Collections, plural: str, namespace: str, name: str
) -> Object | None:
    """Look up what a token is bound to."""
    row = {row.plural: row for row in (SERVICEACCOUNTS, PODS, SECRETS, NODES)}[plural]
    return await collections.find(row, namespace, name)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
