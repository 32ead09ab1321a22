"""The tables of role bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.objects import Object, dig, name_of
from control_plane.api.tables.columns import AGE, NAME, WIDE, Column, View
from control_plane.api.tables.rendering import age

if TYPE_CHECKING:
    from datetime import datetime


def _binding_cells(obj: Object, now: datetime) -> list[Any]:
    role = obj.get("roleRef") or {}
    accounts = [
        f"{subject.get('namespace', '')}/{subject.get('name', '')}"
        for subject in _subjects(obj, "ServiceAccount")
    ]
    return [
        name_of(obj),
        f"{role.get('kind', '')}/{role.get('name', '')}",
        age(obj, now),
        *(", ".join(s.get("name", "") for s in _subjects(obj, kind)) for kind in ("User", "Group")),
        ", ".join(accounts),
    ]


def _subjects(obj: Object, kind: str) -> list[Object]:
    return [s for s in dig(obj, "subjects", default=[]) if s.get("kind") == kind]


BINDINGS = View(
    (
        NAME,
        Column("Role", doc="rbac.v1.RoleBinding.roleRef"),
        AGE,
        Column("Users", priority=WIDE, text="The users among the subjects."),
        Column("Groups", priority=WIDE, text="The groups among the subjects."),
        Column("ServiceAccounts", priority=WIDE, text="The service accounts among the subjects."),
    ),
    _binding_cells,
)
