"""Preparation of nodes. A node may bring its status when it registers.

Called by strategies.py. Source: v1.35 node strategies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.preparation.strategy import keep

if TYPE_CHECKING:
    from control_plane.api.objects import Object


def create_node(node: Object, _now: str) -> None:
    """Clear the configuration fields whose feature is gone; the status stays."""
    (node.get("spec") or {}).pop("configSource", None)
    (node.get("status") or {}).pop("config", None)


def update_node(new: Object, old: Object, _now: str) -> None:
    """Keep the stored status; a configSource may stay only where one is in use."""
    keep(new, old, "status")
    if not (old.get("spec") or {}).get("configSource"):
        (new.get("spec") or {}).pop("configSource", None)
