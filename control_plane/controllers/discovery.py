"""Which resources hold content that can be deleted."""

from control_plane.api.resources import EVENTS, RESOURCES, Resource


def deletable_namespaced() -> tuple[Resource, ...]:
    """Return the stored namespaced resources that can be deleted."""
    return tuple(
        row for row in RESOURCES if row.namespaced and row.is_stored and "delete" in row.verbs
    )


def collectable() -> tuple[Resource, ...]:
    """Return the resources that can be watched and deleted, events apart: they expire anyway."""
    needed = {"delete", "list", "watch"}
    return tuple(
        row for row in RESOURCES if row.is_stored and needed <= set(row.verbs) and row != EVENTS
    )
