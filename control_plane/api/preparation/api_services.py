"""Preparation of APIServices: what this server serves itself is available at once.

Called by strategies.py. Source: v1.35 kube-aggregator apiservice strategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from control_plane.api.objects import Object

AVAILABLE: Final = "Available"


def create_api_service(service: Object, now: str) -> None:
    """Start without a status, but for the condition of a local one."""
    is_local = (service.get("spec") or {}).get("service") is None
    service["status"] = {"conditions": [local_condition(now)]} if is_local else {}


def local_condition(now: str) -> Object:
    """Return the condition of what this server serves itself."""
    return {
        "type": AVAILABLE,
        "status": "True",
        "lastTransitionTime": now,
        "reason": "Local",
        "message": "Local APIServices are always available",
    }
