"""What to do with an object, given what became of its owners. Pure.

Source: kubernetes pkg/controller/garbagecollector/garbagecollector.go (attemptToDeleteItem).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from control_plane.api.objects import Object, finalizers_of, metadata_of, owner_references, uid_of
from control_plane.controllers.garbage_collector.graph import FOREGROUND, ORPHAN


class OwnerState(Enum):
    """What a look at an owner showed."""

    SOLID = auto()  # exists, and is not waiting for its dependents to go
    ABSENT = auto()
    WAITING = auto()  # in foreground deletion: waits for its dependents


@dataclass(frozen=True, slots=True)
class Keep:
    """Leave the object as it is."""


@dataclass(frozen=True, slots=True)
class DropReferences:
    """Take these owners' uids out of the object's references, and keep the object."""

    uids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the object by this policy; first stop blocking its owners if they wait in a circle."""

    policy: str
    unblock_owners: bool = False


Verdict = Keep | DropReferences | Delete


def decide(
    obj: Object,
    owners: Mapping[str, OwnerState],
    *,
    has_dependents: bool,
    dependent_deletes_dependents: bool,
) -> Verdict:
    """Return what to do with `obj`; `owners` has the state of each of its owners by uid.

    One solid owner keeps it, though without references to the others.
    """
    if not owners:
        return Keep()
    unsound = frozenset(uid for uid, state in owners.items() if state is not OwnerState.SOLID)
    if len(unsound) < len(owners):
        return DropReferences(unsound) if unsound else Keep()
    if OwnerState.WAITING in owners.values() and has_dependents:
        return Delete("Foreground", unblock_owners=dependent_deletes_dependents)
    return Delete(_own_policy(obj))


def _own_policy(obj: Object) -> str:
    """Return the policy that the object's finalizers ask for."""
    held = finalizers_of(obj)
    if ORPHAN in held:
        return "Orphan"
    return "Foreground" if FOREGROUND in held else "Background"


def delete_options(obj: Object, policy: str) -> Object:
    """Return options that delete just this object, and only with the references it has now."""
    return {
        "propagationPolicy": policy,
        "preconditions": {
            "uid": uid_of(obj),
            "resourceVersion": metadata_of(obj)["resourceVersion"],
        },
    }


def without_owners(obj: Object, uids: frozenset[str]) -> dict[str, Any]:
    """Return the merge patch that drops the references to `uids`."""
    return _patch(
        obj, ownerReferences=[ref for ref in owner_references(obj) if ref["uid"] not in uids]
    )


def without_blocking(obj: Object) -> dict[str, Any]:
    """Return the merge patch after which the object blocks no owner's deletion."""
    references = [ref | {"blockOwnerDeletion": False} for ref in owner_references(obj)]
    return _patch(obj, ownerReferences=references)


def without_finalizer(obj: Object, finalizer: str) -> dict[str, Any]:
    """Return the merge patch that removes a finalizer."""
    return _patch(obj, finalizers=[one for one in finalizers_of(obj) if one != finalizer])


def _patch(obj: Object, **lists: Sequence[Any]) -> dict[str, Any]:
    """Return a patch of lists in the metadata, good only for the object as it was read."""
    meta = metadata_of(obj)
    same = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
    return {"metadata": same | {name: list(values) for name, values in lists.items()}}
