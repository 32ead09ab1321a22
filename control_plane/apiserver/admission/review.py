"""What an admission plugin is asked about: one write of one object, or one connection to it."""

from dataclasses import dataclass
from enum import Enum

from control_plane.api.errors import Forbidden
from control_plane.api.objects import Object, dig, name_of
from control_plane.api.resources import Resource
from control_plane.apiserver.registry.call import Call
from control_plane.apiserver.registry.deletion import DeleteOptions


class Operation(Enum):
    """What is being done."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"


@dataclass(frozen=True, slots=True)
class Review:
    """A write under review. `obj` may be changed in place by `admit`; `old` never.

    For a deletion `obj` is the stored object, and `deletion` how it is to go; for a creation `old`
    is None. For a connection (exec, attach, port forward, proxy) `obj` are its options, such as a
    PodExecOptions, and `old` is None. `url_name` is the name in the URL of what has none in `obj`.
    """

    resource: Resource
    operation: Operation
    namespace: str
    obj: Object
    old: Object | None
    call: Call
    subresource: str = ""
    url_name: str = ""
    deletion: DeleteOptions | None = None

    @property
    def name(self) -> str:
        """The object's name; "" while only generateName is given."""
        return self.url_name or name_of(self.obj)

    def is_for(self, resource: Resource, operation: Operation, subresource: str = "") -> bool:
        """Whether this is `operation` on that resource, or on that subresource of it."""
        return (
            self.resource is resource
            and self.operation is operation
            and self.subresource == subresource
        )

    def with_object(self, obj: Object) -> "Review":
        """The same write of another object."""
        return Review(
            self.resource,
            self.operation,
            self.namespace,
            obj,
            self.old,
            self.call,
            self.subresource,
            self.url_name,
            self.deletion,
        )

    def forbidden(self, why: str) -> Forbidden:
        """The refusal, naming the object as upstream does."""
        name = self.name or dig(self.obj, "metadata", "generateName", default="Unknown")
        return Forbidden.of(self.resource, name, why)
