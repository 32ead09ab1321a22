"""DefaultStorageClass: a claim that names no class gets the default one; "" asks for none."""

from control_plane.api.objects import Object, annotations_of, name_of
from control_plane.api.resources import PERSISTENTVOLUMECLAIMS, STORAGECLASSES
from control_plane.apiserver.admission.default_classes import default_class
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Followed

DEFAULTS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


class DefaultStorageClass(Plugin):
    """Sets spec.storageClassName of new claims."""

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Follow the storage classes."""
        super().__init__(collections, authorizer)
        self._classes: Followed[Object] = Followed(collections, STORAGECLASSES, lambda obj: obj)

    async def admit(self, review: Review) -> None:
        """Name the default class, if there is one."""
        if not review.is_for(PERSISTENTVOLUMECLAIMS, Operation.CREATE):
            return
        spec = review.obj.setdefault("spec", {})
        named = spec.get("storageClassName") is not None
        if named or CLASS_ANNOTATION in annotations_of(review.obj):
            return
        found = default_class(self._classes.of(""), DEFAULTS)
        if found is not None:
            spec["storageClassName"] = name_of(found)
