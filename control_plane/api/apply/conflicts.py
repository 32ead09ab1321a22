"""The 409 of an apply that wants fields of other managers. Pure; called by applying.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.apply.field_set import FieldSet, difference, intersection, paths
from control_plane.api.errors import Conflict

if TYPE_CHECKING:
    from control_plane.api.apply.managers import Manager, Managers

Conflicts = list[tuple["Manager", FieldSet]]


def conflicts_with(managers: Managers, changed: FieldSet, applier: str) -> Conflicts:
    """Return the managers but the applier (an identity) that own some of what has changed."""
    if not changed:
        return []
    found = [
        (manager, intersection(manager.fields, changed))
        for identity, manager in sorted(managers.items())
        if identity != applier
    ]
    return [(manager, fields) for manager, fields in found if fields]


def without_fields(conflicts: Conflicts, forgiven: FieldSet) -> Conflicts:
    """Return the conflicts that are left when those about `forgiven` are not counted."""
    left = [(manager, difference(fields, forgiven)) for manager, fields in conflicts]
    return [(manager, fields) for manager, fields in left if fields]


def conflict_error(conflicts: Conflicts) -> Conflict:
    """Return the error that names every field and its manager."""
    found = [(manager.shown, list(paths(fields))) for manager, fields in conflicts]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {name}", "field": path}
        for name, owned in found
        for path in owned
    ]
    return Conflict(_message(found, len(causes)), details={"causes": causes})


def _message(found: list[tuple[str, list[str]]], count: int) -> str:
    if count == 1:
        (name, (path,)) = found[0]
        return f"Apply failed with 1 conflict: conflict with {name}: {path}"
    lines = [
        line
        for name, owned in found
        for line in (f"conflicts with {name}:", *(f"- {path}" for path in owned))
    ]
    return f"Apply failed with {count} conflicts: " + "\n".join(lines)
