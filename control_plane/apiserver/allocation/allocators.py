"""The registry's way to allocation: what has to be written together with an object."""

import contextlib
from collections.abc import AsyncIterator

from control_plane.api.objects import Object
from control_plane.api.resources import SERVICES, Resource
from control_plane.apiserver.allocation.services import ServiceAllocation
from control_plane.apiserver.etcd.model import KeyChange


class Allocators:
    """Allocates for the resources that need it; does nothing for the others."""

    def __init__(self, services: ServiceAllocation) -> None:
        """`services` allocates for services."""
        self._services = services

    def concerns(self, resource: Resource) -> bool:
        """Whether objects of this type need anything."""
        return resource == SERVICES

    @contextlib.asynccontextmanager
    async def for_write(
        self, resource: Resource, new: Object, old: Object | None
    ) -> AsyncIterator[list[KeyChange]]:
        """Complete `new` with what it needs.

        The changes are to be made in one transaction with the write, within the block. When that
        transaction fails over one of them, somebody else was faster: begin anew.
        """
        if not self.concerns(resource):
            yield []
            return
        async with self._services.allocated(new, old) as changes:
            yield changes

    @contextlib.asynccontextmanager
    async def for_removal(self, resource: Resource, obj: Object) -> AsyncIterator[list[KeyChange]]:
        """The changes that give back what an object has, for the transaction that removes it."""
        if not self.concerns(resource):
            yield []
            return
        async with self._services.released(obj) as changes:
            yield changes
