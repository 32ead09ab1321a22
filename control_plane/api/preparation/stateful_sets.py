"""Preparation of stateful sets.

Called by strategies.py. Source: v1.35 statefulset strategy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.objects import dig
from control_plane.api.preparation.plain import create_workload, update_workload

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def create_stateful_set(stateful_set: Object, now: str) -> None:
    """Start without a status, and without maxUnavailable, whose feature is off."""
    _rolling(stateful_set).pop("maxUnavailable", None)
    create_workload(stateful_set, now)


def update_stateful_set(new: Object, old: Object, now: str) -> None:
    """Keep the stored status; maxUnavailable goes unless it is in use."""
    if _rolling(old).get("maxUnavailable") is None:
        _rolling(new).pop("maxUnavailable", None)
    update_workload(new, old, now)


def _rolling(stateful_set: Object) -> Object:
    found = dig(stateful_set, "spec", "updateStrategy", "rollingUpdate", default={})
    return found if isinstance(found, dict) else {}
