"""Types that are served in one version and stored in another: the way there and back.

CONVERSIONS has one row for each served (group, version, kind) whose row in RESOURCES has
`stored_as`. Conversion loses nothing that the served version can say. Called where objects are
stored and read, and by validation, whose rules are those of the stored version. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from control_plane.api.conversion import autoscaling, custom_resources, events, policies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control_plane.api.objects import Object
    from control_plane.api.resource import Resource


@dataclass(frozen=True, slots=True)
class Conversion:
    """Both take an object and return another; neither changes what it is given.

    `to_stored` raises BadRequest when an object makes no sense in the stored version.
    """

    to_stored: Callable[[Object], Object]
    from_stored: Callable[[Object], Object]


_ALPHA_POLICIES: Final = Conversion(policies.v1beta1_of_v1alpha1, policies.v1alpha1_of_v1beta1)

CONVERSIONS: Final[Mapping[tuple[str, str, str], Conversion]] = {
    ("admissionregistration.k8s.io", "v1alpha1", "MutatingAdmissionPolicy"): _ALPHA_POLICIES,
    ("admissionregistration.k8s.io", "v1alpha1", "MutatingAdmissionPolicyBinding"): _ALPHA_POLICIES,
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"): Conversion(
        custom_resources.v1beta1_of_v1, custom_resources.v1_of_v1beta1
    ),
    ("autoscaling", "v1", "HorizontalPodAutoscaler"): Conversion(
        autoscaling.v2_of_v1, autoscaling.v1_of_v2
    ),
    ("events.k8s.io", "v1", "Event"): Conversion(events.core_of_v1, events.v1_of_core),
}


def conversion_for(resource: Resource) -> Conversion | None:
    """Return how objects of a row become stored ones; None when they are stored as they are."""
    return CONVERSIONS.get((resource.group, resource.version, resource.kind))


def in_stored_version(resource: Resource, obj: Object) -> Object:
    """Return the object as it would be stored."""
    conversion = conversion_for(resource)
    return obj if conversion is None else conversion.to_stored(obj)
