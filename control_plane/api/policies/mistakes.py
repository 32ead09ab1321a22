"""What is wrong with the expressions of an object that is about to be stored.

Called by the validation of policies and webhooks. Texts are upstream's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from control_plane.api.cel import BOOL
from control_plane.api.cel.admission import condition_environment
from control_plane.api.cel.literals import UNMAKEABLE
from control_plane.api.field_error import internal
from control_plane.api.policies.compiled import compiled
from control_plane.api.policies.expressions import Expression
from control_plane.api.policies.mutating import compiled_mutating, expression_of
from control_plane.api.validation.field_errors import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from control_plane.api.field_error import FieldError
    from control_plane.api.objects import Object


def condition_mistakes(
    conditions: Iterable[Object], path: str, *, has_params: bool = False
) -> Iterator[FieldError]:
    """Yield an error for each match condition that does not compile."""
    environment = condition_environment(has_params=has_params)
    for index, condition in enumerate(conditions):
        text = condition.get("expression") or ""
        if text.strip():
            found = Expression.of(text, environment, (BOOL,))
            yield from _mistake(found, text, f"{path}[{index}].expression")


def policy_mistakes(policy: Object) -> Iterator[FieldError]:
    """Yield an error for each variable, validation, message and annotation that does not."""
    spec = policy.get("spec") or {}
    made = compiled(_with_texts(policy))
    for index, (name, expression) in enumerate(made.variables.items()):
        text = _text_of(spec, "variables", "expression", index)
        if name:
            yield from _mistake(expression, text, f"spec.variables[{index}].expression")
    for index, validation in enumerate(made.validations):
        path = f"spec.validations[{index}]"
        text = _text_of(spec, "validations", "expression", index)
        yield from _mistake(validation.expression, text, f"{path}.expression")
        if validation.computed_message is not None:
            text = _text_of(spec, "validations", "messageExpression", index)
            yield from _mistake(validation.computed_message, text, f"{path}.messageExpression")
    for index, (_, expression) in enumerate(made.annotations):
        text = _text_of(spec, "auditAnnotations", "valueExpression", index)
        path = f"spec.auditAnnotations[{index}].valueExpression"
        yield from _mistake(expression, text, path)


def mutation_mistakes(policy: Object) -> Iterator[FieldError]:
    """Yield an error for each variable and mutation that does not compile."""
    spec = policy.get("spec") or {}
    made = compiled_mutating(policy)
    for index, (name, expression) in enumerate(made.variables.items()):
        text = _text_of(spec, "variables", "expression", index)
        if name:
            yield from _mistake(expression, text, f"spec.variables[{index}].expression")
    for index, mutation in enumerate(made.mutations):
        field, text = expression_of(spec["mutations"][index])
        path = f"spec.mutations[{index}].{field}.expression"
        yield from _mistake(mutation.expression, text, path)


def _with_texts(policy: Object) -> Object:
    """The policy with what compiling needs, where it is missing."""
    spec = policy.get("spec") or {}
    annotations = [
        {"key": one.get("key") or "", "valueExpression": one.get("valueExpression") or ""}
        for one in spec.get("auditAnnotations") or ()
    ]
    return {**policy, "spec": {**spec, "auditAnnotations": annotations}}


def _text_of(spec: Object, field: str, name: str, index: int) -> str:
    return str(spec[field][index].get(name) or "")


def _mistake(expression: Expression, text: str, path: str) -> Iterator[FieldError]:
    """An empty text is told of by the ordinary rules."""
    if expression.error and text.strip():
        if expression.error.startswith(UNMAKEABLE):
            yield internal(path, expression.error)
        else:
            yield invalid(path, text, expression.error)
