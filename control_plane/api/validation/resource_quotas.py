"""Rules of resource quotas.

Called through the VALIDATORS table. Source: v1.35 core/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation.field_errors import IMMUTABLE, invalid, required
from control_plane.api.validation.quantities import (
    HUGE_PAGES,
    validate_amount,
    validate_resource_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_COMPUTE: Final = frozenset({
    "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory",
})  # fmt: skip
_NAMES: Final = _COMPUTE | {
    "ephemeral-storage", "requests.storage", "requests.ephemeral-storage",
    "limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers",
    "secrets", "persistentvolumeclaims", "configmaps", "services.nodeports",
    "services.loadbalancers",
}  # fmt: skip
# What may be counted within a scope.
_SCOPES: Final = {
    "Terminating": _COMPUTE | {"pods"},
    "NotTerminating": _COMPUTE | {"pods"},
    "BestEffort": frozenset({"pods"}),
    "NotBestEffort": _COMPUTE | {"pods"},
    "PriorityClass": _COMPUTE | {"pods"},
    "CrossNamespacePodAffinity": _COMPUTE | {"pods"},
    "VolumeAttributesClass": frozenset({"persistentvolumeclaims", "requests.storage"}),
}
_WITH_VALUES: Final = ("PriorityClass", "VolumeAttributesClass")
_CONFLICTS: Final = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_NEEDS_EXISTS: Final = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
    "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
    "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


def _is_standard(name: str) -> bool:
    return name in _NAMES or name.removeprefix("requests.").startswith(HUGE_PAGES)


def validate_resource_quota(quota: Object) -> Iterator[FieldError]:
    """Check a ResourceQuota."""
    spec = quota.get("spec") or {}
    yield from _validate_amounts(spec.get("hard") or {}, "spec.hard")
    yield from _validate_scopes(spec)
    selector = spec.get("scopeSelector")
    if selector is not None:
        yield from _validate_selector(spec, selector)


def _validate_amounts(amounts: Object, path: str) -> Iterator[FieldError]:
    for name, amount in amounts.items():
        where = f"{path}[{name}]"
        yield from validate_resource_name(name, where)
        if "/" not in name and not _is_standard(name):
            yield invalid(where, name, "must be a standard resource for quota")
        yield from validate_amount(name, amount, where)


def _misapplied(spec: Object, scope: str) -> Iterable[str]:
    """Return the counted resources that mean nothing within a scope."""
    counted = _SCOPES.get(scope)
    if counted is None:
        return ()
    hard = spec.get("hard") or {}
    return [name for name in sorted(hard) if _is_standard(name) and name not in counted]


def _validate_scopes(spec: Object) -> Iterator[FieldError]:
    scopes = spec.get("scopes") or []
    path = "spec.scopes"
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid(path, scopes, "unsupported scope")
        for _ in _misapplied(spec, scope):
            yield invalid(path, scopes, "unsupported scope applied to resource")
    for pair in _CONFLICTS:
        if pair <= set(scopes):
            yield invalid(path, scopes, "conflicting scopes")


def _validate_selector(spec: Object, selector: Object) -> Iterator[FieldError]:
    path = "spec.scopeSelector.matchExpressions"
    requirements = selector.get("matchExpressions") or []
    for requirement in requirements:
        scope = requirement.get("scopeName") or ""
        if scope not in _SCOPES:
            yield invalid(f"{path}.scopeName", scope, "unsupported scope")
        for _ in _misapplied(spec, scope):
            yield invalid(path, requirements, "unsupported scope applied to resource")
        yield from _validate_requirement(requirement, scope, path)
    names = {requirement.get("scopeName") for requirement in requirements}
    for pair in _CONFLICTS:
        if pair <= names:
            yield invalid(path, spec.get("scopes") or [], "conflicting scopes")


def _validate_requirement(requirement: Object, scope: str, path: str) -> Iterator[FieldError]:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    if scope in _SCOPES and scope not in _WITH_VALUES and operator != "Exists":
        yield invalid(f"{path}.operator", operator, _NEEDS_EXISTS)
    if operator in ("In", "NotIn"):
        if not values:
            detail = (
                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            )
            yield required(f"{path}.values", detail)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            detail = (
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            )
            yield invalid(f"{path}.values", values, detail)
    else:
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")


def validate_resource_quota_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a ResourceQuota: what it counts stays."""
    yield from validate_resource_quota(new)
    scopes, stored = ((quota.get("spec") or {}).get("scopes") or [] for quota in (new, old))
    if set(scopes) != set(stored):
        yield invalid("spec.scopes", scopes, IMMUTABLE)


def validate_resource_quota_status(new: Object, _old: Object) -> Iterator[FieldError]:
    """Check the amounts in a ResourceQuota's status."""
    status = new.get("status") or {}
    for field in ("hard", "used"):
        yield from _validate_amounts(status.get(field) or {}, f"status.{field}")
