"""Which resources hold content that can be deleted."""

from control_plane.api.resources import EVENTS, RESOURCES, Resource

# Each object once: not again in the other versions and groups that serve it.
_STORED = tuple(row for row in RESOURCES if row.is_stored and row.stored_as is None)


def deletable_namespaced() -> tuple[Resource, ...]:
    """Return the stored namespaced resources that can be deleted."""
    return tuple(row for row in _STORED if row.namespaced and "delete" in row.verbs)


def collectable() -> tuple[Resource, ...]:
    """Return the resources that can be watched and deleted, events apart: they expire anyway."""
    needed = {"delete", "list", "watch"}
    return tuple(row for row in _STORED if needed <= set(row.verbs) and row != EVENTS)
