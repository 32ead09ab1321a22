"""What a delete request does to an object: remove it, mark it, or leave it. Pure.

Source: Kubernetes v1.35, rest.BeforeDelete and the generic store's Delete.
"""

import datetime
from dataclasses import dataclass, replace
from enum import Enum

from control_plane.api.custom.conditions import with_deletion
from control_plane.api.errors import Conflict
from control_plane.api.objects import (
    Object,
    deep_copy,
    dig,
    finalizers_of,
    is_terminating,
    name_of,
    resource_version_of,
    uid_of,
)
from control_plane.api.preparation import strategy_for
from control_plane.api.resources import CUSTOMRESOURCEDEFINITIONS, NAMESPACES, PODS, Resource
from control_plane.api.timestamps import format_time, parse

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
_FINISHED = frozenset({"Succeeded", "Failed"})
_PRECONDITIONS = (
    "the UID in the precondition ({}) does not match the UID in record ({}). "
    "The object might have been deleted and then recreated",
    "the ResourceVersion in the precondition ({}) does not match the ResourceVersion in record "
    "({}). The object might have been modified",
)
_NAMESPACE_PRECONDITIONS = (
    "Precondition failed: UID in precondition: {}, UID in object meta: {}",
    "Precondition failed: ResourceVersion in precondition: {}, ResourceVersion in object meta: {}",
)


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """A DeleteOptions body or query, validated.

    `policy` is "" when neither propagationPolicy nor orphanDependents was given.
    """

    grace_seconds: int | None = None
    policy: str = ""
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False
    orphan_given: bool = False


class Fate(Enum):
    """What becomes of the object."""

    REMOVE = "remove"
    MARK = "mark"
    KEEP = "keep"


def check_preconditions(resource: Resource, obj: Object, options: DeleteOptions) -> None:
    """Raise Conflict when the object is not the one the client meant."""
    texts = _NAMESPACE_PRECONDITIONS if resource is NAMESPACES else _PRECONDITIONS
    # upstream names the kind here, but for namespaces
    named = resource if resource is NAMESPACES else replace(resource, plural=resource.kind)
    for wanted, stored, text in (
        (options.uid, uid_of(obj), texts[0]),
        (options.resource_version, resource_version_of(obj), texts[1]),
    ):
        if wanted and wanted != stored:
            raise Conflict.of(named, name_of(obj), text.format(wanted, stored))


def plan_deletion(
    resource: Resource, stored: Object, options: DeleteOptions, now: datetime.datetime
) -> tuple[Fate, Object]:
    """Decide the object's fate and what it looks like then; `stored` stays untouched."""
    obj = deep_copy(stored)
    _set_dependents_finalizer(resource, obj, options)
    if resource is NAMESPACES:
        return _delete_namespace(obj, stored, now)
    if resource is PODS:
        return _delete_pod(obj, stored, options, now)
    if resource is CUSTOMRESOURCEDEFINITIONS and not is_terminating(stored):
        return Fate.MARK, with_deletion(obj, format_time(now))
    return _finish(obj, stored, now)


def is_finished(resource: Resource, obj: Object) -> bool:
    """Whether an object that was marked has nothing left to wait for."""
    if not is_terminating(obj) or finalizers_of(obj):
        return False
    if resource is NAMESPACES and dig(obj, "spec", "finalizers", default=[]):
        return False
    return not dig(obj, "metadata", "deletionGracePeriodSeconds", default=0)


def _finish(obj: Object, stored: Object, now: datetime.datetime) -> tuple[Fate, Object]:
    """Remove an object that no finalizer holds, else mark it."""
    if not finalizers_of(obj):
        return Fate.REMOVE, obj
    metadata = obj["metadata"]
    if not is_terminating(stored):
        _mark(obj, now, 0)
    elif metadata.get("deletionGracePeriodSeconds"):
        metadata["deletionGracePeriodSeconds"] = 0
    return (Fate.KEEP if obj == stored else Fate.MARK), obj


def _delete_namespace(obj: Object, stored: Object, now: datetime.datetime) -> tuple[Fate, Object]:
    if not dig(obj, "spec", "finalizers", default=[]):
        return _finish(obj, stored, now)
    if is_terminating(stored):
        return Fate.KEEP, stored
    obj["metadata"]["deletionTimestamp"] = format_time(now)
    obj.setdefault("status", {})["phase"] = "Terminating"
    return Fate.MARK, obj


def _delete_pod(
    obj: Object, stored: Object, options: DeleteOptions, now: datetime.datetime
) -> tuple[Fate, Object]:
    metadata = obj["metadata"]
    if is_terminating(stored):
        running = dig(stored, "metadata", "deletionGracePeriodSeconds", default=None)
        asked = _not_negative(options.grace_seconds)
        if running is not None and (asked is None or asked >= running):
            return (Fate.KEEP, stored) if running or finalizers_of(obj) else (Fate.REMOVE, obj)
        if running is not None and asked is not None and asked > 0:
            _shorten(metadata, running, asked, now)
            return Fate.MARK, obj
        return _finish(obj, stored, now)
    grace = _pod_grace(obj, options)
    if grace > 0:
        _mark(obj, now, grace)
        return Fate.MARK, obj
    return _finish(obj, stored, now)


def _pod_grace(pod: Object, options: DeleteOptions) -> int:
    """Seconds a pod may take to end; 0 for one that has no node or has ended."""
    grace = options.grace_seconds
    if grace is None:
        grace = dig(pod, "spec", "terminationGracePeriodSeconds", default=0)
    if not dig(pod, "spec", "nodeName", default=""):
        return 0
    if dig(pod, "status", "phase", default="") in _FINISHED:
        return 0
    return _not_negative(grace) or 0


def _not_negative(grace: int | None) -> int | None:
    return 1 if grace is not None and grace < 0 else grace


def _shorten(metadata: Object, running: int, asked: int, now: datetime.datetime) -> None:
    started = parse(metadata["deletionTimestamp"]) - datetime.timedelta(seconds=running)
    end = started + datetime.timedelta(seconds=asked)
    if end < now:
        end, asked = now, 1
    metadata["deletionTimestamp"] = format_time(end)
    metadata["deletionGracePeriodSeconds"] = asked


def _mark(obj: Object, now: datetime.datetime, grace: int) -> None:
    metadata = obj["metadata"]
    metadata["deletionTimestamp"] = format_time(now + datetime.timedelta(seconds=grace))
    metadata["deletionGracePeriodSeconds"] = grace
    if metadata.get("generation"):
        metadata["generation"] += 1


def _set_dependents_finalizer(resource: Resource, obj: Object, options: DeleteOptions) -> None:
    """Add or remove the finalizers by which the garbage collector learns what to do."""
    default = strategy_for(resource).default_propagation
    if not default:
        return
    finalizers = finalizers_of(obj)
    policy = options.policy
    if not policy:
        if ORPHAN in finalizers or FOREGROUND in finalizers:
            return
        policy = default
    wanted = {"Orphan": ORPHAN, "Foreground": FOREGROUND}.get(policy)
    kept = [name for name in finalizers if name not in (ORPHAN, FOREGROUND) or name == wanted]
    if wanted and wanted not in kept:
        kept.append(wanted)
    if kept != finalizers:
        obj["metadata"]["finalizers"] = kept
