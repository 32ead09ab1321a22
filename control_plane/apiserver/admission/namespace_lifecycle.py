"""NamespaceLifecycle: nothing is created in a namespace that is missing or going away, and the
cluster's own namespaces stay.

The cache says what state a namespace is in, but for namespaces that were deleted through this
server: the cache may not know of that yet, so the store is asked. The last MAX_DELETED are
remembered.
"""

from collections import OrderedDict

from control_plane.api.errors import NotFound
from control_plane.api.objects import Object, dig, is_terminating, name_of
from control_plane.api.resources import LOCALSUBJECTACCESSREVIEWS, NAMESPACES
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Followed

MAX_DELETED = 100
PROTECTED = frozenset({"default", "kube-system", "kube-public"})


class NamespaceLifecycle(Plugin):
    """Refuses by the state of the namespace."""

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Start with no deletion seen."""
        super().__init__(collections, authorizer)
        self._closed: Followed[bool] = Followed(collections, NAMESPACES, _is_closed)
        self._deleted: OrderedDict[str, None] = OrderedDict()

    async def admit(self, review: Review) -> None:
        """Refuse to delete a protected namespace, or to create where nothing may be created."""
        if review.resource == NAMESPACES:
            if review.operation is Operation.DELETE:
                self._delete(review)
            return
        if review.operation is not Operation.CREATE or not review.resource.namespaced:
            return
        if review.resource == LOCALSUBJECTACCESSREVIEWS:
            return  # whether a namespace exists is not for everybody
        is_known = review.namespace not in self._deleted
        closed = self._closed.get("", review.namespace) if is_known else None
        if closed is None:
            namespace = await self.collections.live(NAMESPACES, "", review.namespace)
            if namespace is None:
                raise NotFound.of(NAMESPACES, review.namespace)
            closed = _is_closed(namespace)
        if closed:
            self._refuse(review)

    def _delete(self, review: Review) -> None:
        name = name_of(review.obj)
        if name in PROTECTED:
            raise review.forbidden("this namespace may not be deleted")
        self._deleted[name] = None
        self._deleted.move_to_end(name)
        if len(self._deleted) > MAX_DELETED:
            self._deleted.popitem(last=False)

    def _refuse(self, review: Review) -> None:
        name = review.namespace
        error = review.forbidden(
            f"unable to create new content in namespace {name} because it is being terminated"
        )
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {name} is being terminated",
            "field": "metadata.namespace",
        }
        error.details["causes"] = [cause]
        raise error


def _is_closed(namespace: Object) -> bool:
    """Whether a namespace is going away."""
    return is_terminating(namespace) or dig(namespace, "status", "phase") == "Terminating"
