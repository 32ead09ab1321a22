"""Keeps Bindings as the watch caches of roles and bindings are."""

from control_plane.api.objects import Object
from control_plane.api.resources import CLUSTERROLEBINDINGS, CLUSTERROLES, ROLEBINDINGS, ROLES
from control_plane.apiserver.auth.rbac.bindings import Bindings, Place, binding_of
from control_plane.apiserver.auth.rbac.permissions import role_of
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Follower


def follow(collections: Collections) -> Bindings:
    """Bindings that are kept current from now on."""
    bindings = Bindings()

    def set_role(place: Place, obj: Object | None) -> None:
        bindings.set_role(place, role_of(obj) if obj is not None else None)

    def set_binding(place: Place, obj: Object | None) -> None:
        found = binding_of(obj, place[0]) if obj is not None else None
        bindings.set_binding(place, found)

    for resource in (CLUSTERROLES, ROLES):
        collections.observe(resource, Follower(set_role))
    for resource in (CLUSTERROLEBINDINGS, ROLEBINDINGS):
        collections.observe(resource, Follower(set_binding))
    return bindings
