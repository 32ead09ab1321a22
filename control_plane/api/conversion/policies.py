"""Mutating admission policies and their bindings: v1alpha1 as v1beta1 and back; only the name of
the version differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from control_plane.api.objects import Object

_GROUP: Final = "admissionregistration.k8s.io"


def v1beta1_of_v1alpha1(obj: Object) -> Object:
    """Return the stored form."""
    return {**obj, "apiVersion": f"{_GROUP}/v1beta1"}


def v1alpha1_of_v1beta1(obj: Object) -> Object:
    """Return the v1alpha1 form."""
    return {**obj, "apiVersion": f"{_GROUP}/v1alpha1"}
