"""Who owns what after a POST, a PUT or a patch that is no apply.

The writer comes to own what it added or changed, and loses what it removed; everybody else loses
all of that. Called by the registry for each such write, before admission. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.apply import managers as managed_fields
from control_plane.api.apply.comparison import Comparison, compare
from control_plane.api.apply.field_set import FieldSet, difference, union
from control_plane.api.apply.managers import (
    UPDATE,
    ManagedFieldsError,
    Manager,
    Managers,
    capped,
    encode,
)
from control_plane.api.apply.reconciling import reconciled
from control_plane.api.apply.shapes import ShapeError
from control_plane.api.apply.stripped import managed

if TYPE_CHECKING:
    from control_plane.api.apply.endpoint import Endpoint
    from control_plane.api.objects import Object

UNKNOWN = "unknown"


def track(endpoint: Endpoint, live: Object, new: Object, name: str, now: str) -> bool:
    """Set metadata.managedFields of `new`, which is to replace `live` ({} for a new object).

    `name` is the writer ("" counts as unknown) and `now` an RFC 3339 time. False says that the
    fields could not be told: the object then has no managedFields.
    """
    before = _known_managers(endpoint, live, new)
    metadata = new.setdefault("metadata", {})
    metadata.pop("managedFields", None)
    if not before and (live.get("metadata") or {}).get("uid"):
        return True  # nobody has applied this object or been tracked on it
    writer = Manager(name or UNKNOWN, UPDATE, endpoint.api_version, endpoint.subresource, {}, now)
    try:
        after = updated(endpoint, live, new, before, writer)
    except ShapeError:
        return False
    put(new, capped(after))
    return True


def put(obj: Object, managers: Managers) -> None:
    """Write the managers into an object; none of them is an absent field."""
    entries = encode(managers)
    if entries:
        obj["metadata"]["managedFields"] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def updated(
    endpoint: Endpoint, live: Object, new: Object, before: Managers, writer: Manager
) -> Managers:
    """Return the managers after `writer`, whose set is empty, has made `new` of `live`."""
    comparison = difference_of(endpoint, live, new)
    after = reduced(endpoint, reconciled_managers(endpoint, before), comparison, "")
    mine = managed(endpoint.ownable_of(comparison.changed))
    if mine:
        held = after.get(writer.identity)
        fields = union(mine, held.fields) if held is not None else mine
        after[writer.identity] = writer._replace(fields=fields)
    return after


def difference_of(endpoint: Endpoint, live: Object, new: Object) -> Comparison:
    """Compare two states of the object but for their managedFields."""
    return compare(endpoint.shape, without_managers(live), without_managers(new))


def without_managers(obj: Object) -> Object:
    """Return the object without its managedFields."""
    metadata = obj.get("metadata") or {}
    if "managedFields" not in metadata:
        return obj
    kept = {field: value for field, value in metadata.items() if field != "managedFields"}
    return {**obj, "metadata": kept}


def reconciled_managers(endpoint: Endpoint, managers: Managers) -> Managers:
    """Return the managers with their sets as the schema has them now."""
    return {
        identity: manager.owning(reconciled(endpoint.shape, manager.fields))
        for identity, manager in managers.items()
    }


def reduced(
    endpoint: Endpoint, managers: Managers, comparison: Comparison, writer: str
) -> Managers:
    """Return the managers without what a write took from them.

    Nothing is taken from `writer`, an identity; managers left with nothing are dropped.
    """
    taken = endpoint.ownable_of(union(comparison.changed, comparison.removed))
    result: Managers = {}
    for identity, manager in managers.items():
        kept = manager
        if identity != writer:
            if not endpoint.knows(manager.api_version):
                continue
            kept = manager.owning(_kept(manager.fields, taken))
        if kept.fields:
            result[identity] = kept
    return result


def _kept(fields: FieldSet, taken: FieldSet) -> FieldSet:
    kept = difference(fields, taken)
    return fields if kept == fields else kept


def _known_managers(endpoint: Endpoint, live: Object, new: Object) -> Managers:
    """Return the managers that a write starts from.

    A client may send its own, or ask for none, but not through a subresource.
    """
    sent = (new.get("metadata") or {}).get("managedFields")
    if not endpoint.subresource:
        if managed_fields.is_reset(sent):
            return {}
        found = _decoded(sent)
        if found:
            return found
    return _decoded((live.get("metadata") or {}).get("managedFields"))


def _decoded(entries: Any) -> Managers:
    try:
        return managed_fields.decode(entries)
    except ManagedFieldsError:
        return {}
