"""NamespaceLifecycle: nothing is created in a namespace that is missing or going away, and the
cluster's own namespaces stay.
"""

from control_plane.api.errors import NotFound
from control_plane.api.objects import dig, is_terminating, name_of
from control_plane.api.resources import NAMESPACES
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review

PROTECTED = frozenset({"default", "kube-system", "kube-public"})


class NamespaceLifecycle(Plugin):
    """Refuses by the state of the namespace."""

    async def admit(self, review: Review) -> None:
        """Refuse to delete a protected namespace, or to create where nothing may be created."""
        if review.resource == NAMESPACES:
            if review.operation is Operation.DELETE and name_of(review.obj) in PROTECTED:
                raise review.forbidden("this namespace may not be deleted")
            return
        if review.operation is not Operation.CREATE or not review.resource.namespaced:
            return
        namespace = await self.collections.find(NAMESPACES, "", review.namespace)
        if namespace is None:
            raise NotFound.of(NAMESPACES, review.namespace)
        if is_terminating(namespace) or dig(namespace, "status", "phase") == "Terminating":
            self._refuse(review)

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
