"""LimitRanges: the defaults they give to containers, and what does not fit them.

Called by the LimitRanger admission plugin; pure. Amounts are compared in thousandths and shown as
they are written. Source: v1.35 LimitRanger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from control_plane.api.objects import Object, annotations_of, dig
from control_plane.api.pod_requests import requested_together
from control_plane.api.quota.amounts import is_binary, shown, thousandths
from control_plane.api.validation.quantities import HUGE_PAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ANNOTATION: Final = "kubernetes.io/limit-ranger"
_CONTAINERS: Final = (("containers", "container"), ("initContainers", "init container"))


class Asked(NamedTuple):
    """What a thing of a type asks for: quantities by resource."""

    type: str
    requests: Mapping[str, Any]
    limits: Mapping[str, Any]


def limits_of(limit_range: Object, kind: str) -> Iterator[Object]:
    """Yield the items of a LimitRange for Pod, Container or PersistentVolumeClaim."""
    for item in (limit_range.get("spec") or {}).get("limits") or ():
        if item.get("type") == kind:
            yield item


def set_defaults(limit_range: Object, pod: Object) -> None:
    """Give the containers of a pod what they lack, and say so in an annotation."""
    limits: dict[str, Any] = {}
    requests: dict[str, Any] = {}
    for item in limits_of(limit_range, "Container"):
        limits |= item.get("default") or {}
        requests |= item.get("defaultRequest") or {}
    if not limits and not requests:
        return
    done: list[str] = []
    for field, called in _CONTAINERS:
        for container in dig(pod, "spec", field, default=[]):
            for what, defaults in (("request", requests), ("limit", limits)):
                names = _fill(container, f"{what}s", defaults)
                if names:
                    done.append(f"{', '.join(names)} {what} for {called} {container.get('name')}")
    if done:
        annotations = {
            **annotations_of(pod),
            ANNOTATION: f"LimitRanger plugin set: {'; '.join(done)}",
        }
        pod.setdefault("metadata", {})["annotations"] = annotations


def _fill(container: Object, field: str, defaults: Mapping[str, Any]) -> list[str]:
    """Set what a resource list lacks; return the names of it."""
    present = dig(container, "resources", field, default={})
    lacking = sorted(defaults.keys() - present.keys())
    if lacking:
        resources = container.get("resources") or {}
        added = {name: defaults[name] for name in lacking}
        container["resources"] = {**resources, field: {**present, **added}}
    return lacking


def pod_violations(limit_range: Object, pod: Object) -> list[str]:
    """Return what a pod has against the LimitRange: each of its containers, then it all."""
    found: list[str] = []
    for item in limits_of(limit_range, "Container"):
        for field, _ in _CONTAINERS:
            for container in dig(pod, "spec", field, default=[]):
                found += _violations(item, _asked(container, "Container"))
    for item in limits_of(limit_range, "Pod"):
        requests, limits = (_together(pod, field) for field in ("requests", "limits"))
        found += _violations(item, Asked("Pod", requests, limits))
    return found


def claim_violations(limit_range: Object, claim: Object) -> list[str]:
    """Return what a PersistentVolumeClaim has against the LimitRange."""
    found: list[str] = []
    for item in limits_of(limit_range, "PersistentVolumeClaim"):
        requests = dig(claim, "spec", "resources", "requests", default={})
        asked = Asked("PersistentVolumeClaim", requests, {})
        found += _each(item, "min", asked, _below)
        found += _each(item, "max", asked, _request_above)
    return found


def _violations(item: Object, asked: Asked) -> Iterator[str]:
    yield from _each(item, "min", asked, _below)
    yield from _each(item, "max", asked, _above)
    yield from _each(item, "maxLimitRequestRatio", asked, _over_ratio)


def _each(item: Object, field: str, asked: Asked, check: Any) -> Iterator[str]:
    bounds = item.get(field)
    if not bounds:
        return
    for name, bound in sorted(bounds.items()):
        text = check(asked, name, bound)
        if text:
            yield text


def _below(asked: Asked, name: str, bound: Any) -> str:
    rule = f"minimum {name} usage per {asked.type} is {bound}"
    if name not in asked.requests:
        return f"{rule}.  No request is specified"
    for called, amounts in (("request", asked.requests), ("limit", asked.limits)):
        if name in amounts and thousandths(amounts[name]) < thousandths(bound):
            return f"{rule}, but {called} is {amounts[name]}"
    return ""


def _above(asked: Asked, name: str, bound: Any) -> str:
    rule = f"maximum {name} usage per {asked.type} is {bound}"
    if name not in asked.limits:
        return f"{rule}.  No limit is specified"
    for called, amounts in (("limit", asked.limits), ("request", asked.requests)):
        if name in amounts and thousandths(amounts[name]) > thousandths(bound):
            return f"{rule}, but {called} is {amounts[name]}"
    return ""


def _request_above(asked: Asked, name: str, bound: Any) -> str:
    rule = f"maximum {name} usage per {asked.type} is {bound}"
    if name not in asked.requests:
        return f"{rule}.  No request is specified"
    if thousandths(asked.requests[name]) > thousandths(bound):
        return f"{rule}, but request is {asked.requests[name]}"
    return ""


def _over_ratio(asked: Asked, name: str, bound: Any) -> str:
    rule = f"{name} max limit to request ratio per {asked.type} is {bound}"
    request, limit = (thousandths(one.get(name, 0)) for one in (asked.requests, asked.limits))
    if not request:
        return f"{rule}, but no request is specified or request is 0"
    if not limit:
        return f"{rule}, but no limit is specified or limit is 0"
    if limit * 1000 > thousandths(bound) * request:
        return f"{rule}, but provided ratio is {limit / request:f}"
    return ""


def _asked(container: Object, kind: str) -> Asked:
    resources = container.get("resources") or {}
    return Asked(kind, resources.get("requests") or {}, resources.get("limits") or {})


def _together(pod: Object, field: str) -> dict[str, str]:
    """Return what the containers of a pod ask for at once; what the pod itself says goes before."""
    spec = pod.get("spec") or {}
    written: dict[str, Any] = {}

    def of_container(container: Object) -> dict[str, int]:
        amounts = dig(container, "resources", field, default={})
        for name, amount in amounts.items():
            written.setdefault(name, amount)
        return {name: thousandths(amount) for name, amount in amounts.items()}

    total = requested_together(spec, of_container)
    texts = {name: shown(n, is_binary=is_binary(written[name])) for name, n in total.items()}
    return {**texts, **dict(_pod_level(dig(spec, "resources", field, default={}).items()))}


def _pod_level(amounts: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, amount in amounts:
        if name in ("cpu", "memory") or name.startswith(HUGE_PAGES):
            yield name, str(amount)
