"""Rules of roles and their bindings.

Called through the VALIDATORS table. Source: v1.35 rbac/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    invalid,
    invalid_each,
    not_supported,
    required,
)
from control_plane.api.validation.labels import validate_selector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

GROUP: Final = "rbac.authorization.k8s.io"
_SUBJECTS: Final = ("ServiceAccount", "User", "Group")


def validate_role(role: Object) -> Iterator[FieldError]:
    """Check a Role."""
    yield from _validate_rules(role, namespaced=True)


def validate_cluster_role(role: Object) -> Iterator[FieldError]:
    """Check a ClusterRole."""
    yield from _validate_rules(role, namespaced=False)
    aggregation = role.get("aggregationRule")
    if aggregation is None:
        return
    path = "aggregationRule.clusterRoleSelectors"
    selectors = aggregation.get("clusterRoleSelectors") or []
    if not selectors:
        yield required(
            path, "at least one clusterRoleSelector required if aggregationRule is non-nil"
        )
    for index, selector in enumerate(selectors):
        yield from validate_selector(selector, f"{path}[{index}]")


def _validate_rules(role: Object, *, namespaced: bool) -> Iterator[FieldError]:
    for index, rule in enumerate(role.get("rules") or []):
        yield from _validate_rule(rule, f"rules[{index}]", namespaced=namespaced)


def _validate_rule(rule: Object, path: str, *, namespaced: bool) -> Iterator[FieldError]:
    if not rule.get("verbs"):
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs") or []
    if urls:
        where = f"{path}.nonResourceURLs"
        if namespaced:
            yield invalid(where, urls, "namespaced rules cannot apply to non-resource URLs")
        if any(rule.get(field) for field in ("apiGroups", "resources", "resourceNames")):
            detail = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid(where, urls, detail)
        return
    for field, what in (("apiGroups", "api group"), ("resources", "resource")):
        if not rule.get(field):
            yield required(f"{path}.{field}", f"resource rules must supply at least one {what}")


def validate_role_binding(binding: Object) -> Iterator[FieldError]:
    """Check a RoleBinding."""
    yield from _validate_binding(binding, ("Role", "ClusterRole"), namespaced=True)


def validate_cluster_role_binding(binding: Object) -> Iterator[FieldError]:
    """Check a ClusterRoleBinding."""
    yield from _validate_binding(binding, ("ClusterRole",), namespaced=False)


def _validate_binding(
    binding: Object, kinds: tuple[str, ...], *, namespaced: bool
) -> Iterator[FieldError]:
    role = binding.get("roleRef") or {}
    group, kind, name = (role.get(field) or "" for field in ("apiGroup", "kind", "name"))
    if group != GROUP:
        yield not_supported("roleRef.apiGroup", group, (GROUP,))
    if kind not in kinds:
        yield not_supported("roleRef.kind", kind, kinds)
    if not name:
        yield required("roleRef.name")
    else:
        yield from invalid_each("roleRef.name", name, formats.path_segment(name))
    for index, subject in enumerate(binding.get("subjects") or []):
        yield from _validate_subject(subject, f"subjects[{index}]", namespaced=namespaced)


def _validate_subject(subject: Object, path: str, *, namespaced: bool) -> Iterator[FieldError]:
    name, kind = subject.get("name") or "", subject.get("kind") or ""
    group = subject.get("apiGroup") or ""
    if not name:
        yield required(f"{path}.name")
    if kind not in _SUBJECTS:
        yield not_supported(f"{path}.kind", kind, _SUBJECTS)
    elif kind == "ServiceAccount":
        if name:
            yield from invalid_each(f"{path}.name", name, formats.dns1123_subdomain(name))
        if group:
            yield not_supported(f"{path}.apiGroup", group, ("",))
        if not namespaced and not subject.get("namespace"):
            yield required(f"{path}.namespace")
    elif group != GROUP:
        yield not_supported(f"{path}.apiGroup", group, (GROUP,))


def validate_role_binding_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a RoleBinding: it stays with its role."""
    yield from validate_role_binding(new)
    yield from _keep_role(new, old)


def validate_cluster_role_binding_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update of a ClusterRoleBinding: it stays with its role."""
    yield from validate_cluster_role_binding(new)
    yield from _keep_role(new, old)


def _keep_role(new: Object, old: Object) -> Iterator[FieldError]:
    wanted, stored = (_role_of(binding) for binding in (new, old))
    if wanted != stored:
        yield invalid("roleRef", wanted, "cannot change roleRef")


def _role_of(binding: Object) -> dict[str, Any]:
    role = binding.get("roleRef") or {}
    fields = {"APIGroup": "apiGroup", "Kind": "kind", "Name": "name"}
    return {shown: role.get(field) or "" for shown, field in fields.items()}
