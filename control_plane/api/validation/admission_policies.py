"""Rules of ValidatingAdmissionPolicies and their bindings.

Called through the VALIDATORS table. Source: v1.35 admissionregistration validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from control_plane.api.cel.names import is_identifier
from control_plane.api.objects import name_of
from control_plane.api.policies.mistakes import condition_mistakes, policy_mistakes
from control_plane.api.semantics import semantically_equal
from control_plane.api.validation import admission_rules, conditions, formats
from control_plane.api.validation.field_errors import (
    duplicate,
    forbidden,
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

MAX_ANNOTATIONS: Final = 20
MAX_VALUE_BYTES: Final = 5120
_REASONS: Final = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS: Final = ("Audit", "Deny", "Warn")


def validate_policy(policy: Object) -> Iterator[FieldError]:
    """Check a new ValidatingAdmissionPolicy."""
    yield from _validate_policy(policy, checks_conditions=True)


def validate_policy_update(new: Object, old: Object) -> Iterator[FieldError]:
    """Check an update: match conditions that were stored may stay."""
    yield from _validate_policy(new, checks_conditions=changes_conditions(new, old))


def changes_conditions(new: Object, old: Object) -> bool:
    """Say whether the match conditions of two policies differ."""
    wanted, stored = ((p.get("spec") or {}).get("matchConditions") for p in (new, old))
    return not semantically_equal(wanted, stored)


def _validate_policy(policy: Object, *, checks_conditions: bool) -> Iterator[FieldError]:
    spec = policy.get("spec") or {}
    failure = spec.get("failurePolicy")
    if failure is None:
        yield required("spec.failurePolicy")
    elif failure not in admission_rules.FAILURE_POLICIES:
        yield not_supported("spec.failurePolicy", failure, admission_rules.FAILURE_POLICIES)
    if spec.get("paramKind") is not None:
        yield from validate_param_kind(spec["paramKind"], "spec.paramKind")
    yield from validate_constraints(spec.get("matchConstraints"), "spec.matchConstraints")
    if checks_conditions:
        path = "spec.matchConditions"
        conditions_given, has_params = spec.get("matchConditions"), bool(spec.get("paramKind"))
        yield from admission_rules.validate_conditions(conditions_given, path)
        yield from condition_mistakes(conditions_given or [], path, has_params=has_params)
    yield from validate_variables(spec.get("variables") or [], "spec.variables")
    yield from _validate_checks(spec, name_of(policy))
    yield from policy_mistakes(policy)


def validate_constraints(constraints: Object | None, path: str) -> Iterator[FieldError]:
    """Check what a policy is about, which it has to say."""
    if constraints is None:
        yield required(path)
        return
    yield from admission_rules.validate_match_resources(constraints, path)
    if not constraints.get("resourceRules"):
        yield required(f"{path}.resourceRules")


def validate_param_kind(kind: Object, path: str) -> Iterator[FieldError]:
    """Check which kind params are of."""
    version = kind.get("apiVersion") or ""
    if not version:
        yield required(f"{path}.apiVersion")
    else:
        yield from _validate_group_version(version, f"{path}.apiVersion")
    name = kind.get("kind") or ""
    errors = formats.dns1035_label(name.lower())
    if not name:
        yield required(f"{path}.kind")
    elif errors:
        detail = f"may have mixed case, but should otherwise match: {','.join(errors)}"
        yield invalid(f"{path}.kind", name, detail)


def _validate_group_version(text: str, path: str) -> Iterator[FieldError]:
    if text.count("/") > 1:
        yield invalid(path, text, f"unexpected GroupVersion string: {text}")
        return
    group, _, version = text.rpartition("/")
    errors = formats.dns1123_subdomain(group) if group else []
    if errors:
        yield invalid(path, group, ",".join(errors))
    if not version:
        yield invalid(path, text, "version must be specified")
    elif formats.dns1035_label(version):
        yield invalid(path, version, ",".join(formats.dns1035_label(version)))


def validate_variables(variables: list[Object], path: str) -> Iterator[FieldError]:
    """Check names, and that there are expressions."""
    seen: set[str] = set()
    for index, variable in enumerate(variables):
        where, name = f"{path}[{index}]", variable.get("name") or ""
        if not name.strip():
            yield required(f"{where}.name", "name is not specified")
        elif not is_identifier(name):
            yield invalid(f"{where}.name", name, "name is not a valid CEL identifier")
        if not (variable.get("expression") or "").strip():
            yield required(f"{where}.expression", "expression is not specified")
        if name in seen:
            yield duplicate(f"{where}.name", name)
        seen |= {name} if name else set()


def _validate_checks(spec: Object, name: str) -> Iterator[FieldError]:
    validations, annotations = spec.get("validations"), spec.get("auditAnnotations")
    if not validations and not annotations:
        detail = "validations or auditAnnotations must contain at least one item"
        yield required("spec.validations", detail)
        yield required("spec.auditAnnotations", detail)
    for index, validation in enumerate(validations or []):
        yield from _validate_validation(validation, f"spec.validations[{index}]")
    yield from _validate_annotations(annotations or [], name, "spec.auditAnnotations")


def _validate_validation(validation: Object, path: str) -> Iterator[FieldError]:
    expression = (validation.get("expression") or "").strip()
    if not expression:
        yield required(f"{path}.expression", "expression is not specified")
    computed = validation.get("messageExpression") or ""
    if computed and not computed.strip():
        yield invalid(f"{path}.messageExpression", computed, "must be non-empty if specified")
    message, where = validation.get("message") or "", f"{path}.message"
    if message and not message.strip():
        yield invalid(where, message, "message must be non-empty if specified")
    elif _has_line_breaks(message.strip()):
        yield invalid(where, message, "message must not contain line breaks")
    elif _has_line_breaks(expression) and not message:
        yield required(where, "message must be specified if expression contains line breaks")
    reason = validation.get("reason")
    if reason is not None and reason not in _REASONS:
        yield not_supported(f"{path}.reason", reason, _REASONS)


def _has_line_breaks(text: str) -> bool:
    return "\n" in text or "\r" in text


def _validate_annotations(annotations: list[Object], name: str, path: str) -> Iterator[FieldError]:
    if len(annotations) > MAX_ANNOTATIONS:
        detail = f"must not have more than {MAX_ANNOTATIONS} auditAnnotations"
        yield invalid(path, annotations, detail)
    seen: set[str] = set()
    for index, annotation in enumerate(annotations):
        where, key = f"{path}[{index}]", annotation.get("key") or ""
        if name:
            yield from invalid_each(f"{where}.key", key, formats.qualified_name(f"{name}/{key}"))
        else:
            yield invalid(f"{where}.key", key, "requires metadata.name be non-empty")
        value = (annotation.get("valueExpression") or "").strip()
        if not value:
            yield required(f"{where}.valueExpression", "valueExpression is not specified")
        elif len(value.encode()) > MAX_VALUE_BYTES:
            detail = f"must not exceed {MAX_VALUE_BYTES} bytes in length"
            yield required(f"{where}.valueExpression", detail)
        if key in seen:
            yield duplicate(f"{where}.key", key)
        seen.add(key)


def validate_policy_status(new: Object, _old: Object) -> Iterator[FieldError]:
    """Check what the type checker says of a policy."""
    status = new.get("status") or {}
    path = "status.typeChecking.expressionWarnings"
    checking = status.get("typeChecking") or {}
    for index, warning in enumerate(checking.get("expressionWarnings") or []):
        for field in ("fieldRef", "warning"):
            if not warning.get(field):
                yield required(f"{path}[{index}].{field}")
    yield from conditions.validate_conditions(status.get("conditions"), "status.conditions")


def validate_policy_binding(binding: Object) -> Iterator[FieldError]:
    """Check a ValidatingAdmissionPolicyBinding."""
    spec = binding.get("spec") or {}
    policy = spec.get("policyName") or ""
    if not policy:
        yield required("spec.policyName")
    else:
        yield from invalid_each("spec.policyName", policy, formats.dns1123_subdomain(policy))
    if spec.get("paramRef") is not None:
        yield from validate_param_ref(spec["paramRef"], "spec.paramRef")
    if spec.get("matchResources") is not None:
        path = "spec.matchResouces"  # as upstream spells it
        yield from admission_rules.validate_match_resources(spec["matchResources"], path)
    yield from _validate_actions(spec.get("validationActions") or [], "spec.validationActions")


def validate_param_ref(ref: Object, path: str) -> Iterator[FieldError]:
    """Check which objects a binding gives as params."""
    name, selector = ref.get("name") or "", ref.get("selector")
    if name:
        yield from invalid_each(f"{path}.name", name, formats.path_segment(name))
        if selector is not None:
            for field in ("name", "selector"):
                detail = "name and selector are mutually exclusive"
                yield forbidden(f"{path}.{field}", detail)
    elif selector is None:
        yield required(path, "one of name or selector must be specified")
    yield from validate_selector(selector, f"{path}.selector")
    action = ref.get("parameterNotFoundAction")
    if not action:
        yield required(f"{path}.parameterNotFoundAction")
    elif action not in ("Deny", "Allow"):
        yield not_supported(f"{path}.parameterNotFoundAction", action, ("Deny", "Allow"))


def _validate_actions(actions: list[str], path: str) -> Iterator[FieldError]:
    for index, action in enumerate(actions):
        if action not in _ACTIONS:
            yield not_supported(f"{path}[{index}]", action, _ACTIONS)
        if action in actions[:index]:
            yield duplicate(f"{path}[{index}]", action)
    if "Deny" in actions and "Warn" in actions:
        detail = (
            "must not contain both Deny and Warn (repeating the same validation failure "
            "information in the API response and headers serves no purpose)"
        )
        yield invalid(path, actions, detail)
    if not actions:
        yield required(path, "at least one validation action is required")
