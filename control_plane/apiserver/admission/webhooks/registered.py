"""The webhooks of all configurations of one kind, compiled as the watch cache takes them in."""

from control_plane.api.objects import Object
from control_plane.api.resources import Resource
from control_plane.apiserver.admission.webhooks.hook import Hook, hooks_of
from control_plane.apiserver.admission_configuration.credentials import Credentials
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Follower


class RegisteredHooks:
    """`hooks` are all, by the names of their configurations and in their order."""

    def __init__(
        self, collections: Collections, resource: Resource, credentials: Credentials
    ) -> None:
        """Follow the configurations of this kind from now on; calls are made with `credentials`."""
        self._credentials = credentials
        self.hooks: tuple[Hook, ...] = ()
        self._by_configuration: dict[str, tuple[Hook, ...]] = {}
        collections.observe(resource, Follower(self._put))

    def _put(self, place: tuple[str, str], configuration: Object | None) -> None:
        name = place[1]
        if configuration is None:
            self._by_configuration.pop(name, None)
        else:
            self._by_configuration[name] = tuple(hooks_of(configuration, self._credentials))
        ordered = sorted(self._by_configuration.items())
        self.hooks = tuple(hook for _, hooks in ordered for hook in hooks)
