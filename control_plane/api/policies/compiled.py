"""A ValidatingAdmissionPolicy with its expressions compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from control_plane.api.cel import BOOL, NULL, STRING, Type
from control_plane.api.cel.admission import (
    condition_environment,
    policy_environment,
    with_variables,
)
from control_plane.api.cel.types import DYN
from control_plane.api.objects import Object, name_of
from control_plane.api.policies.conditions import Conditions
from control_plane.api.policies.expressions import Expression

if TYPE_CHECKING:
    from control_plane.api.cel import Environment


@dataclass(frozen=True, slots=True)
class Validation:
    """One check: what must be true, and what is said when it is not."""

    expression: Expression
    message: str
    computed_message: Expression | None
    reason: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What a policy's spec says, ready to be evaluated."""

    name: str
    fails_closed: bool
    conditions: Conditions
    variables: dict[str, Expression]
    validations: tuple[Validation, ...]
    annotations: tuple[tuple[str, Expression], ...]


def compiled(policy: Object) -> Policy:
    """Compile a policy; expressions that do not compile keep why."""
    spec = policy.get("spec") or {}
    has_params = spec.get("paramKind") is not None
    variables, environment, message_environment = _environments(spec, has_params=has_params)
    return Policy(
        name_of(policy),
        (spec.get("failurePolicy") or "Fail") == "Fail",
        Conditions.of(spec.get("matchConditions"), condition_environment(has_params=has_params)),
        variables,
        tuple(
            _validation(one, environment, message_environment)
            for one in spec.get("validations") or ()
        ),
        tuple(
            (one["key"], Expression.of(one["valueExpression"], environment, (STRING, NULL)))
            for one in spec.get("auditAnnotations") or ()
        ),
    )


def _environments(
    spec: Object, *, has_params: bool
) -> tuple[dict[str, Expression], Environment, Environment]:
    """The variables, and the environments of validations and of their messages."""
    environment = policy_environment(has_params=has_params)
    variables, types = compile_variables(spec, environment)
    messages = policy_environment(has_params=has_params, has_authorizer=False)
    return variables, with_variables(environment, types), with_variables(messages, types)


def compile_variables(
    spec: Object, environment: Environment
) -> tuple[dict[str, Expression], dict[str, Type]]:
    """Compile the variables, each of which may use those before it; return their types too."""
    compiled_variables: dict[str, Expression] = {}
    types: dict[str, Type] = {}
    for variable in spec.get("variables") or ():
        name = variable.get("name") or ""
        text = variable.get("expression") or ""
        expression = Expression.of(text, with_variables(environment, types))
        compiled_variables[name] = expression
        types[name] = DYN if expression.program is None else expression.program.output
    return compiled_variables, types


def _validation(one: Object, environment: Environment, messages: Environment) -> Validation:
    computed = one.get("messageExpression") or ""
    return Validation(
        Expression.of(one.get("expression") or "", environment, (BOOL,)),
        (one.get("message") or "").strip(),
        Expression.of(computed, messages, (STRING,)) if computed.strip() else None,
        one.get("reason") or "Invalid",
    )
