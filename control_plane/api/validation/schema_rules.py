"""Expressions in the schemas of custom resources: each must compile, and make sense where it is.

Called by custom_resource_definitions.py for schemas that are right but for these. Source: v1.35
apiextensions validation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel import BOOL, STRING, CompileError
from control_plane.api.cel.estimation import bounds_of
from control_plane.api.cel.literals import UNMAKEABLE
from control_plane.api.custom.rules import OLD, environment_of
from control_plane.api.validation import rule_costs
from control_plane.api.validation.field_errors import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.api.cel import Environment, Program, Type
    from control_plane.api.errors import FieldError

_COMPILATION: Final = "compilation failed"
RULES: Final = "x-kubernetes-validations"


@dataclass(frozen=True, slots=True)
class _Place:
    """A place of a schema: its path, how often there can be values at it, and what is lost there.

    `cardinality` is None where no limit is declared. `uncorrelated` is the path of the part of the
    schema whose old values nobody can tell.
    """

    path: str
    is_root: bool = False
    cardinality: int | None = 1
    uncorrelated: str = ""

    def below(self, step: str, times: int | None = 1, *, keeps_old: bool = True) -> _Place:
        """Return a place below this, at which there are `times` as many values."""
        cardinality = None
        if times is not None and self.cardinality is not None:
            cardinality = rule_costs.times(self.cardinality, times)
        lost = self.uncorrelated or ("" if keeps_old else self.path)
        return _Place(f"{self.path}{step}", False, cardinality, lost)


def validate_rules(schema: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """Check the rules of a whole schema, each alone and what they cost together."""
    total = rule_costs.TotalCost()
    yield from _validate_place(schema, _Place(path, is_root=True), total)
    yield from total.errors(path)


def _validate_place(
    schema: Mapping[str, Any], place: _Place, total: rule_costs.TotalCost
) -> Iterator[FieldError]:
    yield from _validate_own(schema, place, total)
    extra, items = schema.get("additionalProperties"), schema.get("items")
    times = schema.get("maxProperties") if extra is not None else 1
    for name, child in (schema.get("properties") or {}).items():
        yield from _validate_place(child, place.below(f".properties[{name}]", times), total)
    if isinstance(extra, dict):
        yield from _validate_place(extra, place.below(".additionalProperties", times), total)
    if isinstance(items, dict):
        is_map = schema.get("x-kubernetes-list-type") == "map"
        below = place.below(".items", schema.get("maxItems"), keeps_old=is_map)
        yield from _validate_place(items, below, total)


def _validate_own(
    schema: Mapping[str, Any], place: _Place, total: rule_costs.TotalCost
) -> Iterator[FieldError]:
    """Check the rules of one place."""
    rules = schema.get(RULES) or ()
    if not rules:
        return
    is_resource = place.is_root or bool(schema.get("x-kubernetes-embedded-resource"))
    bounds = bounds_of(schema, is_resource=is_resource)
    environments: dict[bool, Environment] = {}
    for index, rule in enumerate(rules):
        is_optional = rule.get("optionalOldSelf") is True
        if is_optional not in environments:
            environments[is_optional] = environment_of(
                schema, is_resource=place.is_root, is_optional=is_optional
            )
        where = f"{place.path}.{RULES}[{index}]"
        compiled = _Compiled(rule, environments[is_optional])
        if bounds is not None:
            yield from total.of_rule(compiled.program, bounds, place.cardinality, f"{where}.rule")
        yield from _validate_rule(compiled, where)
        if bounds is not None:
            yield from total.of_message(compiled.message, bounds, f"{where}.messageExpression")
        yield from _validate_old(compiled, where, place.uncorrelated)


class _Compiled:
    """A rule with its programs, or what is wrong with them."""

    def __init__(self, rule: Mapping[str, Any], environment: Environment) -> None:
        self.rule = rule
        self.program, self.trouble = _program(environment, rule.get("rule") or "", BOOL)
        text = "" if self.program is None else rule.get("messageExpression") or ""
        self.message, self.message_trouble = _program(environment, text, STRING)

    @property
    def uses_old(self) -> bool:
        """Whether the rule is about the old value; not known of one that does not compile."""
        return self.program is not None and self.program.uses(OLD)


def _program(environment: Environment, text: str, output: Type) -> tuple[Program | None, str]:
    """The program of an expression, or why there is none."""
    if not text.strip():
        return None, ""
    try:
        return environment.compile(text, (output,)), ""
    except CompileError as error:
        return None, str(error)


def _validate_rule(compiled: _Compiled, path: str) -> Iterator[FieldError]:
    rule, trouble = compiled.rule, compiled.trouble
    if trouble:
        if not trouble.startswith((_COMPILATION, UNMAKEABLE)):
            trouble = "cel expression must evaluate to a bool"
        yield invalid(f"{path}.rule", _shown(rule), trouble)
    trouble = compiled.message_trouble
    if trouble:
        if trouble.startswith(_COMPILATION):
            trouble = f"messageExpression {trouble}"
        elif trouble.startswith(UNMAKEABLE):
            trouble = f"messageExpression {trouble.removeprefix('program ')}"
        else:
            trouble = "messageExpression must evaluate to a string"
        yield invalid(f"{path}.messageExpression", _shown(rule), trouble)


def _validate_old(compiled: _Compiled, path: str, uncorrelated: str) -> Iterator[FieldError]:
    rule = compiled.rule
    if not compiled.uses_old and rule.get("optionalOldSelf") is not None:
        detail = "may not be set if oldSelf is not used in rule"
        yield invalid(f"{path}.optionalOldSelf", rule["optionalOldSelf"], detail)
    if compiled.uses_old and uncorrelated:
        detail = (
            "oldSelf cannot be used on the uncorrelatable portion of the schema within "
            f"{uncorrelated}"
        )
        yield invalid(f"{path}.rule", rule.get("rule"), detail)


def _shown(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """A rule as upstream prints it."""
    return {
        "Rule": rule.get("rule") or "",
        "Message": rule.get("message") or "",
        "MessageExpression": rule.get("messageExpression") or "",
        "Reason": rule.get("reason"),
        "FieldPath": rule.get("fieldPath") or "",
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }
