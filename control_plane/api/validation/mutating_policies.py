"""Rules of MutatingAdmissionPolicies and their bindings.

Called through the VALIDATORS table. Source: v1.35 admissionregistration validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.policies.mistakes import condition_mistakes, mutation_mistakes
from control_plane.api.validation import admission_rules, formats
from control_plane.api.validation.admission_policies import (
    changes_conditions,
    validate_constraints,
    validate_param_kind,
    validate_param_ref,
    validate_variables,
)
from control_plane.api.validation.field_errors import (
    invalid,
    invalid_each,
    not_supported,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control_plane.api.errors import FieldError
    from control_plane.api.objects import Object

_OPERATIONS: Final = ("*", "CONNECT", "CREATE", "UPDATE")
_REINVOCATIONS: Final = ("Never", "IfNeeded")
_PATCHES: Final = {  # by patchType, the field that it goes with
    "ApplyConfiguration": "applyConfiguration",
    "JSONPatch": "jsonPatch",
}


def validate_policy(policy: Object) -> Iterator[FieldError]:
    """Check a new MutatingAdmissionPolicy."""
    yield from _validate_policy(policy, checks_conditions=True)


def validate_policy_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update: match conditions that were stored may stay."""
    yield from _validate_policy(new, checks_conditions=changes_conditions(new, old))


def _validate_policy(policy: Object, *, checks_conditions: bool) -> Iterator[FieldError]:
    spec = policy.get("spec") or {}
    yield from _one_of(spec, "failurePolicy", admission_rules.FAILURE_POLICIES)
    if spec.get("paramKind") is not None:
        yield from validate_param_kind(spec["paramKind"], "spec.paramKind")
    constraints, at = spec.get("matchConstraints"), "spec.matchConstraints"
    yield from validate_constraints(constraints, at)
    yield from _validate_operations(constraints or {}, at)
    if checks_conditions:
        path, given = "spec.matchConditions", spec.get("matchConditions") or []
        yield from admission_rules.validate_conditions(given, path)
        yield from condition_mistakes(given, path, has_params=bool(spec.get("paramKind")))
    yield from validate_variables(spec.get("variables") or [], "spec.variables")
    mutations = spec.get("mutations") or []
    if not mutations:
        yield required("spec.mutations", "mutations must contain at least one item")
    for index, mutation in enumerate(mutations):
        yield from _validate_mutation(mutation, f"spec.mutations[{index}]")
    yield from _one_of(spec, "reinvocationPolicy", _REINVOCATIONS)
    yield from mutation_mistakes(policy)


def _one_of(spec: Object, field: str, allowed: tuple[str, ...]) -> Iterator[FieldError]:
    value = spec.get(field)
    if not value:
        yield required(f"spec.{field}")
    elif value not in allowed:
        yield not_supported(f"spec.{field}", value, allowed)


def _validate_operations(match: Object, path: str) -> Iterator[FieldError]:
    """Nothing can be changed of what is deleted; upstream's path names no rule."""
    for rule in match.get("resourceRules") or ():
        for operation in rule.get("operations") or ():
            if operation not in _OPERATIONS:
                yield not_supported(f"{path}.resourceRules.operations", operation, _OPERATIONS)


def _validate_mutation(mutation: Object, path: str) -> Iterator[FieldError]:
    kind = mutation.get("patchType")
    if not kind:
        yield required(f"{path}.patchType")
        return
    if kind not in _PATCHES:
        yield not_supported(f"{path}.patchType", kind, tuple(_PATCHES))
        return
    for of, field in _PATCHES.items():
        given = mutation.get(field)
        if of == kind and given is None:
            yield required(f"{path}.{field}", f"must be specified when patchType is {kind}")
        elif of == kind and not ((given or {}).get("expression") or "").strip():
            yield required(f"{path}.{field}.expression")
        elif of != kind and given is not None:
            detail = f"must not be specified when patchType is {kind}"
            yield invalid(f"{path}.{field}", f"{{{field}}}", detail)


def validate_binding(binding: Object) -> Iterator[FieldError]:
    """Check a MutatingAdmissionPolicyBinding."""
    spec = binding.get("spec") or {}
    policy = spec.get("policyName") or ""
    if not policy:
        yield required("spec.policyName")
    else:
        yield from invalid_each("spec.policyName", policy, formats.dns1123_subdomain(policy))
    if spec.get("paramRef") is not None:
        yield from validate_param_ref(spec["paramRef"], "spec.paramRef")
    if spec.get("matchResources") is not None:
        path = "spec.matchResources"
        yield from admission_rules.validate_match_resources(spec["matchResources"], path)
        yield from _validate_operations(spec["matchResources"], path)
