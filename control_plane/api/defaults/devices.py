"""Defaults of claims for devices.

Called through the DEFAULTS table. Source: v1.35 resource/v1 defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.defaults.filling import fill_empty
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def default_resource_claim(claim: Object) -> None:
    """Fill one ResourceClaim in place: a request is for one device unless it says otherwise."""
    for spec in parts(claim, "spec"):
        _default_spec(spec)


def default_resource_claim_template(template: Object) -> None:
    """Fill one ResourceClaimTemplate in place."""
    for spec in parts(template, "spec", "spec"):
        _default_spec(spec)


def _default_spec(spec: Object) -> None:
    for field in ("exactly", "firstAvailable"):
        for request in parts(spec, "devices", "requests", field):
            fill_empty(request, "allocationMode", "ExactCount")
            if request["allocationMode"] == "ExactCount":
                fill_empty(request, "count", 1)
            for toleration in parts(request, "tolerations"):
                fill_empty(toleration, "operator", "Equal")
