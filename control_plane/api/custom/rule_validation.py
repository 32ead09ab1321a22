"""What a custom resource's rules have against it.

On updates, a rule that fails on what is as it was is a warning, unless it is about the change.
Source: apiextensions apiserver/schema/cel v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel import Budget, CelError, CostExceeded
from control_plane.api.cel.values import NONE, Optional
from control_plane.api.custom.rules import OLD, SELF, Rule, message_of
from control_plane.api.custom.structural import MISSING
from control_plane.api.custom.value_validation import below, correlated, key_of, type_name
from control_plane.api.field_error import (
    OMITTED,
    ErrorType,
    FieldError,
    forbidden,
    invalid,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from control_plane.api.custom.structural import Node

_BLOCKING: Final = frozenset(
    {
        ErrorType.NOT_SUPPORTED,
        ErrorType.REQUIRED,
        ErrorType.TOO_LONG,
        ErrorType.TOO_MANY,
        ErrorType.TYPE_INVALID,
    }
)
_NOT_CHECKED: Final = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
_TOO_DEAR: Final = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)


def blocked(errors: list[FieldError]) -> FieldError | None:
    """Return what is said in place of the rules, when the object is too wrong for them."""
    if any(error.type in _BLOCKING for error in errors):
        return invalid("", "null", _NOT_CHECKED)
    return None


class _Stop(Exception):
    """The budget is spent."""


class RuleCheck:
    """One object, asked all its rules: `errors`, and `warnings` of what stays as it is."""

    def __init__(self, root: Node, obj: Any, old: Any) -> None:
        """`old` is MISSING for a new object."""
        self.errors: list[FieldError] = []
        self.warnings: list[FieldError] = []
        self._budget = Budget()
        try:
            self._walk(root, obj, "", old)
        except _Stop:
            return

    def _walk(self, node: Node, value: Any, path: str, old: Any) -> None:
        if not node.has_rules or value is None:
            return
        for rule in node.compiled_rules:
            self._ask(rule, value, path, old)
        if isinstance(value, dict):
            before = old if isinstance(old, dict) and not node.is_atomic_map else {}
            for key, member in value.items():
                known = node.child(key)
                if known is not None:
                    self._walk(known, member, below(path, key), before.get(key, MISSING))
        elif isinstance(value, list) and node.items is not None:
            before = correlated(node, old)
            for index, item in enumerate(value):
                was = before.get(key_of(node, item), MISSING)
                self._walk(node.items, item, f"{path}[{index}]", was)

    def _ask(self, rule: Rule, value: Any, path: str, old: Any) -> None:
        has_old = old is not MISSING and old is not None
        if rule.is_transition and not rule.is_optional and not has_old:
            return
        bindings = {SELF: value, OLD: old if has_old else None}
        if rule.is_optional:
            bindings[OLD] = Optional(old) if has_old else NONE
        error = self._outcome(rule, bindings, value, path)
        if error is None:
            return
        is_as_it_was = has_old and not rule.is_transition and value == old
        (self.warnings if is_as_it_was else self.errors).append(error)

    def _outcome(
        self, rule: Rule, bindings: dict[str, Any], value: Any, path: str
    ) -> FieldError | None:
        if rule.program is None:
            return invalid(path, type_name(value), f"rule compile error: {rule.trouble}")
        try:
            if rule.program.evaluate(bindings, self._budget):
                return None
        except CostExceeded:
            text = _TOO_DEAR
            if self._budget.remaining > 0:
                text = (
                    "'operation cancelled: actual cost limit exceeded': no further validation "
                    f"rules will be run due to call cost exceeds limit for rule: {rule.shown}"
                )
            self.errors.append(invalid(path, type_name(value), text))
            raise _Stop from None
        except CelError as error:
            return invalid(path, type_name(value), _evaluation_trouble(str(error), rule))
        where = path + rule.field_path
        where = where if path else where.removeprefix(".")
        make = _BY_REASON.get(rule.reason, _invalid)
        return make(where, value, message_of(rule, bindings))


def _evaluation_trouble(text: str, rule: Rule) -> str:
    if text.startswith("no such overload"):
        return (
            "'no such overload': call arguments did not match a supported operator, function or "
            f"macro signature for rule: {rule.shown}"
        )
    return f"{text} evaluating rule: {rule.shown}"


def _invalid(path: str, value: Any, message: str) -> FieldError:
    is_scalar = not isinstance(value, dict | list)
    return invalid(path, value if is_scalar else OMITTED, message)


def _duplicate(path: str, value: Any, _message: str) -> FieldError:
    is_scalar = not isinstance(value, dict | list)
    return FieldError(ErrorType.DUPLICATE, path, "", value if is_scalar else OMITTED)


_BY_REASON: Final[dict[str, Callable[[str, Any, str], FieldError]]] = {
    "FieldValueDuplicate": _duplicate,
    "FieldValueForbidden": lambda path, _value, message: forbidden(path, message),
    "FieldValueInvalid": _invalid,
    "FieldValueRequired": lambda path, _value, message: required(path, message),
}
