"""What can go wrong with an expression.

CelError
  x CompileError        the text; nothing was evaluated
  x EvaluationError     this evaluation
      + CostExceeded    the budget ran out; nothing more may be evaluated on it
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issue:
    """What is wrong at one place; `offset` counts code points from the start of the text."""

    offset: int
    message: str

    def shown(self, text: str) -> str:
        """Return the three lines that people know: where and what, the line, a pointer."""
        before = text[: self.offset]
        line, column = before.count("\n"), self.offset - (before.rfind("\n") + 1)
        pointed = f"\n | {text.splitlines()[line]}\n | {'.' * column}^" if text else ""
        return f"ERROR: <input>:{line + 1}:{column + 1}: {self.message}{pointed}"


class CelError(Exception):
    """Something is wrong with an expression or its evaluation."""


class CompileError(CelError):
    """An expression cannot be used; the text is upstream's.

    For faults in the text it begins with "compilation failed: ERROR: <input>:1:1: ", for a wrong
    type it is "must evaluate to bool but got string".
    """

    @classmethod
    def of(cls, text: str, issues: list[Issue]) -> CompileError:
        """Say all that is wrong with `text`, in its order."""
        ordered = sorted(issues, key=lambda issue: issue.offset)
        return cls("compilation failed: " + "\n".join(issue.shown(text) for issue in ordered))


class EvaluationError(CelError):
    """An evaluation came to no value; the text is upstream's, such as "no such key: a"."""


class CostExceeded(EvaluationError):
    """operation cancelled: actual cost limit exceeded"""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def no_such_overload() -> EvaluationError:
    """Return the error of a call whose arguments no overload takes."""
    return EvaluationError("no such overload")


def unconvertible(kind: str) -> EvaluationError:
    """Return the error of a text that is no value of a type."""
    return EvaluationError(f"type conversion error from 'string' to '{kind}'")
