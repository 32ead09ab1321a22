"""Match conditions: expressions that all have to be true for a webhook or policy to be asked.

Any that is false is the end of it, even where others fail. Source: the match conditions of
apiserver v1.35.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from control_plane.api.cel import BOOL, MATCH_CONDITIONS, Budget, CelError
from control_plane.api.policies.expressions import Expression, OutOfBudget

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from control_plane.api.cel import Environment
    from control_plane.api.objects import Object


class ConditionsFailed(CelError):
    """No condition is false, and some could not be evaluated: the failure policy decides."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The match conditions of one webhook or policy."""

    expressions: tuple[Expression, ...] = ()

    @classmethod
    def of(cls, conditions: Iterable[Object] | None, environment: Environment) -> Conditions:
        """Compile `matchConditions`; those that do not compile fail whenever they are asked."""
        texts = (condition.get("expression") or "" for condition in conditions or ())
        return cls(tuple(Expression.of(text, environment, (BOOL,)) for text in texts))

    def hold(self, bindings: Mapping[str, Any]) -> bool:
        """Return whether all are true; ConditionsFailed when that cannot be said.

        `bindings` are the variables of cel.admission.condition_environment.
        """
        budget, failures = Budget(MATCH_CONDITIONS), []
        for expression in self.expressions:
            try:
                if expression.evaluate(bindings, budget) is not True:
                    return False
            except OutOfBudget as error:
                raise ConditionsFailed(str(error)) from None
            except CelError as error:
                failures.append(str(error))
        if failures:
            shown = failures[0] if len(failures) == 1 else f"[{', '.join(failures)}]"
            raise ConditionsFailed(shown)
        return True
