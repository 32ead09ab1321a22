"""StorageObjectInUseProtection: volumes and claims in use are not lost to a deletion."""

from control_plane.api.objects import finalizers_of
from control_plane.api.protection import FINALIZERS
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review


class StorageObjectInUseProtection(Plugin):
    """Adds the protecting finalizer, which a controller removes."""

    concerns = tuple(FINALIZERS)

    async def admit(self, review: Review) -> None:
        """Append the finalizer to a new volume or claim."""
        finalizer = FINALIZERS.get(review.resource)
        if finalizer is None or not review.is_for(review.resource, Operation.CREATE):
            return
        finalizers = finalizers_of(review.obj)
        if finalizer not in finalizers:
            review.obj["metadata"]["finalizers"] = [*finalizers, finalizer]
