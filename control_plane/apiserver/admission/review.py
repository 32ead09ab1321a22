"""What an admission plugin is asked about: one write of one object."""

from dataclasses import dataclass, replace
from enum import Enum

from control_plane.api.errors import Forbidden
from control_plane.api.objects import Object, dig, name_of
from control_plane.api.resources import Resource
from control_plane.apiserver.registry.call import Call


class Operation(Enum):
    """What is being done."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Review:
    """A write under review. `obj` may be changed in place by `admit`; `old` never.

    For a deletion `obj` is the stored object; for a creation `old` is None.
    """

    resource: Resource
    operation: Operation
    namespace: str
    obj: Object
    old: Object | None
    call: Call
    subresource: str = ""

    def is_for(self, resource: Resource, operation: Operation) -> bool:
        """Whether this is `operation` on the resource itself, not on a subresource of it."""
        return self.resource == resource and self.operation is operation and not self.subresource

    def with_object(self, obj: Object) -> "Review":
        """The same write of another object."""
        return replace(self, obj=obj)

    def forbidden(self, why: str) -> Forbidden:
        """The refusal, naming the object as upstream does."""
        name = name_of(self.obj) or dig(self.obj, "metadata", "generateName", default="Unknown")
        return Forbidden.of(self.resource, name, why)
