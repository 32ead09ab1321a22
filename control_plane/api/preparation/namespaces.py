"""Preparation of namespaces: the finalizer that makes their deletion wait for their content.

Called by strategies.py. Source: v1.35 namespace strategies (main, status, finalize).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.preparation.strategy import keep

if TYPE_CHECKING:
    from control_plane.api.objects import Object

FINALIZER: Final = "kubernetes"


def create_namespace(namespace: Object, _now: str) -> None:
    """Start Active, with the content finalizer."""
    namespace["status"] = {"phase": "Active"}
    spec = namespace.setdefault("spec", {})
    finalizers = spec.get("finalizers") or []
    if FINALIZER not in finalizers:
        spec["finalizers"] = [*finalizers, FINALIZER]


def update_namespace(new: Object, old: Object, _now: str) -> None:
    """Keep the stored finalizers and status: each has its own endpoint."""
    keep(new.setdefault("spec", {}), old.get("spec") or {}, "finalizers")
    keep(new, old, "status")


def finalize_namespace(new: Object, old: Object, _now: str) -> None:
    """Keep the stored status; the finalizers of the spec are what this endpoint writes."""
    keep(new, old, "status")
