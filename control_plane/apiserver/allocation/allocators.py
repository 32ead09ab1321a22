"""The registry's way to allocation: a block around a write, and a release after a deletion."""

import contextlib
from collections.abc import AsyncIterator

from control_plane.api.objects import Object
from control_plane.api.resources import SERVICES, Resource
from control_plane.apiserver.allocation.claims import Claims
from control_plane.apiserver.allocation.services import ServiceAllocation


class Allocators:
    """Allocates for the resources that need it; does nothing for the others."""

    def __init__(self, services: ServiceAllocation) -> None:
        """`services` allocates for services."""
        self._services = services

    @contextlib.asynccontextmanager
    async def for_write(
        self, resource: Resource, new: Object, old: Object | None, *, dry_run: bool
    ) -> AsyncIterator[Claims]:
        """Complete `new` with what it needs, for a write that happens inside the block.

        When the block raises, abandons the claims, or is a dry run, everything claimed is released;
        else what only `old` needed is.
        """
        claims = Claims()
        happened = False
        try:
            if resource == SERVICES:
                await self._services.allocate(new, old, claims)
            yield claims
            happened = not dry_run
        finally:
            await claims.settle(happened=happened)

    async def release(self, resource: Resource, obj: Object) -> None:
        """Give back what a deleted object had."""
        if resource == SERVICES:
            await self._services.release(obj)
