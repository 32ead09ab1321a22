"""OwnerReferencesPermissionEnforcement: who changes owners must be able to delete what is owned.

Who lets the deletion of an owner wait for it must be able to set finalizers on the owner. Off by
default. Source: the plugin of Kubernetes v1.35.
"""

from collections.abc import Iterator

from control_plane.api.objects import Object, dig
from control_plane.api.resources import PODS
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.decision import Decision
from control_plane.apiserver.auth.rules import Attributes


class OwnerReferencesPermissionEnforcement(Plugin):
    """Refuses references by those who lack the rights."""

    async def check(self, review: Review) -> None:
        """Look at the references that are new or others."""
        if review.operation not in (Operation.CREATE, Operation.UPDATE):
            return
        if review.resource is PODS and review.subresource == "status":
            return
        new, old = _owners(review.obj), _owners(review.old or {})
        if new == old:
            return
        decision = self._may_delete(review)
        if not decision.allowed:
            text = "cannot set an ownerRef on a resource you can't delete"
            raise review.forbidden(f"{text}: {decision.reason}, {decision.error or '<nil>'}")
        for owner in _newly_blocking(new, old):
            self._check_owner(review, owner)

    def _may_delete(self, review: Review) -> Decision:
        resource = review.resource
        asked = Attributes(
            "delete",
            group=resource.group,
            resource=resource.plural,
            subresource=review.subresource,
            namespace=review.namespace,
            name=review.name,
        )
        return self.authorizer.decide(review.call.user, asked)

    def _check_owner(self, review: Review, owner: Object) -> None:
        version, kind = owner.get("apiVersion") or "", owner.get("kind") or ""
        resource = self.collections.resources.of_kind(version, kind)
        if resource is None:
            raise review.forbidden(
                "cannot set blockOwnerDeletion in this case because cannot find RESTMapping for "
                f'APIVersion {version} Kind {kind}: no matches for kind "{kind}" in version '
                f'"{version}"'
            )
        asked = Attributes(
            "update",
            group=resource.group,
            resource=resource.plural,
            subresource="finalizers",
            namespace=review.namespace if resource.namespaced else "",
            name=owner.get("name") or "",
        )
        decision = self.authorizer.decide(review.call.user, asked)
        if not decision.allowed:
            raise review.forbidden(
                "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't "
                f"set finalizers on: {decision.reason}, {decision.error or '<nil>'}"
            )


def _owners(obj: Object) -> list[Object]:
    return list(dig(obj, "metadata", "ownerReferences", default=[]) or ())


def _newly_blocking(new: list[Object], old: list[Object]) -> Iterator[Object]:
    blocking = {owner.get("uid") for owner in old if owner.get("blockOwnerDeletion")}
    for owner in new:
        if owner.get("blockOwnerDeletion") and owner.get("uid") not in blocking:
            yield owner
