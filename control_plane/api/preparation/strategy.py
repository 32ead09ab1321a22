"""A strategy: what one way of writing a resource sets, keeps and clears, and the pieces it is made
of.

Strategies change the new object in place and never the stored one. `now` is an RFC 3339 time, given
by the caller. Rows are in strategies.py.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from control_plane.api.semantics import semantically_equal

if TYPE_CHECKING:
    from collections.abc import Callable

    from control_plane.api.objects import Object

    PrepareCreate = Callable[[Object, str], None]
    PrepareUpdate = Callable[[Object, Object, str], None]

_SYSTEM_METADATA: Final = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
)


@dataclass(frozen=True, slots=True)
class Strategy:
    """How one resource, or one subresource of it, is written.

    create_on_update: a PUT of an absent object creates it. unconditional_update: a PUT without a
    resourceVersion is allowed. names_nameless: a create without any name gets a uid for one.
    default_propagation: what a delete that states no policy means for
    dependents ("Background", "Orphan", or "" where garbage collection does not apply).
    """

    prepare_create: PrepareCreate
    prepare_update: PrepareUpdate
    create_on_update: bool = False
    unconditional_update: bool = True
    default_propagation: str = "Background"
    names_nameless: bool = False


def clear_system_metadata(obj: Object) -> None:
    """Remove from a new object the metadata only the server may set. Call before setting uid and
    time.
    """
    metadata = obj.setdefault("metadata", {})
    for field in _SYSTEM_METADATA:
        metadata.pop(field, None)


def keep_system_metadata(new: Object, old: Object) -> None:
    """Carry over to an update what no client may change, and fill in the uid it may leave out."""
    metadata = new.setdefault("metadata", {})
    stored = old.get("metadata") or {}
    for field in ("creationTimestamp", "generation"):
        keep(metadata, stored, field)
    if stored.get("deletionTimestamp"):
        keep(metadata, stored, "deletionTimestamp")
    if metadata.get("deletionGracePeriodSeconds") is None:
        keep(metadata, stored, "deletionGracePeriodSeconds")
    if not metadata.get("uid"):
        keep(metadata, stored, "uid")
    metadata.pop("selfLink", None)


def keep(new: Object, old: Object, field: str) -> None:
    """Make one field of `new` what it is in `old`, absence included."""
    if field in old:
        new[field] = copy.deepcopy(old[field])
    else:
        new.pop(field, None)


def first_generation(obj: Object, _now: str) -> None:
    """Start an object's generation at 1."""
    obj.setdefault("metadata", {})["generation"] = 1


def bump_generation(new: Object, old: Object) -> None:
    """Add 1 to the stored generation."""
    stored = (old.get("metadata") or {}).get("generation") or 0
    new.setdefault("metadata", {})["generation"] = stored + 1


def changed(new: Object, old: Object, *fields: str) -> bool:
    """Tell whether any of the top-level `fields` differs in meaning."""
    return any(not semantically_equal(new.get(field), old.get(field)) for field in fields)


def nothing_on_create(_obj: Object, _now: str) -> None:
    """Prepare nothing: the object is created as it is."""


def nothing_on_update(_new: Object, _old: Object, _now: str) -> None:
    """Prepare nothing: the update is stored as it is."""
