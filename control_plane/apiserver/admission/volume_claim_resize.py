"""PersistentVolumeClaimResize: a claim grows only if it is bound and its class lets it."""

from control_plane.api.objects import Object, dig
from control_plane.api.quota.amounts import thousandths
from control_plane.api.quota.object_usage import storage_class_of
from control_plane.api.resources import PERSISTENTVOLUMECLAIMS, STORAGECLASSES
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Followed


class PersistentVolumeClaimResize(Plugin):
    """Refuses other growth."""

    concerns = (PERSISTENTVOLUMECLAIMS,)

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Follow which storage classes allow expansion."""
        super().__init__(collections, authorizer)
        self._expandable: Followed[bool] = Followed(
            collections, STORAGECLASSES, lambda obj: obj.get("allowVolumeExpansion") is True
        )

    async def check(self, review: Review) -> None:
        """Look at a claim whose request becomes larger."""
        old = review.old
        if old is None or not review.is_for(PERSISTENTVOLUMECLAIMS, Operation.UPDATE):
            return
        if _size(review.obj) <= _size(old):
            return
        if dig(old, "status", "phase") != "Bound":
            raise review.forbidden("Only bound persistent volume claims can be expanded")
        named = storage_class_of(review.obj)
        if not named or named != storage_class_of(old) or not self._expandable.get("", named):
            raise review.forbidden(
                "only dynamically provisioned pvc can be resized and the storageclass that "
                "provisions the pvc must support resize"
            )


def _size(claim: Object) -> int:
    return thousandths(dig(claim, "spec", "resources", "requests", "storage", default="0"))
