"""Which resources hold content that can be deleted."""

from control_plane.api.resources import BUILT_IN, EVENTS, RESOURCES, Resource

# Each object once: not again in the other versions and groups that serve it.
_STORED = tuple(row for row in RESOURCES if BUILT_IN.keeps(row))


def deletable_namespaced() -> tuple[Resource, ...]:
    """Return the stored namespaced resources that can be deleted."""
    return tuple(row for row in _STORED if row.namespaced and "delete" in row.verbs)


def collectable() -> tuple[Resource, ...]:
    """Return the resources that can be watched and deleted, events apart: they expire anyway."""
    needed = {"delete", "list", "watch"}
    return tuple(row for row in _STORED if needed <= set(row.verbs) and row != EVENTS)
