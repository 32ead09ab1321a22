"""Label selectors, parsed from a query parameter's text or from a LabelSelector object.

`parse` follows upstream's grammar token by token, because its error texts reach users. A Selector
prints itself canonically: requirements sorted by key, values sorted.
Source: the label selector package of the API machinery, v1.35.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from control_plane.api.field_error import FieldError, aggregate, invalid, not_supported
from control_plane.api.go_syntax import quote
from control_plane.api.integers import int64
from control_plane.api.label_syntax import END, IDENTIFIER, Token, Tokens
from control_plane.api.names import label_value_errors, qualified_name_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from control_plane.api.objects import Object

_BINARY: Final = ("in", "notin", "=", "==", "!=", "gt", "lt")
_OBJECT_OPERATORS: Final = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One comparison.

    `operator` is one of in notin = == != gt lt exists "!"; values are sorted and distinct.
    """

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels satisfy it; != and notin also hold where the key is absent."""
        value = labels.get(self.key)
        match self.operator:
            case "in" | "=" | "==":
                return value in self.values
            case "notin" | "!=":
                return value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
        return self._compares(value)

    def _compares(self, value: str | None) -> bool:
        number, bound = int64(value or ""), int64(self.values[0])
        if number is None or bound is None:
            return False
        return number > bound if self.operator == "gt" else number < bound

    def __str__(self) -> str:
        """Return the requirement as a selector writes it."""
        joined = ",".join(self.values)
        match self.operator:
            case "in" | "notin":
                return f"{self.key} {self.operator} ({joined})"
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
        return f"{self.key}{ {'gt': '>', 'lt': '<'}.get(self.operator, self.operator) }{joined}"


@dataclass(frozen=True, slots=True)
class Selector:
    """A conjunction of requirements, none of which matches everything.

    `nothing` matches no object at all.
    """

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether all requirements hold."""
        return not self.nothing and all(r.matches(labels) for r in self.requirements)

    @property
    def is_everything(self) -> bool:
        """Tell whether every object matches."""
        return not self.nothing and not self.requirements

    def __str__(self) -> str:
        """Return the selector's canonical text, "" for everything and for nothing."""
        return ",".join(map(str, self.requirements))


EVERYTHING: Final = Selector()
NOTHING: Final = Selector(nothing=True)


def parse(text: str) -> Selector:
    """Return the selector that `text` stands for.

    "" is everything. ValueError with upstream's text when malformed.
    """
    tokens = Tokens(text)
    requirements: list[Requirement] = []
    while tokens.peek().kind in (IDENTIFIER, "!"):
        requirements.append(_requirement(tokens))
        separator = tokens.take()
        if separator.kind == END:
            return _selector(requirements)
        _expect(separator, (",",), "found '{}', expected: ',' or 'end of string'")
        _expect(tokens.peek(), (IDENTIFIER, "!"), "found '{}', expected: identifier after ','")
    _expect(tokens.peek(), (END,), "found '{}', expected: !, identifier, or 'end of string'")
    return _selector(requirements)


def from_object(selector: Object | None) -> Selector:
    """Return the selector of a LabelSelector object.

    None matches nothing, {} everything. ValueError when invalid.
    """
    if selector is None:
        return NOTHING
    match_labels: dict[str, str] = selector.get("matchLabels") or {}
    requirements = [checked(key, "=", (value,)) for key, value in match_labels.items()]
    for expression in selector.get("matchExpressions") or []:
        written = expression.get("operator") or ""
        operator = _OBJECT_OPERATORS.get(written)
        if operator is None:
            raise ValueError(f"{quote(written)} is not a valid label selector operator")
        key = expression.get("key") or ""
        requirements.append(checked(key, operator, expression.get("values") or ()))
    return _selector(requirements)


def from_map(labels: Mapping[str, str] | None) -> Selector:
    """Return the selector of a plain map (Service, ReplicationController).

    None and {} match everything.
    """
    return _selector([Requirement(key, "=", (value,)) for key, value in (labels or {}).items()])


def checked(key: str, operator: str, values: Iterable[str]) -> Requirement:
    """Return a requirement whose key and values are valid.

    ValueError with the aggregated field errors otherwise.
    """
    distinct = tuple(sorted(set(values)))
    errors = _key_errors("key", key) + _operand_errors(operator, distinct)
    for index, value in enumerate(distinct):
        if bad := label_value_errors(value):
            errors.append(invalid(f"values[{index}][{key}]", value, "; ".join(bad)))
    if errors:
        raise ValueError(aggregate(errors))
    return Requirement(key, operator, distinct)


def _selector(requirements: list[Requirement]) -> Selector:
    return Selector(tuple(sorted(requirements, key=lambda requirement: requirement.key)))


def _key_errors(path: str, key: str) -> list[FieldError]:
    bad = qualified_name_errors(key)
    return [invalid(path, key, "; ".join(bad))] if bad else []


def _operand_errors(operator: str, values: tuple[str, ...]) -> list[FieldError]:
    """Check the number of values, and that gt and lt have an integer."""
    shown = list(values)
    match operator:
        case "in" | "notin" if not values:
            detail = "for 'in', 'notin' operators, values set can't be empty"
            return [invalid("values", shown, detail)]
        case "=" | "==" | "!=" if len(values) != 1:
            detail = "exact-match compatibility requires one single value"
            return [invalid("values", shown, detail)]
        case "exists" | "!" if values:
            detail = "values set must be empty for exists and does not exist"
            return [invalid("values", shown, detail)]
        case "gt" | "lt":
            return _bound_errors(shown)
        case _ if operator not in (*_BINARY, "exists", "!"):
            return [not_supported("operator", operator, sorted((*_BINARY, "exists", "!")))]
    return []


def _bound_errors(values: list[str]) -> list[FieldError]:
    if len(values) != 1:
        detail = "for 'Gt', 'Lt' operators, exactly one value is required"
        return [invalid("values", values, detail)]
    if int64(values[0]) is None:
        detail = "for 'Gt', 'Lt' operators, the value must be an integer"
        return [invalid("values[0]", values[0], detail)]
    return []


def _expect(token: Token, kinds: tuple[str, ...], message: str) -> None:
    if token.kind not in kinds:
        raise ValueError(message.format(token.text))


def _requirement(tokens: Tokens) -> Requirement:
    try:
        return _parse_requirement(tokens)
    except ValueError as error:
        raise ValueError(f"unable to parse requirement: {error}") from None


def _parse_requirement(tokens: Tokens) -> Requirement:
    token = tokens.take()
    is_negated = token.kind == "!"
    if is_negated:
        token = tokens.take()
    _expect(token, (IDENTIFIER,), "found '{}', expected: identifier")
    if errors := _key_errors("", token.text):
        raise ValueError(aggregate(errors))
    if is_negated:
        return checked(token.text, "!", ())
    if tokens.peek().kind in (END, ","):
        return checked(token.text, "exists", ())
    operator = _operator(tokens)
    values = _values(tokens) if operator in ("in", "notin") else _exact_value(tokens)
    return checked(token.text, operator, values)


def _operator(tokens: Tokens) -> str:
    token = tokens.take_operator()
    operator = {">": "gt", "<": "lt"}.get(token.kind, token.kind)
    if operator not in _BINARY:
        raise ValueError(f"found '{token.text}', expected: {', '.join(_BINARY)}")
    return operator


def _exact_value(tokens: Tokens) -> tuple[str, ...]:
    """Return the one value; none at all stands for the empty string."""
    if tokens.peek().kind in (END, ","):
        return ("",)
    token = tokens.take()
    _expect(token, (IDENTIFIER,), "found '{}', expected: identifier")
    return (token.text,)


def _values(tokens: Tokens) -> set[str]:
    """Read "(a,b)"; an empty place between commas or parentheses stands for the empty string."""
    opening = tokens.take()
    _expect(opening, ("(",), "found '{}' expected: '('")
    if tokens.peek().kind == ")":
        tokens.take()
        return {""}
    _expect(tokens.peek(), (IDENTIFIER, ","), "found '{}', expected: ',', ')' or identifier")
    values = _listed(tokens)
    tokens.take()
    return values


def _listed(tokens: Tokens) -> set[str]:
    """Read values up to the closing parenthesis, which stays."""
    values: set[str] = set()
    while True:
        token = tokens.take()
        _expect(token, (IDENTIFIER, ","), "found '{}', expected: ',', or identifier")
        following = tokens.peek()
        if token.kind == IDENTIFIER:
            values.add(token.text)
            _expect(following, (",", ")"), "found '{}', expected: ',' or ')'")
        elif not values:
            values.add("")
        if following.kind == ")":
            return values if token.kind == IDENTIFIER else values | {""}
        if token.kind == following.kind == ",":
            tokens.take()
            values.add("")
