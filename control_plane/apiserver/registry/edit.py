"""A change of one object, before it is known what the object is when it is written."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from control_plane.api.objects import Object
from control_plane.api.resources import Resource
from control_plane.apiserver.admission import Operation, Review
from control_plane.apiserver.registry.call import Call

Transform = Callable[[Object], Awaitable[Object]]


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one object: where it is, through which endpoint, and what makes the new state.

    `transform` gets a copy of the stored object ({} when the edit may create it) and returns the
    new one; with `sets_owners` it has also said who owns its fields, as an apply does. `is_system`
    edits are the server's own (a binding): not validated, not admitted, nobody's. With
    `is_admitted`, `transform` has asked admission itself, about what the client sees of the object.
    """

    resource: Resource
    namespace: str
    name: str
    transform: Transform
    subresource: str = ""
    may_create: bool = False
    sets_owners: bool = False
    may_omit_version: bool = True
    is_system: bool = False
    is_admitted: bool = False

    def review(self, new: Object, old: Object, call: Call) -> Review:
        """What admission is asked about the change."""
        return Review(
            self.resource,
            Operation.UPDATE,
            self.namespace,
            new,
            old,
            call,
            self.subresource,
            self.name,
        )
