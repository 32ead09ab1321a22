"""Defaults of network policies and ingress classes.

Called through the DEFAULTS table. Source: v1.35 networking/v1 defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.defaults.filling import fill_absent, fill_empty, part
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def default_network_policy(policy: Object) -> None:
    """Fill one NetworkPolicy in place: it is about what it has rules for, and what comes in."""
    spec = part(policy, "spec")
    for field in ("ingress", "egress"):
        for port in parts(spec, field, "ports"):
            fill_absent(port, "protocol", "TCP")
    outgoing = ["Egress"] if spec.get("egress") else []
    fill_empty(spec, "policyTypes", ["Ingress", *outgoing])


def default_ingress_class(ingress_class: Object) -> None:
    """Fill one IngressClass in place."""
    for parameters in parts(ingress_class, "spec", "parameters"):
        fill_absent(parameters, "scope", "Cluster")
