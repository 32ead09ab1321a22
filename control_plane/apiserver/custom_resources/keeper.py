"""Judges CustomResourceDefinitions: accepts their names, establishes them, ends those deleted.

Every server does so; who comes second finds the work done. What fails is tried again soon.
Source: the naming, establishing and finalizing controllers of apiextensions v1.35.
"""

import asyncio
import logging

from control_plane.api.custom.conditions import (
    CLEANUP,
    TERMINATING,
    condition,
    has_its_names,
    taken_by,
    with_condition,
    with_names,
)
from control_plane.api.custom.definition import Definition
from control_plane.api.errors import ApiError, NotFound
from control_plane.api.objects import Object, finalizers_of
from control_plane.api.resources import CUSTOMRESOURCEDEFINITIONS, Resource
from control_plane.apiserver.custom_resources.follower import DefinitionFollower
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.deletion import DeleteOptions
from control_plane.apiserver.registry.edit import Edit, Transform
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.storage.selection import EVERYTHING
from control_plane.apiserver.waiting import say_waiting

RETRY_SECONDS = 1.0
LOADING_SECONDS = 5.0
RESYNC_SECONDS = 60.0
# what is done when `done` is, by upstream's names
HOOKS = ("start-apiextensions-informers", "start-apiextensions-controllers", "crd-informer-synced")

logger = logging.getLogger(__name__)


class DefinitionKeeper:
    """Keeps the status of every definition; `done` is set once all have been judged."""

    def __init__(self, follower: DefinitionFollower, registry: Registry, call: Call) -> None:
        """Write through `registry` as `call` says."""
        self.done = asyncio.Event()
        self._follower = follower
        self._registry = registry
        self._collections = registry.collections
        self._call = call

    async def run(self) -> None:
        """Judge all, then whatever changes, until cancelled."""
        while True:
            try:
                await self._follow()
            except (StoreError, ApiError) as error:
                say_waiting(logger, "custom resource definitions wait", error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        collection = self._collections.of(CUSTOMRESOURCEDEFINITIONS)
        if not await collection.is_loaded(within=LOADING_SECONDS):
            return
        watcher = collection.cache.watch_state(EVERYTHING, with_objects=False)
        try:
            while not watcher.has_ended:
                is_complete = await self._judge_all()
                self.done.set()
                await watcher.take(RESYNC_SECONDS if is_complete else RETRY_SECONDS)
        finally:
            collection.cache.unwatch(watcher)

    async def _judge_all(self) -> bool:
        """Judge what is not judged as it is; True when nothing is left to do."""
        is_complete = True
        for name, definition in [*self._follower.definitions.items()]:
            if not definition.is_terminating:
                if not (has_its_names(definition.outline) or self._is_settled(definition)):
                    await self._settle(name)
            elif CLEANUP in finalizers_of(definition.outline):
                is_complete &= await self._end(definition)
        return is_complete

    def _is_settled(self, definition: Definition) -> bool:
        """Whether a definition has the status that it gets."""
        obj = definition.outline
        return self._settled(obj) == obj

    def _settled(self, obj: Object) -> Object:
        name, group = obj["metadata"]["name"], obj["spec"]["group"]
        others = [
            other.accepted
            for other in self._follower.definitions.values()
            if other.group == group and other.name != name
        ]
        return with_names(obj, taken_by(others), self._registry.now())

    async def _settle(self, name: str) -> None:
        async def settled(stored: Object) -> Object:
            return self._settled(stored)

        await self._write(name, settled)

    async def _write(self, name: str, change: Transform) -> None:
        edit = Edit(CUSTOMRESOURCEDEFINITIONS, "", name, change, "status", is_system=True)
        try:
            await self._registry.update(edit, self._call)
        except NotFound:
            logger.debug("gone meanwhile name=%s", name)

    async def _end(self, definition: Definition) -> bool:
        """Delete the objects of a definition, and let it go once there are none; True if so."""
        rows = self._follower.rows(definition.name)
        if not rows:
            await self._say(
                definition, "False", "NeverEstablished", "resource was never established"
            )
        else:
            await self._say(
                definition,
                "True",
                "InstanceDeletionInProgress",
                "CustomResource deletion is in progress",
            )
            if await self._delete_objects(rows[0]):
                return False
            await self._say(
                definition, "False", "InstanceDeletionCompleted", "removed all instances"
            )

        async def released(stored: Object) -> Object:
            kept = [name for name in finalizers_of(stored) if name != CLEANUP]
            return {**stored, "metadata": {**stored["metadata"], "finalizers": kept}}

        await self._write(definition.name, released)
        return True

    async def _delete_objects(self, row: Resource) -> int:
        """Delete every object of a resource; return how many are left."""
        store = self._collections.of(row).store
        page = await store.page(EVERYTHING)
        for entry in page.entries:
            try:
                await self._registry.delete(
                    row, entry.namespace, entry.name, DeleteOptions(), self._call
                )
            except NotFound:
                logger.debug("gone already name=%s", entry.key)
        return len((await store.page(EVERYTHING, limit=1)).entries)

    async def _say(self, definition: Definition, status: str, reason: str, message: str) -> None:
        now = self._registry.now()
        said = condition(TERMINATING, status, reason, message, now)
        if with_condition(definition.outline, said) == definition.outline:
            return

        async def saying(stored: Object) -> Object:
            return with_condition(stored, said)

        await self._write(definition.name, saying)
