"""What a pod uses of a quota: itself, and what it requests and is limited to.

A pod that has ended, or that should be gone, uses nothing but `count/pods`. Source: v1.35 pod
evaluator and pod resource helpers.
"""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson

from control_plane.api.objects import Object, dig, find_condition, metadata_of
from control_plane.api.pod_requests import add, largest, requested_together
from control_plane.api.quota.amounts import ONE, Usage, is_binary, thousandths
from control_plane.api.quota.scopes import is_terminating
from control_plane.api.timestamps import parse
from control_plane.api.validation.quantities import HUGE_PAGES, is_extended, is_native

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

COUNT: Final = "count/pods"
_REQUESTS: Final = ("cpu", "memory", "ephemeral-storage")
_NAMES: Final = frozenset({
    COUNT, "pods", *_REQUESTS, *(f"requests.{name}" for name in _REQUESTS),
    *(f"limits.{name}" for name in _REQUESTS),
})  # fmt: skip
# Whoever counts one of these wants it said of every container; upstream calls that a mistake of
# its own, and keeps it.
_SPELLED_OUT: Final = frozenset({
    "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory",
})  # fmt: skip
_FINISHED: Final = ("Failed", "Succeeded")
_STATUSES: Final = ("containerStatuses", "initContainerStatuses")
_LONGEST_REMEMBERED: Final = 2048


def pod_names(names: Iterable[str]) -> list[str]:
    """Return which of the counted resources pods use."""
    return list(_pod_names(tuple(names)))


@functools.lru_cache(maxsize=1024)  # quotas count the same for every pod
def _pod_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name in _NAMES or _is_prefixed(name))


def _is_prefixed(name: str) -> bool:
    if name.startswith((HUGE_PAGES, f"requests.{HUGE_PAGES}")):
        return True
    return name.startswith("requests.") and not is_native(name)


def handles_pod(operation: str, subresource: str, new: Object, old: Object | None) -> bool:
    """Tell whether a write may change what is used: a creation, a resize, a change of deadline."""
    if subresource == "resize":
        return operation == "UPDATE"
    if subresource:
        return False
    if operation == "CREATE":
        return True
    return old is not None and is_terminating(new) != is_terminating(old)


def pod_usage(pod: Object, now: datetime) -> Usage:
    """Return what a pod uses at `now`."""
    if not is_counted(pod, now):
        return Usage({COUNT: ONE})
    status = pod.get("status") or {}
    if any(status.get(statuses) for statuses in _STATUSES):
        return _usage(pod)
    wanted = orjson.dumps(_wanted(pod.get("spec") or {}))
    return _usage_of_new(wanted) if len(wanted) <= _LONGEST_REMEMBERED else _usage(pod)


def _wanted(spec: Object) -> Object:
    """Return what of a pod's spec its usage comes from."""
    return {
        "containers": [{"resources": c.get("resources")} for c in spec.get("containers") or ()],
        "initContainers": [
            {"resources": c.get("resources"), "restartPolicy": c.get("restartPolicy")}
            for c in spec.get("initContainers") or ()
        ],
        "resources": spec.get("resources"),
        "overhead": spec.get("overhead"),
    }


@functools.lru_cache(maxsize=4096)  # pods come in large numbers of the same kind
def _usage_of_new(wanted: bytes) -> Usage:
    return _usage({"spec": orjson.loads(wanted)})


def _usage(pod: Object) -> Usage:
    requests, limits = _effective(pod, "requests"), _effective(pod, "limits")
    amounts = {COUNT: ONE, **_computed(requests, limits)}
    written = {name for name, amount in _written(pod) if is_binary(amount)}
    binary = {f"{form}{name}" for form in ("", "requests.", "limits.") for name in written}
    return Usage(amounts, frozenset(binary & amounts.keys()))


def is_counted(pod: Object, now: datetime) -> bool:
    """Tell whether a pod still runs, or might: it has not ended and is not overdue."""
    if (pod.get("status") or {}).get("phase") in _FINISHED:
        return False
    metadata = metadata_of(pod)
    deleted = metadata.get("deletionTimestamp")
    grace = metadata.get("deletionGracePeriodSeconds")
    if deleted is None or grace is None:
        return True
    return now <= parse(deleted) + timedelta(seconds=grace)


def missing_amounts(pod: Object, required: Iterable[str]) -> str:
    """Return what is wrong when containers do not say what a quota counts; "" when they do."""
    spelled_out = sorted(_SPELLED_OUT.intersection(required))
    if not spelled_out or (pod.get("spec") or {}).get("resources"):
        return ""
    lacking: list[str] = []
    containers = list(_containers(pod))
    for name in spelled_out:
        without = {c.get("name", "") for c in containers if not _says(c, name)}
        if without:
            lacking.append(f"{name} for: {','.join(sorted(without))}")
    return f"must specify {'; '.join(lacking)}" if lacking else ""


def _says(container: Object, name: str) -> bool:
    """Tell whether a container says one of _SPELLED_OUT."""
    form, _, resource = name.rpartition(".")
    resources = container.get("resources") or {}
    return resource in (resources.get(form or "requests") or {})


def _computed(requests: Mapping[str, int], limits: Mapping[str, int]) -> dict[str, int]:
    """Return the amounts under the names that quotas have for them."""
    counted = {"pods": ONE}
    for name, amount in requests.items():
        if name in _REQUESTS or name.startswith(HUGE_PAGES):
            counted[name] = counted[f"requests.{name}"] = amount
        elif is_extended(name):
            counted[f"requests.{name}"] = amount
    for name in _REQUESTS:
        if name in limits:
            counted[f"limits.{name}"] = limits[name]
    return counted


def _containers(pod: Object) -> Iterator[Object]:
    spec = pod.get("spec") or {}
    yield from spec.get("containers") or ()
    yield from spec.get("initContainers") or ()


def _written(pod: Object) -> Iterator[tuple[str, Any]]:
    """Yield every resource with its amount as it is written, the pod's own first."""
    spec = pod.get("spec") or {}
    for owner in (spec, *_containers(pod)):
        resources = owner.get("resources")
        if resources:
            for field in ("requests", "limits"):
                yield from (resources.get(field) or {}).items()


def _amounts(resources: Any) -> dict[str, int]:
    return {name: thousandths(amount) for name, amount in (resources or {}).items()}


def _effective(pod: Object, field: str) -> dict[str, int]:
    """Return what all containers need at once, with what the pod itself says and its overhead."""
    spec = pod.get("spec") or {}
    granted = _granted(pod, field)
    is_refused = bool(granted) and _is_refused(pod)

    def of_container(container: Object) -> Mapping[str, int]:
        wanted = _amounts((container.get("resources") or {}).get(field))
        given = granted.get(container.get("name", ""))
        if not given:
            return wanted
        return given if is_refused else largest(wanted, given)

    amounts = requested_together(spec, of_container)
    for name, amount in _amounts((spec.get("resources") or {}).get(field)).items():
        if name in ("cpu", "memory") or name.startswith(HUGE_PAGES):
            amounts[name] = amount
    overhead = _amounts(spec.get("overhead"))
    if field == "limits":
        overhead = {name: amount for name, amount in overhead.items() if amounts.get(name)}
    return add(amounts, overhead)


def _granted(pod: Object, field: str) -> dict[str, dict[str, int]]:
    """Return by container what its node has granted, in the course of an in-place resize."""
    found: dict[str, dict[str, int]] = {}
    reported = pod.get("status") or {}
    for statuses in _STATUSES:
        for status in reported.get(statuses) or ():
            given = _amounts(dig(status, "resources", field))
            if field == "requests":
                given = largest(given, _amounts(status.get("allocatedResources")))
            if given:
                found[status.get("name", "")] = given
    return found


def _is_refused(pod: Object) -> bool:
    condition = find_condition(pod, "PodResizePending")
    return bool(condition and condition.get("reason") == "Infeasible")
