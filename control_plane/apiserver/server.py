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
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson

from control_plane.api.legacy_tokens import LAST_USED
from control_plane.api.objects import Object, name_of, namespace_of
from control_plane.api.resources import NODES, PODS, SECRETS, SERVICEACCOUNTS, SERVICES
from control_plane.api.schema import schema
from control_plane.apiserver import api_service_keeper, tls
from control_plane.apiserver.admission import Admission
from control_plane.apiserver.aggregation.parts import AggregationParts
from control_plane.apiserver.allocation.allocators import Allocators
from control_plane.apiserver.allocation.cluster_ips import ClusterIPs
from control_plane.apiserver.allocation.node_ports import NodePorts
from control_plane.apiserver.allocation.services import ServiceAllocation, ports_of
from control_plane.apiserver.api_service_keeper import ApiServiceKeeper
from control_plane.apiserver.audit.auditor import Auditor
from control_plane.apiserver.audit.counts import AuditCounts
from control_plane.apiserver.audit.options import auditor_of
from control_plane.apiserver.auth.authn import Authenticator
from control_plane.apiserver.auth.authz import Authorizer, Mode
from control_plane.apiserver.auth.certificates import ServerContext
from control_plane.apiserver.auth.node.authorizer import NodeAuthorizer
from control_plane.apiserver.auth.node.follower import follow_nodes
from control_plane.apiserver.auth.rbac.authorizer import RbacAuthorizer
from control_plane.apiserver.auth.rbac.follower import follow
from control_plane.apiserver.auth.rbac.role_keeper import HOOK, RoleKeeper
from control_plane.apiserver.auth.token_sources import TokenSources
from control_plane.apiserver.auth.tokens import TokenAuthenticator, TokenSigner
from control_plane.apiserver.auth.user import MASTERS_GROUP, User
from control_plane.apiserver.bootstrap import HOOKS, Bootstrap
from control_plane.apiserver.compaction import Compactor
from control_plane.apiserver.component_health import ComponentHealth
from control_plane.apiserver.config import ApiServerConfig, ConfigError, StartError, checked
from control_plane.apiserver.custom_resources import keeper
from control_plane.apiserver.custom_resources.api_services import CustomApiServices
from control_plane.apiserver.custom_resources.follower import DefinitionFollower
from control_plane.apiserver.custom_resources.keeper import DefinitionKeeper
from control_plane.apiserver.custom_resources.webhook_calls import ConversionCaller
from control_plane.apiserver.encryption.reload import Reload, encryption_of
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.features import MUTATING_POLICIES
from control_plane.apiserver.flow_control.parts import FlowControlParts
from control_plane.apiserver.health_checks import health_endpoints
from control_plane.apiserver.http.app import make_app
from control_plane.apiserver.http.edge import Edge
from control_plane.apiserver.http.listener import bind, serving
from control_plane.apiserver.http.resource_api import ResourcesFirst
from control_plane.apiserver.http.services import ApiServices
from control_plane.apiserver.kubelet import KubeletClient
from control_plane.apiserver.memory import collect_seldom, give_back_large_blocks, leave_out_start
from control_plane.apiserver.metrics.access import AccessCounts
from control_plane.apiserver.metrics.endpoint import MetricsEndpoint, all_of
from control_plane.apiserver.metrics.store_calls import StoreCalls
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.edit import Edit
from control_plane.apiserver.registry.reading import Reader
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.repair.repairs import Repairs
from control_plane.apiserver.server_presence import ServerPresence, advertised_address
from control_plane.apiserver.service_endpoints import ServiceEndpoints
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.selection import EVERYTHING
from control_plane.apiserver.version import VERSION
from control_plane.client.certificate_files import CertificateFiles

__all__ = ["ConfigError", "StartError", "run"]

logger = logging.getLogger(__name__)


async def run(config: ApiServerConfig, ready: asyncio.Event | None = None) -> None:
    """Serve until cancelled; set `ready` once the store answers and the first objects are there."""
    checked(config)
    collect_seldom()
    give_back_large_blocks()
    server_tls = tls.server_context(config.tls, _proxy_authority(config))
    _check_front_proxies(server_tls, config)
    kubelet_tls = tls.kubelet_context(config.tls)
    files = [
        tls.server_files(server_tls, config.tls, _proxy_authority(config)),
        *tls.kubelet_files(kubelet_tls, config.tls),
    ]
    with contextlib.closing(bind(config.bind_address, config.secure_port)) as listening:
        port = listening.getsockname()[1]
        async with _opened(config) as etcd, _assembled(config, etcd, port, kubelet_tls) as parts:

            def end_streams() -> None:
                parts.stopping.set()
                parts.services.collections.end_watches()
                parts.services.kubelets.end_streams()

            files += tls.proxy_files(config.tls, parts.services.aggregation.remotes.use_pair_anew)
            async with serving(parts.app, listening, server_tls, end_streams):
                await _run_tasks(config, etcd, parts, files, ready)


class _Parts(NamedTuple):
    """What `run` starts."""

    app: ResourcesFirst
    services: ApiServices
    bootstrap: Bootstrap
    repairs: Repairs
    flow: FlowControlParts
    api_services: ApiServiceKeeper
    roles: RoleKeeper
    definitions: DefinitionKeeper
    custom_api_services: CustomApiServices
    stopping: asyncio.Event
    reload: Reload | None
    auditor: Auditor | None


async def _run_tasks(
    config: ApiServerConfig,
    etcd: EtcdClient,
    parts: _Parts,
    files: Sequence[CertificateFiles],
    ready: asyncio.Event | None,
) -> None:
    async with asyncio.TaskGroup() as group:
        # read while the store answers: the first request would read it on the event loop
        schemas = group.create_task(asyncio.to_thread(schema))
        group.create_task(parts.services.collections.run())
        group.create_task(Compactor(etcd).run(config.compaction_interval_seconds))
        group.create_task(parts.bootstrap.run())
        group.create_task(parts.flow.run())
        if parts.reload is not None:
            group.create_task(parts.reload.run())
        if parts.auditor is not None:
            group.create_task(parts.auditor.run())
        group.create_task(parts.services.tokens.run())
        for one in files:
            group.create_task(one.run(), name="certificates")
        await parts.bootstrap.done.wait()
        group.create_task(parts.roles.run())
        group.create_task(parts.definitions.run())
        group.create_task(parts.api_services.run())
        await parts.api_services.done.wait()
        group.create_task(parts.custom_api_services.run())
        group.create_task(parts.repairs.run())
        await parts.repairs.done.wait()
        await parts.flow.wait_ready()
        await parts.roles.done.wait()
        await parts.definitions.done.wait()
        await schemas
        leave_out_start()
        logger.info("ready address=%s port=%d", config.bind_address, config.secure_port)
        if ready is not None:
            ready.set()


@contextlib.asynccontextmanager
async def _assembled(
    config: ApiServerConfig, etcd: EtcdClient, port: int, kubelet_tls: ssl.SSLContext
) -> AsyncIterator[_Parts]:
    encryption, reload = encryption_of(config.encryption)
    resources = config.features.resources
    collections = Collections(
        resources, etcd, config.etcd_prefix, config.event_ttl_seconds, encryption
    )
    authorizer = _authorizer(config, collections)
    cluster_ips, node_ports = _ranges(config, etcd, collections)
    allocators = Allocators(ServiceAllocation(cluster_ips, node_ports))
    admission = Admission(
        collections,
        authorizer,
        config.admission.read(),
        has_mutating_policies=MUTATING_POLICIES in config.features.gates,
    )
    registry = Registry(collections, admission, allocators, _now)
    unverified = functools.partial(tls.unverified_kubelet_context, config.tls)
    kubelets = KubeletClient(collections, kubelet_tls, unverified, config.kubelet_address_types)
    reader, signer = Reader(collections), TokenSigner(config.service_accounts)
    lookup = functools.partial(_find_core, collections)
    own, mark = config.service_accounts, functools.partial(_mark_used, registry)
    accounts = TokenAuthenticator(own, lookup, mark, _now)
    access = AccessCounts()
    tokens = TokenSources(config.auth, accounts, own.issuer, lookup, _now, access.tokens)
    components = ComponentHealth(etcd, config.etcd_prefix, collections, _now)
    aggregation = AggregationParts.of(config, collections)
    services = ApiServices(
        config,
        collections,
        reader,
        registry,
        signer,
        tokens,
        kubelets,
        components,
        authorizer,
        aggregation,
    )
    flow = FlowControlParts.of(config, collections, registry)
    auditor = auditor_of(config.audit, _now)
    edge = Edge(
        Authenticator(tokens, config.auth.request_headers, access.certificates),
        authorizer,
        flow.limiter,
        auditor=auditor,
        access=access,
    )
    address = advertised_address(config)
    presence = ServerPresence(etcd, config.etcd_prefix, address)
    bootstrap = Bootstrap(config, port, collections, registry, presence)
    repairs = Repairs(collections, registry, node_ports, _now, bootstrap.call)
    hooks = {**dict.fromkeys(HOOKS, bootstrap.done), **flow.hooks()}
    api_services = ApiServiceKeeper(collections, registry, bootstrap.call, aggregation)
    roles = RoleKeeper(collections, registry, bootstrap.call)
    conversions = ConversionCaller(ServiceEndpoints(collections))
    collections.converters = conversions.converter
    follower = DefinitionFollower(collections)
    definitions = DefinitionKeeper(follower, registry, bootstrap.call)
    custom_api_services = CustomApiServices(follower, registry, bootstrap.call)
    hooks[HOOK] = roles.done
    hooks |= dict.fromkeys(keeper.HOOKS, definitions.done)
    hooks |= dict.fromkeys(api_service_keeper.HOOKS, api_services.done)
    hooks["start-service-ip-repair-controllers"] = repairs.done
    stopping = asyncio.Event()
    health = health_endpoints(etcd, config.etcd_prefix, collections, hooks, stopping)
    audited = auditor.counts if auditor is not None else AuditCounts()
    looks = (flow, access, admission.webhooks, accounts.uses, audited, api_services.counts)
    look = all_of(*(one.look for one in looks))
    metrics = MetricsEndpoint(
        edge.requests,
        lambda: [collection.cache for collection in collections],
        etcd.calls,
        VERSION,
        health,
        look,
    )
    app = make_app(services, edge, health, metrics, f"{address}:{port}", flow.routes())
    try:
        yield _Parts(
            app,
            services,
            bootstrap,
            repairs,
            flow,
            api_services,
            roles,
            definitions,
            custom_api_services,
            stopping,
            reload,
            auditor,
        )
    finally:
        await conversions.close()
        await kubelets.close()
        await admission.close()
        if auditor is not None:
            await auditor.close()
        await aggregation.session.close()


def _check_front_proxies(context: ServerContext, config: ApiServerConfig) -> None:
    """With an authority for both, whoever has a certificate could ask for anybody."""
    proxies = config.auth.request_headers
    is_shared = not context.users.isdisjoint(context.proxies)
    if proxies is not None and is_shared and not proxies.allowed_names:
        raise ConfigError(
            "--requestheader-client-ca-file has an authority of --client-ca-file: "
            "name the front proxies in --requestheader-allowed-names"
        )


def _proxy_authority(config: ApiServerConfig) -> Path | None:
    proxies = config.auth.request_headers
    return proxies.authority if proxies is not None else None


def _authorizer(config: ApiServerConfig, collections: Collections) -> Authorizer:
    rbac = RbacAuthorizer(follow(collections))
    modes: dict[str, Mode] = {"Node": NodeAuthorizer(follow_nodes(collections)), "RBAC": rbac}
    return Authorizer(rbac, [modes[mode] for mode in config.auth.modes])


@contextlib.asynccontextmanager
async def _opened(config: ApiServerConfig) -> AsyncIterator[EtcdClient]:
    etcd = EtcdClient(config.etcd, StoreCalls(config.features.resources.rows, config.etcd_prefix))
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
            used |= ports_of(service.get("spec") or {})
        return used

    families = tuple(f"IPv{network.version}" for network in config.service_networks)
    addresses = ClusterIPs(collections, families, _now)
    key = f"{root}/ranges/servicenodeports".encode()
    return addresses, NodePorts(etcd, key, config.service_node_port_range, ports_in_use)


async def _find_core(
    collections: Collections, plural: str, namespace: str, name: str
) -> Object | None:
    """Look up what a token is bound to."""
    row = {row.plural: row for row in (SERVICEACCOUNTS, PODS, SECRETS, NODES)}[plural]
    return await collections.find(row, namespace, name)


async def _mark_used(registry: Registry, secret: Object, day: str) -> None:
    """Note in the secret of a token when that was used."""

    async def marked(stored: Object) -> Object:
        metadata = stored["metadata"]
        labels = {**(metadata.get("labels") or {}), LAST_USED: day}
        return {**stored, "metadata": {**metadata, "labels": labels}}

    edit = Edit(SECRETS, namespace_of(secret), name_of(secret), marked)
    call = Call(User("system:apiserver", (MASTERS_GROUP,)), field_manager="kube-apiserver")
    await registry.update(edit, call)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
