"""Conditions of workload objects: the rules by which one is set, kept or dropped. Pure.

Source: kubernetes pkg/controller/deployment/util and
pkg/controller/replicaset/replica_set_utils.go.
"""

from collections.abc import Sequence

from control_plane.api.objects import Object


def condition(kind: str, status: str, reason: str, message: str, stamp: str) -> Object:
    """Return a condition that changes now."""
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": stamp,
        "lastTransitionTime": stamp,
        "reason": reason,
        "message": message,
    }


def find(conditions: Sequence[Object], kind: str) -> Object | None:
    """Return the condition of that type, or None."""
    return next((entry for entry in conditions if entry["type"] == kind), None)


def with_condition(conditions: Sequence[Object], new: Object) -> list[Object]:
    """Return the conditions with `new` set.

    One with the same status and reason stays as it is, message and times included. With the same
    status alone it keeps its lastTransitionTime. A changed one moves to the end.
    """
    old = find(conditions, new["type"])
    if old and old["status"] == new["status"] and old.get("reason") == new["reason"]:
        return list(conditions)
    if old and old["status"] == new["status"]:
        new = new | {"lastTransitionTime": old.get("lastTransitionTime")}
    return [*without_condition(conditions, new["type"]), new]


def without_condition(conditions: Sequence[Object], kind: str) -> list[Object]:
    """Return the conditions but those of that type."""
    return [entry for entry in conditions if entry["type"] != kind]
