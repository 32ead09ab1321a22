"""Rules of when a job counts as failed or done, and when pods are replaced.

Called by jobs.py. Source: v1.35 batch/v1 validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.index_list import count_indexes
from control_plane.api.validation import formats
from control_plane.api.validation.field_errors import (
    OMITTED,
    duplicate,
    invalid,
    invalid_each,
    non_negative,
    not_supported,
    required,
    too_long,
    too_many,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

MAX_RULES: Final = 20
MAX_PATTERNS: Final = 20
MAX_EXIT_CODES: Final = 255
MAX_INDEX_BYTES: Final = 64 * 1024
_ACTIONS: Final = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS: Final = ("In", "NotIn")
_STATUSES: Final = ("False", "True", "Unknown")


def _one_of_listed(path: str, value: str, allowed: tuple[str, ...]) -> Iterator[FieldError]:
    """Refuse an unknown value; an empty one is told which there are."""
    if not value:
        shown = " ".join(f'"{option}"' for option in allowed)
        yield required(path, f"valid values: [{shown}]")
    elif value not in allowed:
        yield not_supported(path, value, allowed)


def validate_pod_failure_policy(spec: Object, path: str) -> Iterator[FieldError]:
    """Check what a job does about pods that failed; an absent policy passes."""
    policy = spec.get("podFailurePolicy")
    if policy is None:
        return
    rules = policy.get("rules") or []
    if len(rules) > MAX_RULES:
        yield too_many(f"{path}.rules", len(rules), MAX_RULES)
    pod = (spec.get("template") or {}).get("spec") or {}
    containers = [*(pod.get("containers") or []), *(pod.get("initContainers") or [])]
    names = {container.get("name") for container in containers}
    for index, rule in enumerate(rules):
        yield from _validate_rule(rule, f"{path}.rules[{index}]", names, spec)


def _validate_rule(rule: Object, path: str, names: set[Any], spec: Object) -> Iterator[FieldError]:
    action = rule.get("action") or ""
    if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        yield invalid(f"{path}.action", action, "requires the backoffLimitPerIndex to be set")
    yield from _one_of_listed(f"{path}.action", action, _ACTIONS)
    codes, patterns = rule.get("onExitCodes"), rule.get("onPodConditions") or []
    if codes is not None:
        yield from _validate_exit_codes(codes, f"{path}.onExitCodes", names)
    yield from _validate_patterns(patterns, f"{path}.onPodConditions")
    if codes is not None and patterns:
        detail = "specifying both OnExitCodes and OnPodConditions is not supported"
        yield invalid(path, OMITTED, detail)
    if codes is None and not patterns:
        detail = "specifying one of OnExitCodes and OnPodConditions is required"
        yield invalid(path, OMITTED, detail)


def _validate_patterns(patterns: list[Object], path: str) -> Iterator[FieldError]:
    if len(patterns) > MAX_PATTERNS:
        yield too_many(path, len(patterns), MAX_PATTERNS)
    for index, pattern in enumerate(patterns):
        where, kind = f"{path}[{index}]", pattern.get("type") or ""
        yield from invalid_each(f"{where}.type", kind, formats.qualified_name(kind))
        yield from _one_of_listed(f"{where}.status", pattern.get("status") or "", _STATUSES)


def _validate_exit_codes(codes: Object, path: str, names: set[Any]) -> Iterator[FieldError]:
    operator, container = codes.get("operator") or "", codes.get("containerName")
    yield from _one_of_listed(f"{path}.operator", operator, _OPERATORS)
    if container is not None and container not in names:
        detail = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{path}.containerName", container, detail)
    values = codes.get("values") or []
    if not values:
        yield invalid(f"{path}.values", values, "at least one value is required")
    if len(values) > MAX_EXIT_CODES:
        yield too_many(f"{path}.values", len(values), MAX_EXIT_CODES)
    seen: set[int] = set()
    for index, value in enumerate(values):
        where = f"{path}.values[{index}]"
        if operator == "In" and value == 0:
            yield invalid(where, value, "must not be 0 for the In operator")
        if value in seen:
            yield duplicate(where, value)
        seen.add(value)
    known = [value or 0 for value in values]
    if known != sorted(known):
        yield invalid(f"{path}.values", values, "must be ordered")


def validate_success_policy(spec: Object, path: str) -> Iterator[FieldError]:
    """Check when an indexed job is done before all of its indexes are."""
    rules = (spec.get("successPolicy") or {}).get("rules") or []
    if not rules:
        detail = "at least one rules must be specified when the successPolicy is specified"
        yield required(f"{path}.rules", detail)
    if len(rules) > MAX_RULES:
        yield too_many(f"{path}.rules", len(rules), MAX_RULES)
    for index, rule in enumerate(rules):
        completions = spec.get("completions") or 0
        yield from _validate_success_rule(rule, f"{path}.rules[{index}]", completions)


def _validate_success_rule(rule: Object, path: str, completions: int) -> Iterator[FieldError]:
    wanted, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    if wanted is None and indexes is None:
        detail = "at least one of succeededCount or succeededIndexes must be specified"
        yield required(path, detail)
    named = 0
    if indexes is not None:
        where = f"{path}.succeededIndexes"
        if len(indexes.encode()) > MAX_INDEX_BYTES:
            yield too_long(where, MAX_INDEX_BYTES)
        try:
            named = count_indexes(indexes, completions)
        except ValueError as error:
            yield invalid(where, indexes, f"error parsing succeededIndexes: {error}")
    if wanted is None:
        return
    where = f"{path}.succeededCount"
    yield from non_negative(where, wanted)
    limit = "must be less than or equal to"
    if wanted > completions:
        yield invalid(where, wanted, f"{limit} {completions} (the number of specified completions)")
    if indexes is not None and wanted > named:
        what = "the number of indexes in the specified succeededIndexes field"
        yield invalid(where, wanted, f"{limit} {named} ({what})")


def validate_replacement_policy(spec: Object, path: str) -> Iterator[FieldError]:
    """Check when a pod that ends is replaced; an absent policy passes."""
    policy = spec.get("podReplacementPolicy")
    has_failure_policy = spec.get("podFailurePolicy") is not None
    allowed = ("Failed",) if has_failure_policy else ("Failed", "TerminatingOrFailed")
    if policy is not None and policy not in allowed:
        yield not_supported(path, policy, allowed)
