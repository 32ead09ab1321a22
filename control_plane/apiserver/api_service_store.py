"""Reads and writes of the APIServices that servers make of what they serve themselves."""

import logging

import orjson

from control_plane.api.errors import AlreadyExists, NotFound
from control_plane.api.objects import Object, deep_copy, name_of
from control_plane.api.resources import APISERVICES
from control_plane.api.semantics import semantically_equal
from control_plane.apiserver.api_service_objects import managed
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.deletion import DeleteOptions
from control_plane.apiserver.registry.edit import Edit
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.storage.selection import EVERYTHING

logger = logging.getLogger(__name__)


class ApiServiceStore:
    """The APIServices as the cache has them, and changes of those that servers manage."""

    def __init__(self, registry: Registry, call: Call) -> None:
        """Write through `registry` as `call` says."""
        self._collections = registry.collections
        self._registry = registry
        self._call = call

    def stored(self) -> list[Object]:
        """All of them."""
        entries = self._collections.of(APISERVICES).cache.select(EVERYTHING)
        return [orjson.loads(entry.item) for entry in entries]

    async def keep(self, wanted: Object) -> None:
        """Make one, or make it right again unless somebody else manages it."""
        current = self._collections.cached(APISERVICES, "", name_of(wanted))
        if current is None:
            try:
                await self._registry.create(APISERVICES, "", deep_copy(wanted), self._call)
            except AlreadyExists:
                logger.debug("exists already name=%s", name_of(wanted))
            return
        if not is_changed(current, wanted):
            return

        async def correct(stored: Object) -> Object:
            return {**stored, "spec": deep_copy(wanted["spec"])}

        edit = Edit(APISERVICES, "", name_of(wanted), correct)
        try:
            await self._registry.update(edit, self._call)
        except NotFound:
            logger.debug("gone meanwhile name=%s", name_of(wanted))

    async def remove(self, name: str) -> None:
        """Delete one that is served no more."""
        try:
            await self._registry.delete(APISERVICES, "", name, DeleteOptions(), self._call)
        except NotFound:
            logger.debug("gone already name=%s", name)


def is_changed(current: Object, wanted: Object) -> bool:
    """Whether one that is managed as it should be says something else than it should."""
    return managed(current) == managed(wanted) and not semantically_equal(
        current.get("spec"), wanted["spec"]
    )
