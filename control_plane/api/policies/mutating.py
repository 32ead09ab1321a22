"""A MutatingAdmissionPolicy with its expressions compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from control_plane.api.cel.admission import (
    condition_environment,
    mutation_environment,
    policy_environment,
    with_variables,
)
from control_plane.api.cel.patch_types import JSON_PATCH, OBJECT
from control_plane.api.cel.types import Type, list_of
from control_plane.api.objects import Object, name_of
from control_plane.api.policies.compiled import compile_variables
from control_plane.api.policies.conditions import Conditions
from control_plane.api.policies.expressions import Expression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_plane.api.cel import Environment

APPLY: Final = "ApplyConfiguration"
_FIELDS: Final[Mapping[str, tuple[str, Type]]] = {
    # by patchType: the field with the expression, and what that evaluates to
    APPLY: ("applyConfiguration", OBJECT),
    "JSONPatch": ("jsonPatch", list_of(JSON_PATCH)),
}


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change: a configuration that is applied, or a JSON patch."""

    applies: bool
    expression: Expression


@dataclass(frozen=True, slots=True)
class MutatingPolicy:
    """What a policy's spec says, ready to be evaluated."""

    name: str
    fails_closed: bool
    conditions: Conditions
    variables: dict[str, Expression]
    mutations: tuple[Mutation, ...]
    may_be_reinvoked: bool


def compiled_mutating(policy: Object) -> MutatingPolicy:
    """Compile a policy; expressions that do not compile keep why."""
    spec = policy.get("spec") or {}
    has_params = spec.get("paramKind") is not None
    variables, types = compile_variables(spec, policy_environment(has_params=has_params))
    environment = with_variables(mutation_environment(has_params=has_params), types)
    return MutatingPolicy(
        name_of(policy),
        (spec.get("failurePolicy") or "Fail") == "Fail",
        Conditions.of(spec.get("matchConditions"), condition_environment(has_params=has_params)),
        variables,
        tuple(_mutation(one, environment) for one in spec.get("mutations") or ()),
        spec.get("reinvocationPolicy") == "IfNeeded",
    )


def expression_of(mutation: Object) -> tuple[str, str]:
    """Return the field of a mutation that has its expression, and the text; "" for none."""
    field, _ = _FIELDS.get(mutation.get("patchType") or "", ("", OBJECT))
    return field, str((mutation.get(field) or {}).get("expression") or "")


def _mutation(mutation: Object, environment: Environment) -> Mutation:
    kind = mutation.get("patchType") or ""
    output = _FIELDS.get(kind, ("", OBJECT))[1]
    _, text = expression_of(mutation)
    return Mutation(kind == APPLY, Expression.of(text, environment, (output,)))
