"""Expressions in the schemas of custom resources: each must compile, and make sense where it is.

Called by custom_resource_definitions.py for schemas that are right but for these. What rules would
cost at most is not estimated; evaluations are bounded. Source: v1.35 apiextensions validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel import BOOL, STRING, CompileError
from control_plane.api.custom.rules import OLD, environment_of
from control_plane.api.validation.field_errors import invalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from control_plane.api.cel import Environment, Program
    from control_plane.api.errors import FieldError

RULES: Final = "x-kubernetes-validations"


def validate_rules(
    schema: Mapping[str, Any], path: str, *, is_root: bool = True, uncorrelated: str = ""
) -> Iterator[FieldError]:
    """Check the rules of a schema and of all below it.

    `uncorrelated` is the path of the part of it whose old values nobody can tell.
    """
    environments: dict[bool, Environment] = {}
    for index, rule in enumerate(schema.get(RULES) or ()):
        is_optional = rule.get("optionalOldSelf") is True
        if is_optional not in environments:
            environments[is_optional] = environment_of(
                schema, is_resource=is_root, is_optional=is_optional
            )
        where = f"{path}.{RULES}[{index}]"
        yield from _validate_rule(rule, environments[is_optional], where, uncorrelated)
        yield from _validate_field_path(rule, schema, where)
    for name, child in (schema.get("properties") or {}).items():
        below = f"{path}.properties[{name}]"
        lost = uncorrelated or (path if _is_atomic_map(schema) else "")
        yield from validate_rules(child, below, is_root=False, uncorrelated=lost)
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        lost = uncorrelated or (path if _is_atomic_map(schema) else "")
        below = f"{path}.additionalProperties"
        yield from validate_rules(extra, below, is_root=False, uncorrelated=lost)
    items = schema.get("items")
    if isinstance(items, dict):
        is_map = schema.get("x-kubernetes-list-type") == "map"
        lost = uncorrelated or ("" if is_map else path)
        yield from validate_rules(items, f"{path}.items", is_root=False, uncorrelated=lost)


def _is_atomic_map(schema: Mapping[str, Any]) -> bool:
    return schema.get("x-kubernetes-map-type") == "atomic"


def _validate_rule(
    rule: Mapping[str, Any], environment: Environment, path: str, uncorrelated: str
) -> Iterator[FieldError]:
    text = rule.get("rule") or ""
    if not text.strip():
        return
    program: Program | None = None
    try:
        program = environment.compile(text, (BOOL,))
    except CompileError as error:
        trouble = str(error)
        if not trouble.startswith("compilation failed"):
            trouble = "cel expression must evaluate to a bool"
        yield invalid(f"{path}.rule", _shown(rule), trouble)
    if program is not None and program.uses(OLD) and uncorrelated:
        detail = (
            "oldSelf cannot be used on the uncorrelatable portion of the schema within "
            f"{uncorrelated}"
        )
        yield invalid(f"{path}.rule", text, detail)
    if program is not None and rule.get("optionalOldSelf") is not None and not program.uses(OLD):
        detail = "may not be set if oldSelf is not used in rule"
        yield invalid(f"{path}.optionalOldSelf", rule["optionalOldSelf"], detail)
    yield from _validate_message(rule, environment, path)


def _validate_message(
    rule: Mapping[str, Any], environment: Environment, path: str
) -> Iterator[FieldError]:
    text = rule.get("messageExpression") or ""
    if not text.strip():
        return
    try:
        environment.compile(text, (STRING,))
    except CompileError as error:
        trouble = f"messageExpression {error}"
        if not str(error).startswith("compilation failed"):
            trouble = "messageExpression must evaluate to a string"
        yield invalid(f"{path}.messageExpression", _shown(rule), trouble)


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


def _validate_field_path(
    rule: Mapping[str, Any], schema: Mapping[str, Any], path: str
) -> Iterator[FieldError]:
    field = rule.get("fieldPath") or ""
    if not field.strip() or "\n" in field:
        return
    node: Any = schema
    for step in _steps(field):
        node = (node.get("properties") or {}).get(step) or node.get("additionalProperties")
        if not isinstance(node, dict):
            yield invalid(f"{path}.fieldPath", field, "must be a valid path")
            return


def _steps(field: str) -> list[str]:
    return [step for step in field.replace("['", ".").replace("']", "").split(".") if step]
