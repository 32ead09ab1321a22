"""Where the API server's own event recorders write: its registry, without a detour over HTTP."""

from control_plane.api.objects import Object, namespace_of
from control_plane.api.resources import Resource
from control_plane.apiserver.auth.user import User
from control_plane.apiserver.etcd.errors import StoreError
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.edit import Edit
from control_plane.apiserver.registry.registry import Registry
from control_plane.client.client import ApiUnavailable


class RegistryEvents:
    """Creates and patches as the API client does, as far as recorders ask for it."""

    def __init__(self, registry: Registry) -> None:
        """Write through `registry`."""
        self._registry = registry
        user = User("system:apiserver", ("system:masters",))
        self._call = Call(user, field_manager="kube-apiserver")

    async def create(self, resource: Resource, obj: Object) -> Object:
        """Store a new event; raises ApiError or ApiUnavailable."""
        body = {**obj, "metadata": dict(obj["metadata"])}
        try:
            return await self._registry.create(resource, namespace_of(obj), body, self._call)
        except StoreError as error:
            raise ApiUnavailable(str(error)) from error

    async def patch(
        self, resource: Resource, name: str, patch: Object, namespace: str = "", *, kind: str = ""
    ) -> Object:
        """Replace the fields that `patch` has; raises ApiError or ApiUnavailable."""
        del kind  # whole fields at the top: every kind of merge does the same with them

        async def change(stored: Object) -> Object:
            return {**stored, **patch}

        try:
            changed, _ = await self._registry.update(
                Edit(resource, namespace, name, change), self._call
            )
        except StoreError as error:
            raise ApiUnavailable(str(error)) from error
        return changed
