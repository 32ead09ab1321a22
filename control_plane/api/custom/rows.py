"""Rows of the resource table, made of definitions.

A row comes with its CustomKind and is served by whatever serves built-in rows. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.resource import SCALE, STATUS, Resource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from control_plane.api.custom.definition import Definition
    from control_plane.api.custom.kind import CustomKind

VERBS: Final = (
    "delete", "deletecollection", "get", "list", "patch", "create", "update", "watch",
)  # fmt: skip


def rows_of(definition: Definition, taken: Iterable[tuple[str, str]]) -> tuple[Resource, ...]:
    """Return a row for each version that is offered.

    `taken` are the (group, version) pairs that built-in kinds are served in, and nothing else.
    """
    if not definition.is_served:
        return ()
    built_in = frozenset(taken)
    return tuple(
        _row(definition, kind)
        for kind in definition.offered
        if (definition.group, kind.version) not in built_in
    )


def _row(definition: Definition, kind: CustomKind) -> Resource:
    names = definition.accepted
    subresources = ((STATUS,) if kind.has_status else ()) + ((SCALE,) if kind.scale else ())
    return Resource(
        definition.group,
        kind.version,
        definition.names["kind"],
        definition.names["plural"],
        definition.is_namespaced,
        tuple(names.get("shortNames") or ()),
        tuple(names.get("categories") or ()),
        VERBS,
        subresources,
        storage=f"{definition.group}/{definition.names['plural']}",
        singular=names.get("singular") or definition.names.get("singular"),
        list_kind=names.get("listKind") or definition.names.get("listKind"),
        stored_as=(definition.group, definition.storage_version, definition.names["kind"]),
        custom=kind,
    )
