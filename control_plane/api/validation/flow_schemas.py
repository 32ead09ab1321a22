"""Rules of FlowSchemas.

Called through the VALIDATORS table. Source: v1.35 flowcontrol validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.flow_bootstrap import EXEMPT, MANDATORY_SCHEMAS
from control_plane.api.objects import dig, name_of
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    duplicate,
    forbidden,
    invalid,
    invalid_each,
    not_supported,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_PRECEDENCE: Final = 10000
_METHODS: Final = ("ByNamespace", "ByUser")
_VERBS: Final = (
    "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch",
)  # fmt: skip
_KINDS: Final = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}


def validate_flow_schema(flow_schema: Object) -> Iterator[FieldError]:
    """Check a FlowSchema."""
    name, spec = name_of(flow_schema), flow_schema.get("spec") or {}
    yield from _validate_precedence(spec.get("matchingPrecedence") or 0, name)
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in _METHODS:
        yield not_supported("spec.distinguisherMethod.type", method, _METHODS)
    yield from _validate_reference(dig(spec, "priorityLevelConfiguration", "name", default=""))
    for index, rule in enumerate(spec.get("rules") or []):
        yield from _validate_rule(rule, f"spec.rules[{index}]")
    fixed = MANDATORY_SCHEMAS.get(name)
    if fixed is not None and not semantically_equal(spec, fixed):
        yield invalid("spec", spec, f"spec of '{name}' must equal the fixed value")
    yield from _validate_status(flow_schema)


def _validate_precedence(precedence: int, name: str) -> Iterator[FieldError]:
    path = "spec.matchingPrecedence"
    if precedence <= 0:
        yield invalid(path, precedence, "must be a positive value")
    if precedence > MAX_PRECEDENCE:
        yield invalid(path, precedence, f"must not be greater than {MAX_PRECEDENCE}")
    if precedence == 1 and name != EXEMPT:
        detail = "only the schema named 'exempt' may have matchingPrecedence 1"
        yield invalid(path, precedence, detail)


def _validate_reference(level: str) -> Iterator[FieldError]:
    path = "spec.priorityLevelConfiguration.name"
    if level:
        yield from invalid_each(path, level, formats.dns1123_subdomain(level))
    else:
        yield required(path, "must reference a priority level")


def _validate_rule(rule: Object, path: str) -> Iterator[FieldError]:
    subjects = rule.get("subjects") or []
    if not subjects:
        yield required(f"{path}.subjects", "subjects must contain at least one value")
    for index, subject in enumerate(subjects):
        yield from _validate_subject(subject, f"{path}.subjects[{index}]")
    on_resources, on_urls = (rule.get(f) or [] for f in ("resourceRules", "nonResourceRules"))
    if not on_resources and not on_urls:
        detail = "at least one of resourceRules and nonResourceRules has to be non-empty"
        yield required(path, detail)
    for index, part in enumerate(on_resources):
        yield from _validate_resource_rule(part, f"{path}.resourceRules[{index}]")
    for index, part in enumerate(on_urls):
        yield from _validate_url_rule(part, f"{path}.nonResourceRules[{index}]")


def _validate_subject(subject: Object, path: str) -> Iterator[FieldError]:
    kind = subject.get("kind") or ""
    member = _KINDS.get(kind)
    if member is None:
        yield not_supported(f"{path}.kind", kind, _KINDS)
        return
    named = subject.get(member)
    if named is None:
        yield required(f"{path}.{member}", f"{member} is required when subject kind is '{kind}'")
    else:
        yield from _validate_named(kind, named, f"{path}.{member}")
    for other_kind in ("ServiceAccount", "User", "Group"):
        other = _KINDS[other_kind]
        if other != member and subject.get(other) is not None:
            detail = f"{other} is forbidden when subject kind is not '{other_kind}'"
            yield forbidden(f"{path}.{other}", detail)


def _validate_named(kind: str, named: Object, path: str) -> Iterator[FieldError]:
    name = named.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    if kind != "ServiceAccount":
        return
    if name and name != "*":
        yield from invalid_each(f"{path}.name", name, formats.dns1123_subdomain(name))
    namespace = named.get("namespace") or ""
    if namespace:
        where = f"{path}.namespace"
        yield from invalid_each(where, namespace, formats.dns1123_label(namespace))
    else:
        yield required(f"{path}.namespace", "must specify namespace for service account")


def _validate_verbs(rule: Object, path: str) -> Iterator[FieldError]:
    verbs = rule.get("verbs") or []
    where = f"{path}.verbs"
    if not verbs:
        yield required(where, "verbs must contain at least one value")
    elif "*" in verbs:
        yield from _alone(verbs, where, "verbs")
    elif not set(verbs) <= set(_VERBS):
        yield not_supported(where, verbs, _VERBS)


def _alone(values: list[Any], path: str, what: str) -> Iterator[FieldError]:
    if "*" in values and len(values) > 1:
        yield invalid(path, values, f"if '*' is present, must not specify other {what}")


def _validate_resource_rule(rule: Object, path: str) -> Iterator[FieldError]:
    yield from _validate_verbs(rule, path)
    for field, one, many in (
        ("apiGroups", "api group", "api groups"),
        ("resources", "resource", "resources"),
    ):
        values = rule.get(field) or []
        if not values:
            yield required(f"{path}.{field}", f"resource rules must supply at least one {one}")
        yield from _alone(values, f"{path}.{field}", many)
    namespaces = rule.get("namespaces") or []
    where = f"{path}.namespaces"
    if not namespaces and not rule.get("clusterScope"):
        detail = "resource rules that are not cluster scoped must supply at least one namespace"
        yield required(where, detail)
    elif "*" in namespaces:
        yield from _alone(namespaces, where, "namespaces")
    else:
        for index, namespace in enumerate(namespaces):
            intro = "each member of this list must be '*' or a DNS-1123 label; "
            details = [intro + text for text in formats.dns1123_label(namespace)]
            yield from invalid_each(f"{where}[{index}]", namespace, details)


def _validate_url_rule(rule: Object, path: str) -> Iterator[FieldError]:
    yield from _validate_verbs(rule, path)
    urls = rule.get("nonResourceURLs") or []
    where = f"{path}.nonResourceURLs"
    if not urls:
        yield required(where, "nonResourceURLs must contain at least one value")
    elif "*" in urls:
        yield from _alone(urls, where, "non-resource URLs")
    else:
        for index, url in enumerate(urls):
            trouble = _url_trouble(url)
            if trouble:
                yield invalid(f"{where}[{index}]", url, trouble)


def _url_trouble(url: str) -> str:
    if not url:
        return "must not be empty"
    if not url.startswith("/"):
        return "must start with slash"
    if " " in url:
        return "must not contain white-space"
    if "//" in url:
        return "must not contain double slash"
    if "*" in url and (url.count("*") > 1 or not url.endswith("/*")):
        return "wildcard can only do suffix matching"
    return ""


def validate_conditioned_status(new: Object, _old: Object) -> Iterator[FieldError]:
    """Check the status of a FlowSchema or PriorityLevelConfiguration."""
    yield from _validate_status(new)


def _validate_status(obj: Object) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, condition in enumerate(dig(obj, "status", "conditions", default=[])):
        where, kind = f"status.conditions[{index}].type", condition.get("type") or ""
        if kind in seen:
            yield duplicate(where, kind)
        seen.add(kind)
        if not kind:
            yield required(where, "must not be empty")
