"""Rules of what admission webhooks and policies match: operations, resources, selectors,
conditions.

Called by webhooks.py and admission_policies.py. Expressions are not compiled. Source: v1.35
admissionregistration validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    duplicate,
    invalid,
    invalid_each,
    not_supported,
    required,
    too_many,
)
from control_plane.api.validation.labels import validate_selector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_CONDITIONS: Final = 64
_OPERATIONS: Final = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES: Final = ("*", "Cluster", "Namespaced")
FAILURE_POLICIES: Final = ("Fail", "Ignore")
MATCH_POLICIES: Final = ("Equivalent", "Exact")
_SELECTORS: Final = ("namespaceSelector", "objectSelector")


def validate_rule(rule: Object, path: str) -> Iterator[FieldError]:
    """Check one rule: operations on resources of groups and versions."""
    operations = rule.get("operations") or []
    if not operations:
        yield required(f"{path}.operations")
    yield from _alone(operations, f"{path}.operations", "operations")
    for index, operation in enumerate(operations):
        if operation not in _OPERATIONS:
            yield not_supported(f"{path}.operations[{index}]", operation, _OPERATIONS)
    for field, what in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        if not rule.get(field):
            yield required(f"{path}.{field}")
        yield from _alone(rule.get(field) or [], f"{path}.{field}", what)
    for index, version in enumerate(rule.get("apiVersions") or []):
        if not version:
            yield required(f"{path}.apiVersions[{index}]")
    yield from _validate_resources(rule.get("resources") or [], f"{path}.resources")
    scope = rule.get("scope")
    if scope is not None and scope not in _SCOPES:
        yield not_supported(f"{path}.scope", scope, _SCOPES)


def _alone(values: list[str], path: str, what: str) -> Iterator[FieldError]:
    if len(values) > 1 and "*" in values:
        yield invalid(path, values, f"if '*' is present, must not specify other {what}")


def _validate_resources(resources: list[str], path: str) -> Iterator[FieldError]:
    if not resources:
        yield required(path)
    whole: set[str] = set()  # resources of which all subresources are meant
    everywhere: set[str] = set()  # subresources that are meant of all resources
    for index, text in enumerate(resources):
        where = f"{path}[{index}]"
        resource, slash, subresource = text.partition("/")
        if not text:
            yield required(where)
        if not slash:
            continue
        if resource in whole:
            detail = f"if '{resource}/*' is present, must not specify {text}"
            yield invalid(where, text, detail)
        if subresource in everywhere:
            detail = f"if '*/{subresource}' is present, must not specify {text}"
            yield invalid(where, text, detail)
        whole |= {resource} if subresource == "*" else set()
        everywhere |= {subresource} if resource == "*" else set()
    yield from _validate_wildcards(resources, path)


def _validate_wildcards(resources: list[str], path: str) -> Iterator[FieldError]:
    if len(resources) > 1 and "*/*" in resources:
        detail = "if '*/*' is present, must not specify other resources"
        yield invalid(path, resources, detail)
    plain = [text for text in resources if text and "/" not in text]
    # As upstream: of several, the last resource without a subresource is what counts.
    if "*" in plain and plain[-1] != "*":
        detail = "if '*' is present, must not specify other resources without subresources"
        yield invalid(path, resources, detail)


def validate_match_resources(match: Object, path: str) -> Iterator[FieldError]:
    """Check which requests a policy or its binding is about."""
    policy = match.get("matchPolicy")
    if policy is None:
        yield required(f"{path}.matchPolicy")
    elif policy not in MATCH_POLICIES:
        yield not_supported(f"{path}.matchPolicy", policy, MATCH_POLICIES)
    for field in _SELECTORS:
        if match.get(field) is None:
            yield required(f"{path}.{field}")
        yield from validate_selector(match.get(field), f"{path}.{field}")
    for field in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(match.get(field) or []):
            yield from _validate_named_rule(rule, f"{path}.{field}[{index}]")


def _validate_named_rule(rule: Object, path: str) -> Iterator[FieldError]:
    names = rule.get("resourceNames") or []
    for index, name in enumerate(names):
        where = f"{path}.resourceNames[{index}]"
        yield from invalid_each(where, name, formats.path_segment(name))
        if name in names[:index]:
            yield duplicate(where, name)
    yield from validate_rule(rule, path)


def validate_conditions(conditions: list[Object] | None, path: str) -> Iterator[FieldError]:
    """Check the conditions that a request has to meet besides."""
    conditions = conditions or []
    if len(conditions) > MAX_CONDITIONS:
        yield too_many(path, len(conditions), MAX_CONDITIONS)
    seen: set[str] = set()
    for index, condition in enumerate(conditions):
        where, name = f"{path}[{index}]", condition.get("name") or ""
        if not (condition.get("expression") or "").strip():
            yield required(f"{where}.expression")
        if not name:
            yield required(f"{where}.name")
            continue
        yield from invalid_each(f"{where}.name", name, formats.qualified_name(name))
        if name in seen:
            yield duplicate(f"{where}.name", name)
        seen.add(name)
