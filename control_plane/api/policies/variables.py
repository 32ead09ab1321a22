"""The variables of a policy's own, while its expressions are evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.cel import Budget, EvaluationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control_plane.api.policies.expressions import Expression


def with_variables(
    bindings: Mapping[str, Any], expressions: Mapping[str, Expression], budget: Budget
) -> dict[str, Any]:
    """Return the bindings with `variables`, each of which costs something once, when it is used."""
    variables = _Variables(expressions, budget)
    bound = {**bindings, "variables": variables}
    variables.bindings = bound
    return bound


class _Variables(dict[str, Any]):
    """The policy's variables, each computed when it is first asked for."""

    def __init__(self, expressions: Mapping[str, Expression], budget: Budget) -> None:
        super().__init__()
        self.bindings: Mapping[str, Any] = {}
        self._expressions = expressions
        self._failures: dict[str, EvaluationError] = {}
        self._budget = budget

    def __contains__(self, name: object) -> bool:
        return name in self._expressions

    def __missing__(self, name: str) -> Any:
        if name in self._failures:
            raise self._failures[name]
        try:
            value = self._expressions[name].evaluate(self.bindings, self._budget)
        except EvaluationError as error:
            failure = EvaluationError(f'composited variable "{name}" fails to evaluate: {error}')
            self._failures[name] = failure
            raise failure from None
        self[name] = value
        return value
