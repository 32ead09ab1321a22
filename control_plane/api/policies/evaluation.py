"""What a policy says of one request, with one set of params.

Every validation is evaluated. What cannot be is a denial, or nothing, as the failure policy says.
Source: the validator of validating admission policies, v1.35.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel import Budget, CelError, EvaluationError
from control_plane.api.policies.conditions import ConditionsFailed
from control_plane.api.policies.expressions import Expression, OutOfBudget
from control_plane.api.policies.variables import with_variables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.api.policies.compiled import Policy, Validation

MAX_MESSAGE_BYTES: Final = 5120
INVALID: Final = "Invalid"


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a request is to be denied; `index` is that of the validation."""

    message: str
    reason: str = INVALID
    index: int = 0


@dataclass(frozen=True, slots=True)
class Annotation:
    """A key and its value for the audit event; with `error`, the value could not be computed."""

    key: str
    value: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of one evaluation."""

    denials: tuple[Denial, ...] = ()
    annotations: tuple[Annotation, ...] = ()


def evaluate(policy: Policy, bindings: Mapping[str, Any]) -> Outcome:
    """Decide; `bindings` are the variables of cel.admission.policy_environment."""
    try:
        if not policy.conditions.hold(bindings):
            return Outcome()
    except ConditionsFailed as error:
        return Outcome(_failing(policy, str(error)))
    budget = Budget()
    bound = with_variables(bindings, policy.variables, budget)
    try:
        denials = tuple(_denials(policy, bound, budget))
        return Outcome(denials, tuple(_annotations(policy, bound)))
    except OutOfBudget as error:
        return Outcome(_failing(policy, str(error)))


def _failing(policy: Policy, message: str, index: int = 0) -> tuple[Denial, ...]:
    return (Denial(message, INVALID, index),) if policy.fails_closed else ()


def _denials(policy: Policy, bindings: Mapping[str, Any], budget: Budget) -> Iterator[Denial]:
    failed: list[tuple[int, Validation]] = []
    for index, validation in enumerate(policy.validations):
        try:
            if validation.expression.evaluate(bindings, budget) is not True:
                failed.append((index, validation))
        except EvaluationError as error:
            yield from _failing(policy, str(error), index)
    for index, validation in failed:
        yield Denial(_message(validation, bindings, budget), validation.reason, index)


def _message(validation: Validation, bindings: Mapping[str, Any], budget: Budget) -> str:
    computed = validation.computed_message
    if computed is not None:
        message = _computed(computed, bindings, budget)
        if message:
            return message
    return validation.message or f"failed expression: {validation.expression.text}"


def _computed(expression: Expression, bindings: Mapping[str, Any], budget: Budget) -> str:
    """The message that an expression gives; "" when it is of no use."""
    try:
        value = expression.evaluate(bindings, budget)
    except OutOfBudget:
        raise
    except CelError:
        return ""
    if not isinstance(value, str) or len(value.encode()) > MAX_MESSAGE_BYTES:
        return ""
    message = value.strip()
    return "" if "\n" in message else message


def _annotations(policy: Policy, bindings: Mapping[str, Any]) -> Iterator[Annotation]:
    budget = Budget()
    for key, expression in policy.annotations:
        try:
            value = expression.evaluate(bindings, budget)
        except CelError as error:
            if policy.fails_closed:
                yield Annotation(key, error=str(error))
            continue
        if isinstance(value, str) and value.strip():
            yield Annotation(key, value.strip())
