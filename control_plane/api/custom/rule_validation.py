"""What a custom resource's rules have against it.

On updates, a rule that says no to what is as it was is a warning, unless it is about the change.
Items of lists that cannot be told apart are as they were when their list is.
Source: apiextensions apiserver/schema/cel v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

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


class _Place(NamedTuple):
    """Where a value stands, what stood there (or MISSING), and the nearest pair around it.

    `pair` is what stands and what stood at the nearest place where that can be told: here, or
    above; () for a new object.
    """

    path: str
    old: Any
    pair: tuple[Any, ...]

    def inner(self, path: str, value: Any, old: Any) -> _Place:
        """Return the place of a member or item."""
        return _Place(path, old, self.pair if old is MISSING else (value, old))

    @property
    def is_as_it_was(self) -> bool:
        """Whether the nearest pair is of equals."""
        return bool(self.pair) and bool(self.pair[0] == self.pair[1])


class RuleCheck:
    """One object, asked all its rules: `errors`, and `warnings` of what stays as it is."""

    def __init__(self, root: Node, obj: Any, old: Any) -> None:
        """`old` is MISSING for a new object."""
        self.errors: list[FieldError] = []
        self.warnings: list[FieldError] = []
        self._budget = Budget()
        try:
            self._walk(root, obj, _Place("", old, () if old is MISSING else (obj, old)))
        except _Stop:
            return

    def _walk(self, node: Node, value: Any, place: _Place) -> None:
        if not node.has_rules or value is None:
            return
        for rule in node.compiled_rules:
            self._ask(rule, value, place)
        if isinstance(value, dict):
            before = place.old if isinstance(place.old, dict) else {}
            for key, member in value.items():
                known = node.child(key)
                if known is not None:
                    named = key in node.properties
                    path = below(place.path, key) if named else f"{place.path}[{key}]"
                    self._walk(known, member, place.inner(path, member, before.get(key, MISSING)))
        elif isinstance(value, list) and node.items is not None:
            before = correlated(node, place.old)
            for index, item in enumerate(value):
                was = before.get(key_of(node, item), MISSING)
                self._walk(node.items, item, place.inner(f"{place.path}[{index}]", item, was))

    def _ask(self, rule: Rule, value: Any, place: _Place) -> None:
        old = place.old
        has_old = old is not MISSING and old is not None
        if rule.is_transition and not rule.is_optional and not has_old:
            return
        bindings = {SELF: value, OLD: old if has_old else None}
        if rule.is_optional:
            bindings[OLD] = Optional(old) if has_old else NONE
        if not self._holds(rule, bindings, value, place.path):
            is_as_it_was = not rule.is_transition and place.is_as_it_was
            found = self.warnings if is_as_it_was else self.errors
            found.append(_refusal(rule, bindings, value, place.path))

    def _holds(self, rule: Rule, bindings: dict[str, Any], value: Any, path: str) -> bool:
        """Tell whether a rule says yes, or has been told of as an error for saying nothing."""
        if rule.program is None:
            text = f"rule compile error: {rule.trouble}"
            self.errors.append(invalid(path, type_name(value), text))
            return True
        try:
            return bool(rule.program.evaluate(bindings, self._budget))
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
            text = _evaluation_trouble(str(error), rule)
            self.errors.append(invalid(path, type_name(value), text))
            return True


def _refusal(rule: Rule, bindings: dict[str, Any], value: Any, path: str) -> FieldError:
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
