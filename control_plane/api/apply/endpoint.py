"""What applying and tracking need to know of the endpoint that a write came through.

RESET_FIELDS is the table of the fields that a write through an endpoint cannot own; an endpoint
without a row resets `status` or, being the status endpoint, `spec`. Source: v1.35 registry
strategies. Pure.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from control_plane.api.apply.field_path import FIELD
from control_plane.api.apply.field_set import (
    FieldSet,
    matching,
    recursive_difference,
    set_of,
    union,
)
from control_plane.api.apply.shapes import MapShape, shape_for
from control_plane.api.schema import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control_plane.api.objects import Object
    from control_plane.api.resources import Resource
    from control_plane.api.typed_json import Typed


def _set(*paths: str) -> FieldSet:
    return set_of(*(tuple(FIELD + name for name in path.split(".")) for path in paths))


_CERTIFICATES: Final = "certificates.k8s.io"
RESET_FIELDS: Final[Mapping[tuple[str, str, str], FieldSet]] = {
    # by group, kind and subresource
    ("", "Namespace", "finalize"): _set("status"),
    ("", "Pod", "status"): _set("spec", "metadata.deletionTimestamp", "metadata.ownerReferences"),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "status"): _set("metadata", "spec"),
    ("apiregistration.k8s.io", "APIService", "status"): _set("metadata", "spec"),
    ("apps", "Deployment", "status"): _set("spec", "metadata.labels"),
    (_CERTIFICATES, "CertificateSigningRequest", "status"): _set("spec", "status.conditions"),
    (_CERTIFICATES, "CertificateSigningRequest", "approval"): _set("spec", "status.certificate"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema", "status"): _set("spec", "metadata"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "status"): _set(
        "spec", "metadata"
    ),
    ("storage.k8s.io", "VolumeAttachment", "status"): _set("spec", "metadata"),
}
# endpoints that can own only what lies on these paths; "*" is any item
OWNABLE: Final[Mapping[tuple[str, str, str], tuple[tuple[str, ...], ...]]] = {
    ("", "Pod", "ephemeralcontainers"): (("f:spec", "f:ephemeralContainers"),),
    ("", "Pod", "resize"): (
        ("f:spec", "f:containers", "*", "f:resources"),
        ("f:spec", "f:initContainers", "*", "f:resources"),
    ),
}
_STATUS: Final = _set("status")
_SPEC: Final = _set("spec")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A kind as written through one of its endpoints; `subresource` is "" for the main one.

    A custom resource has `versions`, those that its kind is served in, and reads itself.
    """

    api_version: str
    kind: str
    shape: MapShape
    subresource: str = ""
    reset: FieldSet | None = None
    ownable: tuple[tuple[str, ...], ...] = ()
    versions: frozenset[str] = frozenset()
    reader: Callable[[Object], Typed] | None = None

    def ownable_of(self, fields: FieldSet) -> FieldSet:
        """Return the members that a write through this endpoint can own."""
        if self.ownable:
            found: FieldSet = {}
            for pattern in self.ownable:
                found = union(found, matching(fields, pattern))
            return found
        return recursive_difference(fields, self.reset) if self.reset else fields

    def knows(self, api_version: str) -> bool:
        """Tell whether the kind has this version: managers of others are forgotten.

        Sets of another version are read as if they were of this one: the versions that are served
        name their fields alike, but for a few.
        """
        if api_version == self.api_version:
            return True
        if self.reader is not None:
            return api_version in self.versions
        return schema().name_for(api_version, self.kind) is not None


def endpoint_of(resource: Resource, subresource: str = "") -> Endpoint:
    """Return the endpoint of a resource or of a subresource that is a half of it."""
    if resource.custom is not None:
        return resource.custom.endpoint(subresource)
    return _endpoint_of(resource, subresource)


@functools.cache
def _endpoint_of(resource: Resource, subresource: str) -> Endpoint:
    key = (resource.group, resource.kind, subresource)
    reset = RESET_FIELDS.get(key)
    if reset is None and subresource == "status":
        reset = _SPEC
    elif reset is None and any(s.name == "status" for s in resource.subresources):
        reset = _STATUS
    return Endpoint(
        resource.api_version,
        resource.kind,
        shape_for(resource.api_version, resource.kind),
        subresource,
        reset,
        OWNABLE.get(key, ()),
    )
