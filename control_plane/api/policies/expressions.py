"""One expression of a policy: its program, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel import Budget, CelError, CompileError, EvaluationError, Program, Type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from control_plane.api.cel import Environment

OUT_OF_BUDGET: Final = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)


class OutOfBudget(CelError):
    """What belongs together has cost more than it may."""

    def __init__(self) -> None:
        super().__init__(OUT_OF_BUDGET)


@dataclass(frozen=True, slots=True)
class Expression:
    """A text with its program; `error` says why it has none."""

    text: str
    program: Program | None = None
    error: str = ""

    @classmethod
    def of(cls, text: str, environment: Environment, outputs: Iterable[Type] = ()) -> Expression:
        """Compile a text without the space around it."""
        text = text.strip()
        try:
            return cls(text, environment.compile(text, outputs))
        except CompileError as error:
            return cls(text, None, str(error))

    def evaluate(self, bindings: Mapping[str, Any], budget: Budget) -> Any:
        """Return the value.

        Raises EvaluationError in the words of policies, OutOfBudget when nothing more can be
        evaluated on `budget`.
        """
        if self.program is None:
            raise EvaluationError(f"compilation error: {self.error}")
        try:
            return self.program.evaluate(bindings, budget)
        except EvaluationError as error:
            if budget.remaining <= 0:
                raise OutOfBudget from None
            message = f"expression '{self.text}' resulted in error: {error}"
            raise EvaluationError(message) from None
