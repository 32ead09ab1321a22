"""The registry's way to allocation: a block around a write, and a release after a deletion."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from control_plane.api.objects import Object
from control_plane.api.resources import SERVICES, Resource
from control_plane.apiserver.allocation.claims import Claims, give_back
from control_plane.apiserver.allocation.services import ServiceAllocation
from control_plane.apiserver.etcd.errors import StoreTimeoutError, StoreUnavailableError


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
        else what only `old` needed is. When the store fails within the block, or the block is
        cancelled, the write may have happened all the same: nothing is released.
        """
        claims = Claims()
        happened = may_happen = False
        try:
            if resource == SERVICES:
                await self._services.allocate(new, old, claims)
            may_happen = not dry_run
            yield claims
            happened = not dry_run
        except (StoreUnavailableError, StoreTimeoutError, asyncio.CancelledError):
            if may_happen:
                claims.keep()
            raise
        finally:
            await claims.settle(happened=happened)

    async def release(self, resource: Resource, obj: Object) -> None:
        """Give back what a deleted object had; what the store does not take back is logged."""
        if resource == SERVICES:
            await give_back(lambda: self._services.release(obj))
