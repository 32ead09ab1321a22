"""Limited resources: what may only be used where a quota covers it.

They come from the ResourceQuotaConfiguration in the file of --admission-control-config-file.
Source: v1.35 resourcequota admission and its configuration, apiserver.config.k8s.io/v1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from control_plane.api.field_error import FieldError, invalid, not_supported, required
from control_plane.api.quota.charging import QuotaRefusal
from control_plane.api.quota.scopes import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from control_plane.api.quota.charging import Quota, Write

KINDS: Final = {  # by apiVersion
    "apiserver.config.k8s.io/v1": "ResourceQuotaConfiguration",
    "resourcequota.admission.k8s.io/v1beta1": "Configuration",
    "resourcequota.admission.k8s.io/v1alpha1": "Configuration",
}
_FIELDS: Final = ("apiGroup", "resource", "matchContains", "matchScopes")
_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")


class Limited(NamedTuple):
    """Objects of a resource that need a quota: for usage whose name has a text, or in a scope."""

    group: str
    resource: str
    contains: tuple[str, ...] = ()
    scopes: tuple[Scope, ...] = ()


def check_limits(limits: Sequence[Limited], quotas: Iterable[Quota], write: Write) -> None:
    """Raise QuotaRefusal when a write uses what is limited, and no quota covers that.

    `limits` are those about the resource that is written, `quotas` all of the namespace.
    """
    countable, obj = write.countable, write.new
    covered: set[str] = set()
    scopes: set[str] = set()
    for quota in quotas:
        scopes |= {one.name for one in quota.scopes if countable.in_scope(obj, one)}
        if countable.matches(obj, quota.scopes):
            covered |= set(countable.names(quota.hard))
    used = countable.usage(obj, write.now).amounts
    texts = [text for limit in limits for text in limit.contains]
    bare = sorted(name for name in used.keys() - covered if any(text in name for text in texts))
    if bare:
        raise QuotaRefusal(f"insufficient quota to consume: {','.join(bare)}")
    wanted = [one for limit in limits for one in limit.scopes if countable.in_scope(obj, one)]
    left = [one for one in wanted if one.name not in scopes]
    if left:
        shown = " ".join(map(_shown, left))
        raise QuotaRefusal(f"insufficient quota to match these scopes: [{shown}]")


def _shown(scope: Scope) -> str:
    return f"{{{scope.name} {scope.operator} [{' '.join(scope.values)}]}}"


def limits_of(document: Mapping[str, Any]) -> tuple[Limited, ...]:
    """Read a ResourceQuotaConfiguration; ValueError of one line with all that is wrong with it."""
    errors = list(_errors(document))
    if errors:
        raise ValueError("; ".join(map(str, errors)))
    return tuple(
        Limited(
            one.get("apiGroup") or "",
            one["resource"],
            tuple(one.get("matchContains") or ()),
            tuple(_scope(scope) for scope in one.get("matchScopes") or ()),
        )
        for one in document.get("limitedResources") or ()
    )


def _scope(scope: Mapping[str, Any]) -> Scope:
    return Scope(scope["scopeName"], scope["operator"], tuple(scope.get("values") or ()))


def _errors(document: Mapping[str, Any]) -> Iterator[FieldError]:
    version = document.get("apiVersion") or ""
    if version not in KINDS:
        yield not_supported("apiVersion", version, list(KINDS))
    elif document.get("kind") != KINDS[version]:
        yield not_supported("kind", document.get("kind") or "", [KINDS[version]])
    for name in document.keys() - {"apiVersion", "kind", "limitedResources"}:
        yield invalid(str(name), document[name], "unknown field")
    limits = document.get("limitedResources") or []
    if not isinstance(limits, list):
        yield invalid("limitedResources", limits, "give a list")
        return
    for index, limit in enumerate(limits):
        path = f"limitedResources[{index}]"
        if isinstance(limit, dict):
            yield from _limit_errors(limit, path)
        else:
            yield invalid(path, limit, "give a mapping")


def _limit_errors(limit: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    for name in limit.keys() - set(_FIELDS):
        yield invalid(f"{path}.{name}", limit[name], "unknown field")
    if not limit.get("resource") or not isinstance(limit["resource"], str):
        yield required(f"{path}.resource")
    texts = limit.get("matchContains") or []
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        yield invalid(f"{path}.matchContains", texts, "give a list of texts")
    scopes = limit.get("matchScopes") or []
    if not isinstance(scopes, list):
        yield invalid(f"{path}.matchScopes", scopes, "give a list")
        return
    for index, scope in enumerate(scopes):
        where = f"{path}.matchScopes[{index}]"
        if not isinstance(scope, dict) or not scope.get("scopeName"):
            yield required(f"{where}.scopeName")
        elif scope.get("operator") not in _OPERATORS:
            yield not_supported(f"{where}.operator", scope.get("operator") or "", _OPERATORS)
