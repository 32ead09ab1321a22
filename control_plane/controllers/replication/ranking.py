"""Which pods to delete first when there are too many. Pure.

A pod that serves least, or costs least to lose, goes first: unassigned, pending, not ready, cheap
by annotation, crowded on its node, young, often restarted. Ages are compared by powers of two, so
that among pods of about the same age the choice is arbitrary (by uid) and not always the newest.
Source: kubernetes pkg/controller/controller_utils.go (ActivePodsWithRanks).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cmp_to_key

from control_plane.api.objects import Object, annotations_of, dig, uid_of
from control_plane.api.timestamps import parse
from control_plane.controllers.pod_state import is_ready, phase_of, ready_since

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASE_ORDER = {"Pending": 0, "Unknown": 1, "Running": 2}
_INT32 = 2**31
Comparable = int | str | tuple[int, ...]


def deletion_cost(pod: Object) -> int:
    """Return the pod's cost annotation; 0 when it is absent or no 32-bit integer."""
    text = annotations_of(pod).get(DELETION_COST, "")
    try:
        cost = int(text)
    except ValueError:
        return 0
    return cost if -_INT32 <= cost < _INT32 else 0


def crowding(related: Iterable[Object]) -> Mapping[str, int]:
    """Count active related pods by node name."""
    counts: dict[str, int] = {}
    for pod in related:
        node = dig(pod, "spec", "nodeName", default="")
        counts[node] = counts.get(node, 0) + 1
    return counts


def ranked_for_deletion(
    pods: Sequence[Object], crowded: Mapping[str, int], now: datetime
) -> list[Object]:
    """Return the pods, the first to delete first; `crowded` counts related pods by node."""

    def compare(one: Object, other: Object) -> int:
        return _by_state(one, other, crowded) or _by_age(one, other, now)

    return sorted(pods, key=cmp_to_key(compare))


def _by_state(one: Object, other: Object, crowded: Mapping[str, int]) -> int:
    return _order(_state(one, crowded), _state(other, crowded))


def _state(pod: Object, crowded: Mapping[str, int]) -> tuple[int, ...]:
    node = dig(pod, "spec", "nodeName", default="")
    return (
        1 if node else 0,
        _PHASE_ORDER.get(phase_of(pod), 0),
        1 if is_ready(pod) else 0,
        deletion_cost(pod),
        -crowded.get(node, 0),
    )


def _by_age(one: Object, other: Object, now: datetime) -> int:
    return (
        (_by_time(one, other, (ready_since(one), ready_since(other)), now) if is_ready(one) else 0)
        or _order(_restarts(other), _restarts(one))
        or _by_time(one, other, (_created(one), _created(other)), now)
    )


def _by_time(
    one: Object,
    other: Object,
    times: tuple[datetime | None, datetime | None],
    now: datetime,
) -> int:
    """Order by age class, younger first; an unknown time counts as the youngest."""
    first, second = times
    if first == second:
        return 0
    if first is None or second is None:
        return -1 if first is None else 1
    classes = _order(age_class(first, now), age_class(second, now))
    return classes or _order(uid_of(one), uid_of(other))


def age_class(since: datetime, now: datetime) -> int:
    """Return floor(log2(age in nanoseconds)); -1 for a time in the future."""
    nanoseconds = round((now - since).total_seconds() * 1e9)
    return math.floor(math.log2(nanoseconds)) if nanoseconds > 0 else -1


def _restarts(pod: Object) -> tuple[int, int]:
    """Return the largest restart counts of containers and of sidecars."""
    sidecars = {
        container["name"]
        for container in dig(pod, "spec", "initContainers", default=[])
        if container.get("restartPolicy") == "Always"
    }
    containers = dig(pod, "status", "containerStatuses", default=[])
    inits = dig(pod, "status", "initContainerStatuses", default=[])
    return (
        max((status.get("restartCount", 0) for status in containers), default=0),
        max((s.get("restartCount", 0) for s in inits if s["name"] in sidecars), default=0),
    )


def _created(pod: Object) -> datetime | None:
    text = dig(pod, "metadata", "creationTimestamp")
    return parse(text) if text else None


def _order(one: Comparable, other: Comparable) -> int:
    """Return -1, 0 or 1 as `one` is before, equal to or after `other`."""
    return (one > other) - (one < other)  # type: ignore[operator]  # callers pass equal types
