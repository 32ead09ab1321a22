"""Makes the bootstrap roles and bindings at the start of a server, or completes those there are.

Runs once: what somebody deletes later stays away until the next start. Source: the hook
rbac/bootstrap-roles of kube-apiserver v1.35.
"""

import asyncio
import logging
from collections.abc import Iterator

from control_plane.api.errors import AlreadyExists, ApiError, NotFound
from control_plane.api.objects import Object, deep_copy, name_of, namespace_of
from control_plane.api.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    ROLEBINDINGS,
    ROLES,
    Resource,
)
from control_plane.apiserver.auth.rbac import bootstrap_policy as policy
from control_plane.apiserver.auth.rbac.reconciling import is_of_another_role, reconciled
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.deletion import DeleteOptions
from control_plane.apiserver.registry.edit import Edit
from control_plane.apiserver.registry.registry import Registry
from control_plane.apiserver.storage.collections import Collections

HOOK = "rbac/bootstrap-roles"
LOADING_SECONDS = 10.0
RETRY_SECONDS = 0.5
TOGETHER = 32  # writes at once
RESOURCES = (CLUSTERROLES, CLUSTERROLEBINDINGS, ROLES, ROLEBINDINGS)

logger = logging.getLogger(__name__)


class RoleKeeper:
    """`done` is set when all are there."""

    def __init__(self, collections: Collections, registry: Registry, call: Call) -> None:
        """Act as `call` says."""
        self.done = asyncio.Event()
        self._collections = collections
        self._registry = registry
        self._call = call
        self._turns = asyncio.Semaphore(TOGETHER)

    async def run(self) -> None:
        """Return when all are there; what fails is tried again soon."""
        while not self.done.is_set():
            try:
                await self._load()
                async with asyncio.TaskGroup() as group:
                    for resource, wanted in _bootstrap_objects():
                        group.create_task(self._keep(resource, wanted))
            except* (StoreError, ApiError) as errors:
                first = errors.exceptions[0]
                level = logging.INFO if isinstance(first, StoreError) else logging.WARNING
                logger.log(level, "bootstrap roles wait: %s", first)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self.done.set()

    async def _load(self) -> None:
        for resource in RESOURCES:
            if not await self._collections.of(resource).is_loaded(within=LOADING_SECONDS):
                raise StoreError("the datastore has not been read yet")

    async def _keep(self, resource: Resource, wanted: Object) -> None:
        namespace, name = namespace_of(wanted), name_of(wanted)
        async with self._turns:
            current = self._collections.cached(resource, namespace, name)
            if current is not None and "roleRef" in wanted and is_of_another_role(current, wanted):
                await self._remove(resource, namespace, name)
                current = None
            if current is None:
                await self._make(resource, namespace, wanted)
            elif reconciled(current, wanted) is not None:
                await self._complete(resource, namespace, wanted)

    async def _make(self, resource: Resource, namespace: str, wanted: Object) -> None:
        try:
            await self._registry.create(resource, namespace, deep_copy(wanted), self._call)
        except AlreadyExists:
            logger.debug("exists already resource=%s name=%s", resource.plural, name_of(wanted))

    async def _complete(self, resource: Resource, namespace: str, wanted: Object) -> None:
        async def complete(stored: Object) -> Object:
            return reconciled(stored, wanted) or stored

        try:
            edit = Edit(resource, namespace, name_of(wanted), complete)
            await self._registry.update(edit, self._call)
        except NotFound:
            logger.debug("gone resource=%s name=%s", resource.plural, name_of(wanted))

    async def _remove(self, resource: Resource, namespace: str, name: str) -> None:
        try:
            await self._registry.delete(resource, namespace, name, DeleteOptions(), self._call)
        except NotFound:
            logger.debug("gone already resource=%s name=%s", resource.plural, name)


def _bootstrap_objects() -> Iterator[tuple[Resource, Object]]:
    yield from ((CLUSTERROLES, obj) for obj in policy.cluster_roles())
    yield from ((CLUSTERROLEBINDINGS, obj) for obj in policy.cluster_role_bindings())
    yield from ((ROLES, obj) for obj in policy.roles())
    yield from ((ROLEBINDINGS, obj) for obj in policy.role_bindings())
