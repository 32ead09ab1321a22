"""Informers shared by everything in one component: one list and watch per resource and selectors.

A component makes one set, takes its informers from it, adds its handlers, and then runs the set.
"""

import asyncio

from control_plane.api.resources import Resource
from control_plane.client.client import ApiClient
from control_plane.client.clock import LOOP_CLOCK, Clock
from control_plane.client.informer import Informer

Selection = tuple[str | None, str, str]


class InformerSet:
    """The informers of one component; also takes new ones while it runs."""

    def __init__(self, client: ApiClient, *, clock: Clock = LOOP_CLOCK) -> None:
        """Start without informers."""
        self._client = client
        self._clock = clock
        self._informers: dict[tuple[Resource, Selection], Informer] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._running: dict[Informer, asyncio.Task[None]] = {}

    def informer(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        field_selector: str = "",
        label_selector: str = "",
    ) -> Informer:
        """Return the informer for this selection, made now if nobody asked for it before."""
        key = (resource, (namespace, field_selector, label_selector))
        if key not in self._informers:
            informer = Informer(
                self._client,
                resource,
                namespace=namespace,
                field_selector=field_selector,
                label_selector=label_selector,
                clock=self._clock,
            )
            self._informers[key] = informer
            if self._tasks is not None:
                self._start(informer)
        return self._informers[key]

    def forget(self, resource: Resource) -> None:
        """Stop the informers of a resource that is served no more."""
        for key in [key for key in self._informers if key[0] is resource]:
            task = self._running.pop(self._informers.pop(key), None)
            if task is not None:
                task.cancel()

    async def run(self) -> None:
        """Run all informers, present and future, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                for informer in self._informers.values():
                    self._start(informer)
                await asyncio.Event().wait()  # informers may still come
            finally:
                self._tasks = None

    async def wait_synced(self) -> None:
        """Return once every informer that exists now has listed its collection."""
        for informer in list(self._informers.values()):
            await informer.has_synced.wait()

    def _start(self, informer: Informer) -> None:
        assert self._tasks is not None
        name = f"informer-{informer.resource.plural}"
        self._running[informer] = self._tasks.create_task(informer.run(), name=name)
