"""A control plane in the test's event loop: real etcd, real API server, real controllers.

Nodes are the test's: `SimulatedKubelet` binds every pod to a node and reports what a kubelet
would, so that pods become ready, or for the image "broken" do not, and terminating ones go.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from control_plane.api.errors import ApiError, Conflict, Forbidden, NotFound
from control_plane.api.objects import Object, dig, is_terminating, key_of, name_of, namespace_of
from control_plane.api.resources import (
    CLUSTERROLES,
    DEPLOYMENTS,
    ENDPOINTS,
    ENDPOINTSLICES,
    NAMESPACES,
    NODES,
    PODS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    RESOURCEQUOTAS,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICECIDRS,
    VALIDATINGADMISSIONPOLICIES,
    Resource,
)
from control_plane.client.client import ApiClient
from control_plane.client.config import ClientConfig
from control_plane.client.informer_set import InformerSet
from control_plane.client.workqueue import WorkQueue
from control_plane.controllers.config import ControllersConfig
from control_plane.controllers.server import run
from tests.support.apiserver import ApiServer

SECONDS = 90  # generous: machines are loaded; nothing waits for it that goes well
NODE = "node-1"
BROKEN = "broken"
WATCHED = (
    CLUSTERROLES,
    PODS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    DEPLOYMENTS,
    ENDPOINTS,
    ENDPOINTSLICES,
    NAMESPACES,
    NODES,
    RESOURCEQUOTAS,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICECIDRS,
    VALIDATINGADMISSIONPOLICIES,
)


class Stage:
    """What a test sees: a client, and a view of the cluster that it can wait on."""

    def __init__(self, client: ApiClient, server: ApiServer) -> None:
        self.client = client
        self.server = server
        self.informers = InformerSet(client)
        self._changed = asyncio.Event()
        for resource in WATCHED:
            self.informers.informer(resource).add_handler(self._note)

    def _note(self, *_: object) -> None:
        self._changed.set()

    def get(self, resource: Resource, key: str) -> Object | None:
        return self.informers.informer(resource).get(key)

    def list(self, resource: Resource, namespace: str) -> list[Object]:
        return self.informers.informer(resource).list(namespace)

    async def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Wait, change by change, until `holds()`; returns its value."""
        try:
            async with asyncio.timeout(SECONDS):
                while not (value := holds()):
                    self._changed.clear()
                    await self._changed.wait()
                return value
        except TimeoutError:
            raise AssertionError(f"waited {SECONDS} s in vain: {what}") from None

    async def namespace(self, name: str) -> str:
        """Make a namespace for one test."""
        await self.client.create(
            NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        )
        return name


class SimulatedKubelet:
    """Plays the scheduler and the kubelet of one node."""

    def __init__(self, client: ApiClient, informers: InformerSet) -> None:
        self._client = client
        self._pods = informers.informer(PODS)
        self._queue = WorkQueue()
        self._numbers = itertools.count(1)
        self._pods.add_handler(self._note)

    def _note(self, _: str, old: Object | None, new: Object | None) -> None:
        self._queue.add(key_of(new or old or {}))

    async def run(self) -> None:
        while True:
            key = await self._queue.get()
            pod = self._pods.get(key)
            if pod is not None:
                with suppress(NotFound, Conflict, Forbidden):  # nothing is bound where all goes
                    await self._sync(pod)
            self._queue.done(key)

    async def _sync(self, pod: Object) -> None:
        name, namespace = name_of(pod), namespace_of(pod)
        if not dig(pod, "spec", "nodeName"):
            target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
            meta = {"name": name, "namespace": namespace}
            binding = {"apiVersion": "v1", "kind": "Binding", "metadata": meta, "target": target}
            await self._client.create(PODS, binding, subresource="binding", name=name)
        elif is_terminating(pod):
            await self._client.delete(PODS, name, namespace, options={"gracePeriodSeconds": 0})
        elif not dig(pod, "status", "podIP"):
            ready = dig(pod, "spec", "containers", 0, "image") != BROKEN
            status = running_status(f"10.0.0.{next(self._numbers)}", ready=ready)
            await self._client.patch(
                PODS, name, {"status": status}, namespace, subresource="status"
            )


def running_status(ip: str, *, ready: bool) -> Object:
    """What a kubelet reports of a running pod."""
    stamp = "2026-01-02T03:04:05Z"
    return {
        "phase": "Running",
        "podIP": ip,
        "podIPs": [{"ip": ip}],
        "conditions": [
            {"type": "Ready", "status": str(ready), "lastTransitionTime": stamp},
        ],
    }


def node(name: str, *, ready: bool = True) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": "zone-1"}},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


@asynccontextmanager
async def staged(
    endpoint: str, directory: Path, *, kubelet: bool = True, **flags: Any
) -> AsyncIterator[Stage]:
    """Start API server, controllers and simulated node; stop them at the end."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(ApiServer(endpoint, directory))
        config = ClientConfig.from_kubeconfig(server.kubeconfig)
        client = await stack.enter_async_context(ApiClient(config))
        stage = Stage(client, server)
        with suppress(ApiError):
            await client.create(NODES, node(NODE))
        manager = ControllersConfig(
            server.pki.kubeconfig("controller-manager"),
            leader_elect=False,
            service_account_private_key_file=server.pki.service_account_key,
            **flags,
        )
        ready = asyncio.Event()
        tasks = [stage.informers.run(), run(manager, ready)]
        if kubelet:
            tasks.append(SimulatedKubelet(client, stage.informers).run())
        running = await stack.enter_async_context(_running(tasks))
        waiting = asyncio.ensure_future(ready.wait())
        await asyncio.wait([waiting, *running], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert ready.is_set(), "the controllers did not start"  # the stack raises why
        await stage.informers.wait_synced()
        yield stage


@asynccontextmanager
async def _running(work: list[Any]) -> AsyncIterator[list[asyncio.Future[Any]]]:
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
