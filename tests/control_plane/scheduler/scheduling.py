"""A scheduler at work on a real API server: what its tests create, start and wait for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from control_plane.api.objects import Object, dig, find_condition
from control_plane.api.resources import EVENTS, NODES, PODS
from control_plane.client.client import ApiClient
from control_plane.client.informer_set import InformerSet
from control_plane.scheduler.config import SchedulerConfig
from control_plane.scheduler.server import run
from tests.control_plane.scheduler.builders import node, pod
from tests.support.apiserver import ApiServer

SECONDS = 90.0
IN_FLIGHT = 32


class Scheduling:
    """The API as the test sees it, kept current by informers."""

    def __init__(self, client: ApiClient, server: ApiServer) -> None:
        self.client = client
        self.server = server
        self.informers = InformerSet(client)
        self._pods = self.informers.informer(PODS)
        self._events = self.informers.informer(EVENTS)
        self._changed = asyncio.Event()
        for informer in (self._pods, self._events):
            informer.add_handler(lambda _action, _old, _new: self._changed.set())

    @asynccontextmanager
    async def watching(self) -> AsyncIterator["Scheduling"]:
        """Follow pods and events while the block runs."""
        task = asyncio.create_task(self.informers.run())
        await self.informers.wait_synced()
        try:
            yield self
        finally:
            await _stop(task)

    @asynccontextmanager
    async def scheduler(self, **settings: Any) -> AsyncIterator[None]:
        """Run a scheduler while the block runs; pods and nodes are listed when it begins."""
        settings.setdefault("leader_elect", False)
        ready = asyncio.Event()
        config = SchedulerConfig(self.server.pki.kubeconfig("scheduler"), **settings)
        task = asyncio.create_task(run(config, ready))
        try:
            async with asyncio.timeout(SECONDS):
                await ready.wait()
            yield
        finally:
            await _stop(task)

    async def add_node(self, name: str, **fields: Any) -> None:
        """Create a node that takes pods at once: without the taint that new nodes start with."""
        wanted = node(name, **fields)
        created = await self.client.create(NODES, wanted)
        created["spec"] = wanted["spec"]
        created["status"] = wanted["status"]
        updated = await self.client.update(NODES, created)
        updated["status"] = wanted["status"]
        await self.client.update(NODES, updated, subresource="status")

    async def add_pod(self, name: str, **fields: Any) -> None:
        """Create a pod in the namespace `default`."""
        wanted = pod(name, **fields)
        del wanted["status"], wanted["metadata"]["uid"]
        await self.client.create(PODS, wanted)

    async def add_many(self, *additions: Awaitable[None]) -> None:
        """Await calls of add_node or add_pod, a bounded number at a time."""
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def one(addition: Awaitable[None]) -> None:
            async with slots:
                await addition

        await asyncio.gather(*map(one, additions))

    async def delete_pod(self, name: str) -> None:
        """Delete a pod at once, as if its kubelet had confirmed its end."""
        await self.client.delete(PODS, name, "default", options={"gracePeriodSeconds": 0})

    async def patch_pod(self, name: str, patch: Object) -> None:
        """Apply a merge patch to a pod."""
        await self.client.patch(PODS, name, patch, "default")

    def pod(self, name: str) -> Object:
        """Return the pod as last seen, {} before that."""
        return self._pods.get(f"default/{name}") or {}

    def node_of(self, name: str) -> str:
        """Return the pod's node, "" while it has none."""
        found: str = dig(self.pod(name), "spec", "nodeName", default="")
        return found

    def scheduled_condition(self, name: str) -> Object:
        """Return the pod's PodScheduled condition, {} while it has none."""
        return find_condition(self.pod(name), "PodScheduled") or {}

    def notes(self, name: str, reason: str) -> list[str]:
        """Return the messages of the events about a pod with this reason."""
        return [
            event["message"]
            for event in self._events.list()
            if event["reason"] == reason and event["involvedObject"].get("name") == name
        ]

    async def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait until `holds`, looking again at each change of a pod or an event.

        It fails when nothing changes any more, however long a slow machine takes.
        """
        try:
            while not holds():
                self._changed.clear()
                async with asyncio.timeout(SECONDS):
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"nothing changed for {SECONDS:.0f} s, without {what}") from None

    async def until_bound(self, *names: str) -> None:
        """Wait until every pod has a node."""
        await self.until(lambda: all(map(self.node_of, names)), f"nodes for {', '.join(names[:9])}")

    async def until_refused(self, name: str, message: str) -> None:
        """Wait until the pod's condition and an event carry the message."""

        def is_refused() -> bool:
            said = self.scheduled_condition(name).get("message")
            return said == message and message in self.notes(name, "FailedScheduling")

        try:
            await self.until(is_refused, message)
        except AssertionError:
            found = self.scheduled_condition(name), self.notes(name, "FailedScheduling")
            raise AssertionError(f"{message!r} expected, {found} found") from None


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
