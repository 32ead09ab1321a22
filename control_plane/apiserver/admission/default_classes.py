"""Which of the classes of a kind is the default, and the plugins that name it in new objects.

The default is the newest that says so, of equal ones the first by name.
"""

from collections.abc import Iterable
from typing import ClassVar

from control_plane.api.objects import Object, annotations_of, metadata_of, name_of
from control_plane.api.resources import Resource
from control_plane.apiserver.admission.plugin import Plugin
from control_plane.apiserver.admission.review import Operation, Review
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections
from control_plane.apiserver.storage.follower import Followed


class DefaultClass(Plugin):
    """Sets `field` of the spec of new objects that name no class, there or in an annotation.

    `defaults` are the annotations that make a class the default.
    """

    resource: ClassVar[Resource]
    classes: ClassVar[Resource]
    field: ClassVar[str]
    annotation: ClassVar[str]
    defaults: ClassVar[tuple[str, ...]]

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Follow the classes."""
        super().__init__(collections, authorizer)
        self._classes: Followed[Object] = Followed(collections, self.classes, lambda obj: obj)

    async def admit(self, review: Review) -> None:
        """Name the default class, if there is one."""
        if not review.is_for(self.resource, Operation.CREATE):
            return
        spec = review.obj.setdefault("spec", {})
        named = spec.get(self.field) is not None
        if named or self.annotation in annotations_of(review.obj):
            return
        found = default_class(self._classes.of(""), self.defaults)
        if found is not None:
            spec[self.field] = name_of(found)


def default_class(classes: Iterable[Object], annotations: tuple[str, ...]) -> Object | None:
    """The default one of `classes`; any of the annotations with the value "true" makes a default.

    None when there is no default.
    """
    defaults = sorted((one for one in classes if _is_default(one, annotations)), key=name_of)
    return max(defaults, key=_created, default=None)


def _is_default(found: Object, annotations: tuple[str, ...]) -> bool:
    given = annotations_of(found)
    return any(given.get(annotation) == "true" for annotation in annotations)


def _created(found: Object) -> str:
    created: str = metadata_of(found).get("creationTimestamp") or ""
    return created
