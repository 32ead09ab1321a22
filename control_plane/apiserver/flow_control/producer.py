"""Makes and keeps the flow control objects that every cluster has.

Mandatory ones are put right whenever they differ. Suggested ones follow this release while nobody
has taken them over: while their annotation says so, or says nothing and their spec was never
changed. What an earlier release suggested and this one does not is removed, unless somebody has
taken it over. Source: the config producer of API priority and fairness, v1.35.
"""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

import orjson

from control_plane.api.errors import AlreadyExists, ApiError, NotFound
from control_plane.api.flow_bootstrap import (
    AUTOUPDATE,
    EXEMPT,
    MANDATORY_LEVELS,
    MANDATORY_SCHEMAS,
    SUGGESTED_LEVELS,
    SUGGESTED_SCHEMAS,
    bootstrap_objects,
)
from control_plane.api.objects import Object, annotations_of, deep_copy, name_of
from control_plane.api.resources import FLOWSCHEMAS, PRIORITYLEVELCONFIGURATIONS, Resource
from control_plane.api.semantics import semantically_equal
from control_plane.apiserver.auth.user import User
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.deletion import DeleteOptions
from control_plane.apiserver.registry.edit import Edit
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.waiting import say_waiting

MANAGER = "api-priority-and-fairness-config-producer-v1"
ROUND_SECONDS = 60.0
PAUSE_SECONDS = 0.5
RETRY_SECONDS = 0.5
LOAD_SECONDS = 10.0
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_TABLES = (
    (PRIORITYLEVELCONFIGURATIONS, SUGGESTED_LEVELS, False),
    (FLOWSCHEMAS, SUGGESTED_SCHEMAS, False),
    (PRIORITYLEVELCONFIGURATIONS, MANDATORY_LEVELS, True),
    (FLOWSCHEMAS, MANDATORY_SCHEMAS, True),
)

logger = logging.getLogger(__name__)


class FlowControlProducer:
    """Runs until cancelled; `done` is set after the first complete round.

    A round follows every minute, and soon after somebody has set `changed`.
    """

    def __init__(self, collections: Collections, registry: Registry) -> None:
        """Write through `registry`."""
        self.done = asyncio.Event()
        self.changed = asyncio.Event()
        self._collections = collections
        self._registry = registry
        user = User("system:apiserver", ("system:masters",))
        self._call = Call(user, field_manager=MANAGER)

    async def run(self) -> None:
        """Round after round for ever; a round that fails is tried again soon."""
        while True:
            try:
                await self._round()
            except (StoreError, ApiError) as error:
                say_waiting(logger, "flow control objects wait", error)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self.done.set()
                await self._pause()

    async def _pause(self) -> None:
        """Until the next round; who undoes every round is answered once in PAUSE_SECONDS."""
        await asyncio.sleep(PAUSE_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROUND_SECONDS):
                await self.changed.wait()
        self.changed.clear()

    async def _round(self) -> None:
        for resource in (PRIORITYLEVELCONFIGURATIONS, FLOWSCHEMAS):
            if not await self._collections.of(resource).is_loaded(within=LOAD_SECONDS):
                raise StoreError("the datastore has not been read yet")
        await together(
            self._keep(resource, wanted, is_mandatory)
            for resource, specs, is_mandatory in _TABLES
            for wanted in bootstrap_objects(specs)
        )
        await self._remove(FLOWSCHEMAS, {*SUGGESTED_SCHEMAS, *MANDATORY_SCHEMAS})
        await self._remove(PRIORITYLEVELCONFIGURATIONS, {*SUGGESTED_LEVELS, *MANDATORY_LEVELS})

    async def _keep(self, resource: Resource, wanted: Object, is_mandatory: bool) -> None:
        name = name_of(wanted)
        current = self._collections.cached(resource, "", name)
        if current is None:
            try:
                await self._registry.create(resource, "", deep_copy(wanted), self._call)
            except AlreadyExists:
                logger.debug("exists already resource=%s name=%s", resource.plural, name)
            return
        if brought_up_to_date(current, wanted, is_mandatory=is_mandatory) is None:
            return

        async def correct(stored: Object) -> Object:
            return brought_up_to_date(stored, wanted, is_mandatory=is_mandatory) or stored

        try:
            await self._registry.update(Edit(resource, "", name, correct), self._call)
        except NotFound:
            logger.debug("gone resource=%s name=%s", resource.plural, name)

    async def _remove(self, resource: Resource, known: set[str]) -> None:
        """Remove what is not suggested any more and still this server's to change."""
        for entry in self._collections.of(resource).cache.select():
            if entry.name in known:
                continue
            if annotations_of(orjson.loads(entry.item)).get(AUTOUPDATE) in _TRUE:
                options = DeleteOptions()
                await self._registry.delete(resource, "", entry.name, options, self._call)


async def together(writes: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do writes at once, which the store may then commit as one; raises the first error."""
    for result in await asyncio.gather(*writes, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


def brought_up_to_date(current: Object, wanted: Object, *, is_mandatory: bool) -> Object | None:
    """The object as it should be; None when it is so already. Pure."""
    follows = is_mandatory or _is_followed(current)
    spec = _spec(current, wanted) if follows else current.get("spec") or {}
    stated = annotations_of(current).get(AUTOUPDATE, "")
    is_stated = stated in (_TRUE if follows else _FALSE)
    if is_stated and semantically_equal(spec, current.get("spec")):
        return None
    changed = deep_copy(current)
    changed["spec"] = deep_copy(spec)
    if not is_stated:
        annotations = changed["metadata"].setdefault("annotations", {})
        annotations[AUTOUPDATE] = "true" if follows else "false"
    return changed


def _spec(current: Object, wanted: Object) -> Object:
    """The wanted spec, with what administrators may change of the exempt level."""
    spec: Object = wanted["spec"]
    exempt = (current.get("spec") or {}).get(EXEMPT)
    return {**spec, EXEMPT: exempt} if spec.get(EXEMPT) and exempt else spec


def _is_followed(obj: Object) -> bool:
    """Whether nobody has taken the object over."""
    stated = annotations_of(obj).get(AUTOUPDATE, "")
    if stated in _TRUE or stated in _FALSE:
        return stated in _TRUE
    return bool(obj["metadata"].get("generation") == 1)
