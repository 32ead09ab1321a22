"""Scopes of quotas: which objects a quota with scopes or a scopeSelector counts.

Pods know six scopes, claims of volumes one; every other object is outside of all scopes. Source:
v1.35 quota evaluators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from control_plane.api.objects import Object, dig
from control_plane.api.preparation.qos_class import qos_class

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Scope(NamedTuple):
    """One requirement: the scope, an operator (In, NotIn, Exists, DoesNotExist) and its values."""

    name: str
    operator: str = "Exists"
    values: tuple[str, ...] = ()


def scopes_of(quota: Object) -> tuple[Scope, ...]:
    """Return all requirements of a ResourceQuota."""
    spec = quota.get("spec") or {}
    plain = [Scope(name) for name in spec.get("scopes") or ()]
    selected = [
        Scope(
            one.get("scopeName") or "",
            one.get("operator") or "",
            tuple(one.get("values") or ()),
        )
        for one in dig(spec, "scopeSelector", "matchExpressions", default=[])
    ]
    return (*plain, *selected)


def in_no_scope(_obj: Object, _scope: Scope) -> bool:
    """Say of an object without scopes that it is outside of this one."""
    return False


def pod_in_scope(pod: Object, scope: Scope) -> bool:
    """Tell whether a pod is in a scope."""
    if scope.name == "PriorityClass":
        name = dig(pod, "spec", "priorityClassName", default="")
        return _selects(scope, {name} - {""})
    decide = _POD_SCOPES.get(scope.name)
    return decide is not None and decide(pod)


def claim_in_scope(claim: Object, scope: Scope) -> bool:
    """Tell whether a PersistentVolumeClaim is in a scope."""
    return scope.name == "VolumeAttributesClass" and _selects(scope, attributes_classes(claim))


def attributes_classes(claim: Object) -> set[str]:
    """Return the VolumeAttributesClasses that a claim has, had or is to get."""
    names = {
        dig(claim, "spec", "volumeAttributesClassName", default=""),
        dig(claim, "status", "currentVolumeAttributesClassName", default=""),
        dig(claim, "status", "modifyVolumeStatus", "targetVolumeAttributesClassName", default=""),
    }
    return names - {""}


def is_terminating(pod: Object) -> bool:
    """Tell whether a pod has a deadline, which the scope Terminating means."""
    deadline = dig(pod, "spec", "activeDeadlineSeconds", default=None)
    return deadline is not None and deadline >= 0


def _selects(scope: Scope, names: set[str]) -> bool:
    """Tell whether one of the names satisfies the scope; without any it is as an absent label."""
    if scope.operator == "Exists":
        return bool(names)
    if scope.operator == "DoesNotExist":
        return not names
    if scope.operator == "In":
        return not names.isdisjoint(scope.values)
    return not names or not names.issubset(scope.values)


def _crosses_namespaces(pod: Object) -> bool:
    return any(
        term.get("namespaces") or term.get("namespaceSelector") is not None
        for term in _affinity_terms(pod)
    )


def _affinity_terms(pod: Object) -> Iterator[Object]:
    for kind in ("podAffinity", "podAntiAffinity"):
        found = dig(pod, "spec", "affinity", kind, default={})
        yield from found.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        for weighted in found.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            yield weighted.get("podAffinityTerm") or {}


def _is_best_effort(pod: Object) -> bool:
    return qos_class(pod.get("spec") or {}) == "BestEffort"


_POD_SCOPES: Mapping[str, Callable[[Object], bool]] = {
    "Terminating": is_terminating,
    "NotTerminating": lambda pod: not is_terminating(pod),
    "BestEffort": _is_best_effort,
    "NotBestEffort": lambda pod: not _is_best_effort(pod),
    "CrossNamespacePodAffinity": _crosses_namespaces,
}
