"""Defaults of role bindings.

Called through the DEFAULTS table. Source: v1.35 rbac/v1 defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.defaults.filling import fill_empty, part
from control_plane.api.objects import parts

if TYPE_CHECKING:
    from control_plane.api.objects import Object

_GROUP: Final = "rbac.authorization.k8s.io"


def default_role_binding(binding: Object) -> None:
    """Fill one RoleBinding or ClusterRoleBinding in place: the groups of what it names."""
    fill_empty(part(binding, "roleRef"), "apiGroup", _GROUP)
    for subject in parts(binding, "subjects"):
        if subject.get("kind") in ("User", "Group"):
            fill_empty(subject, "apiGroup", _GROUP)
