"""LimitRanges: the defaults they give to containers, and what does not fit them.

Called by the LimitRanger admission plugin; pure. Amounts are compared in thousandths and shown as
they are written. Source: v1.35 LimitRanger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from control_plane.api.objects import Object, annotations_of, dig, name_of
from control_plane.api.pod_requests import requested_together
from control_plane.api.quota.amounts import is_binary, shown, thousandths
from control_plane.api.validation.quantities import HUGE_PAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Check = Callable[["Asked", str, Any], str]

ANNOTATION: Final = "kubernetes.io/limit-ranger"
_CONTAINERS: Final = (("containers", "container"), ("initContainers", "init container"))


class Asked(NamedTuple):
    """What a thing of a type asks for: quantities by resource."""

    type: str
    requests: Mapping[str, Any]
    limits: Mapping[str, Any]


class Bound(NamedTuple):
    """A bound on one resource; `check` returns what something has against it, "" for nothing."""

    check: Check
    name: str
    amount: Any


@dataclass(frozen=True, slots=True)
class LimitRange:
    """A LimitRange as admission asks it: what containers get that lack it, and bounds of types."""

    name: str
    requests: Mapping[str, Any]
    limits: Mapping[str, Any]
    bounds: tuple[tuple[str, tuple[Bound, ...]], ...]

    @classmethod
    def of(cls, obj: Object) -> LimitRange:
        """Read a LimitRange; of several items for a type each bounds, and the last one gives."""
        items = dig(obj, "spec", "limits", default=[])
        given = [item for item in items if item.get("type") == "Container"]
        return cls(
            name_of(obj),
            {k: v for item in given for k, v in (item.get("defaultRequest") or {}).items()},
            {k: v for item in given for k, v in (item.get("default") or {}).items()},
            tuple((item.get("type", ""), tuple(_bounds(item))) for item in items),
        )


def _bounds(item: Object) -> Iterator[Bound]:
    for field, check in _CHECKS.get(item.get("type", ""), {}).items():
        for name, amount in sorted((item.get(field) or {}).items()):
            yield Bound(check, name, amount)


def set_defaults(limit_range: LimitRange, pod: Object) -> None:
    """Give the containers of a pod what they lack, and say so in an annotation."""
    if not limit_range.limits and not limit_range.requests:
        return
    done: list[str] = []
    given = (("request", "requests", limit_range.requests), ("limit", "limits", limit_range.limits))
    for called, container in _containers(pod):
        for what, field, defaults in given:
            names = _fill(container, field, defaults)
            if names:
                done.append(f"{', '.join(names)} {what} for {called} {container.get('name')}")
    if done:
        annotations = {
            **annotations_of(pod),
            ANNOTATION: f"LimitRanger plugin set: {'; '.join(done)}",
        }
        pod.setdefault("metadata", {})["annotations"] = annotations


def _containers(pod: Object) -> Iterator[tuple[str, Object]]:
    """Yield each container that is limited, after what it is called."""
    spec = pod.get("spec") or {}
    for field, called in _CONTAINERS:
        for container in spec.get(field) or ():
            yield called, container


def _fill(container: Object, field: str, defaults: Mapping[str, Any]) -> list[str]:
    """Set what a resource list lacks; return the names of it."""
    resources = container.get("resources") or {}
    present = resources.get(field) or {}
    lacking = sorted(defaults.keys() - present.keys())
    if lacking:
        added = {name: defaults[name] for name in lacking}
        container["resources"] = {**resources, field: {**present, **added}}
    return lacking


def pod_violations(limit_range: LimitRange, pod: Object) -> list[str]:
    """Return what a pod, or each of its containers, has against the items of the LimitRange."""
    found: list[str] = []
    for kind, bounds in limit_range.bounds:
        if not bounds:
            continue
        if kind == "Container":
            for _, container in _containers(pod):
                found += _violations(bounds, _asked(container))
        elif kind == "Pod":
            requests, limits = (_together(pod, field) for field in ("requests", "limits"))
            found += _violations(bounds, Asked(kind, requests, limits))
    return found


def claim_violations(limit_range: LimitRange, claim: Object) -> list[str]:
    """Return what a PersistentVolumeClaim has against the LimitRange."""
    requests = dig(claim, "spec", "resources", "requests", default={})
    asked = Asked("PersistentVolumeClaim", requests, {})
    bounds = [own for kind, own in limit_range.bounds if kind == asked.type]
    return [text for own in bounds for text in _violations(own, asked)]


def _violations(bounds: Iterable[Bound], asked: Asked) -> list[str]:
    found = [bound.check(asked, bound.name, bound.amount) for bound in bounds]
    return [text for text in found if text]


def _rule(extreme: str, asked: Asked, name: str, bound: Any) -> str:
    return f"{extreme} {name} usage per {asked.type} is {bound}"


def _below(asked: Asked, name: str, bound: Any) -> str:
    if name not in asked.requests:
        return f"{_rule('minimum', asked, name, bound)}.  No request is specified"
    for called, amounts in (("request", asked.requests), ("limit", asked.limits)):
        if name in amounts and thousandths(amounts[name]) < thousandths(bound):
            return f"{_rule('minimum', asked, name, bound)}, but {called} is {amounts[name]}"
    return ""


def _above(asked: Asked, name: str, bound: Any) -> str:
    if name not in asked.limits:
        return f"{_rule('maximum', asked, name, bound)}.  No limit is specified"
    for called, amounts in (("limit", asked.limits), ("request", asked.requests)):
        if name in amounts and thousandths(amounts[name]) > thousandths(bound):
            return f"{_rule('maximum', asked, name, bound)}, but {called} is {amounts[name]}"
    return ""


def _request_above(asked: Asked, name: str, bound: Any) -> str:
    if name not in asked.requests:
        return f"{_rule('maximum', asked, name, bound)}.  No request is specified"
    if thousandths(asked.requests[name]) > thousandths(bound):
        return f"{_rule('maximum', asked, name, bound)}, but request is {asked.requests[name]}"
    return ""


def _over_ratio(asked: Asked, name: str, bound: Any) -> str:
    request, limit = (thousandths(one.get(name, 0)) for one in (asked.requests, asked.limits))
    if request and limit and limit * 1000 <= thousandths(bound) * request:
        return ""
    rule = f"{name} max limit to request ratio per {asked.type} is {bound}"
    if not request:
        return f"{rule}, but no request is specified or request is 0"
    if not limit:
        return f"{rule}, but no limit is specified or limit is 0"
    return f"{rule}, but provided ratio is {limit / request:f}"


_OF_RUNNING: Final = {"min": _below, "max": _above, "maxLimitRequestRatio": _over_ratio}
_CHECKS: Final[Mapping[str, Mapping[str, Check]]] = {
    "Container": _OF_RUNNING,
    "Pod": _OF_RUNNING,
    "PersistentVolumeClaim": {"min": _below, "max": _request_above},
}


def _asked(container: Object) -> Asked:
    resources = container.get("resources") or {}
    return Asked("Container", resources.get("requests") or {}, resources.get("limits") or {})


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
