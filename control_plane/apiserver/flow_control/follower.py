"""Keeps FlowControl as the cluster's objects say, and says in the FlowSchemas whether it could.

It follows the two watch caches of this server, so that a change is in force a moment after it was
written, by whichever server. A FlowSchema whose priority level is not there is Dangling. Source:
the config consumer of API priority and fairness, v1.35.
"""

import asyncio
import datetime
import logging
from collections import deque

import orjson

from control_plane.api.apply import endpoint_of
from control_plane.api.errors import ApiError, NotFound
from control_plane.api.objects import Object, find_condition, name_of
from control_plane.api.resources import FLOWSCHEMAS, PRIORITYLEVELCONFIGURATIONS, Resource
from control_plane.api.timestamps import format_time
from control_plane.apiserver.auth.user import User
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.flow_control.classification import compiled
from control_plane.apiserver.flow_control.configuration import configuration_of
from control_plane.apiserver.flow_control.flow_control import FlowControl
from control_plane.apiserver.flow_control.producer import together
from control_plane.apiserver.http.applying import Applying, Configuration
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.edit import Edit
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.selection import EVERYTHING

MANAGER = "api-priority-and-fairness-config-consumer-v1"
DANGLING = "Dangling"
RETRY_SECONDS = 1.0
LOOK_SECONDS = 60.0
MAX_WRITES = 6  # of one FlowSchema's status a minute: servers that disagree do not fight on

logger = logging.getLogger(__name__)


class FlowControlFollower:
    """Runs until cancelled; `done` is set once the cluster's objects are in force."""

    def __init__(
        self,
        collections: Collections,
        registry: Registry,
        flow: FlowControl,
        changed: asyncio.Event,
    ) -> None:
        """Follow these collections; `changed` is set after each change of them."""
        self.done = asyncio.Event()
        self._collections = collections
        self._registry = registry
        self._flow = flow
        self._told = changed
        self._changed = asyncio.Event()
        self._writes: dict[str, deque[float]] = {}
        user = User("system:apiserver", ("system:masters",))
        self._call = Call(user, field_manager=MANAGER, force=True)

    async def run(self) -> None:
        """Follow for ever."""
        async with asyncio.TaskGroup() as group:
            for resource in (FLOWSCHEMAS, PRIORITYLEVELCONFIGURATIONS):
                group.create_task(self._notice(resource))
            group.create_task(self._keep())

    async def _notice(self, resource: Resource) -> None:
        """Set `changed` whenever one of the resource's objects may have changed."""
        collection = self._collections.of(resource)
        while True:
            if not await collection.is_loaded(within=LOOK_SECONDS):
                continue
            watcher = collection.cache.watch_state(EVERYTHING, with_objects=False)
            try:
                self._changed.set()
                while not watcher.has_ended:
                    if await watcher.take(LOOK_SECONDS):
                        self._changed.set()
            finally:
                watcher.end()
                collection.cache.unwatch(watcher)
            await asyncio.sleep(RETRY_SECONDS)

    async def _keep(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            if not self._is_loaded():
                continue
            schemas = self._objects(FLOWSCHEMAS)
            configuration = configuration_of(schemas, self._objects(PRIORITYLEVELCONFIGURATIONS))
            self._flow.configure(configuration)
            self.done.set()
            self._told.set()
            await self._write_conditions(schemas, configuration.missing)

    def _is_loaded(self) -> bool:
        """Half of the objects would let schemas dangle that do not."""
        rows = (FLOWSCHEMAS, PRIORITYLEVELCONFIGURATIONS)
        return all(self._collections.of(row).cache.clock.is_set for row in rows)

    def _objects(self, resource: Resource) -> list[Object]:
        cache = self._collections.of(resource).cache
        return [orjson.loads(entry.item) for entry in cache.select()]

    async def _write_conditions(self, schemas: list[Object], missing: dict[str, bool]) -> None:
        try:
            await together(
                self._write_condition(obj, missing[name_of(obj)])
                for obj in schemas
                if name_of(obj) in missing
                and condition_is_wrong(obj, missing=missing[name_of(obj)])
            )
        except (StoreError, ApiError) as error:
            logger.info("conditions of flow schemas wait: %s", error)
            await asyncio.sleep(RETRY_SECONDS)
            self._changed.set()

    async def _write_condition(self, obj: Object, missing: bool) -> None:
        name = name_of(obj)
        if not self._may_write(name):
            return
        condition = dangling_condition(compiled(obj).level, missing=missing)
        now = format_time(datetime.datetime.now(datetime.UTC))
        config = {
            "kind": FLOWSCHEMAS.kind,
            "apiVersion": FLOWSCHEMAS.api_version,
            "metadata": {"name": name},
            "status": {"conditions": [{**condition, "lastTransitionTime": now}]},
        }
        endpoint = endpoint_of(FLOWSCHEMAS, "status")
        change = Applying(Configuration(config), endpoint, self._call, self._registry.now())

        async def transform(current: Object) -> Object:
            return change.apply(current)

        edit = Edit(FLOWSCHEMAS, "", name, transform, "status", sets_owners=True)
        try:
            await self._registry.update(edit, self._call)
        except NotFound:
            logger.debug("flow schema gone name=%s", name)

    def _may_write(self, name: str) -> bool:
        now = asyncio.get_running_loop().time()
        writes = self._writes.setdefault(name, deque(maxlen=MAX_WRITES))
        if len(writes) == MAX_WRITES and now - writes[0] < LOOK_SECONDS:
            asyncio.get_running_loop().call_later(LOOK_SECONDS, self._changed.set)
            return False
        writes.append(now)
        return True


def dangling_condition(level: str, *, missing: bool) -> Object:
    """The condition of a FlowSchema that names `level`, without its time."""
    reference = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
    if missing:
        text = f"{reference} but there is no such object"
        return {"type": DANGLING, "status": "True", "reason": "NotFound", "message": text}
    text = f"{reference} and it exists"
    return {"type": DANGLING, "status": "False", "reason": "Found", "message": text}


def condition_is_wrong(obj: Object, *, missing: bool) -> bool:
    """Whether a FlowSchema's condition says something else than is so."""
    wanted = dangling_condition(compiled(obj).level, missing=missing)
    found = find_condition(obj, DANGLING) or {}
    return any(found.get(key) != value for key, value in wanted.items())
