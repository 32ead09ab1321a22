"""DefaultIngressClass: an Ingress that names no class gets the default one."""

from control_plane.api.objects import Object, annotations_of, name_of
from control_plane.api.resources import INGRESSCLASSES, INGRESSES
from control_plane.apiserver.admission.default_classes import default_class
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Followed

DEFAULTS = ("ingressclass.kubernetes.io/is-default-class",)
CLASS_ANNOTATION = "kubernetes.io/ingress.class"


class DefaultIngressClass(Plugin):
    """Sets spec.ingressClassName of new ingresses."""

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Follow the ingress classes."""
        super().__init__(collections, authorizer)
        self._classes: Followed[Object] = Followed(collections, INGRESSCLASSES, lambda obj: obj)

    async def admit(self, review: Review) -> None:
        """Name the default class, if there is one."""
        if not review.is_for(INGRESSES, Operation.CREATE):
            return
        spec = review.obj.setdefault("spec", {})
        named = spec.get("ingressClassName") is not None
        if named or CLASS_ANNOTATION in annotations_of(review.obj):
            return
        found = default_class(self._classes.of(""), DEFAULTS)
        if found is not None:
            spec["ingressClassName"] = name_of(found)
