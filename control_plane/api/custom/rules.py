"""x-kubernetes-validations: the expressions of a schema, compiled once for each of its nodes.

A rule that does not compile (it was stored by others) fails whatever it is asked about. Source:
apiextensions apiserver/schema/cel v1.35. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from control_plane.api.cel import (
    BOOL,
    DYN,
    STRING,
    CelError,
    CompileError,
    Environment,
    Program,
    Type,
    type_of_schema,
)
from control_plane.api.cel.types import optional_of

if TYPE_CHECKING:
    from collections.abc import Mapping

SELF: Final = "self"
OLD: Final = "oldSelf"
MAX_MESSAGE_BYTES: Final = 5120


class Rule(NamedTuple):
    """One entry, ready to be asked; `program` is None when it does not compile, for `trouble`."""

    text: str
    program: Program | None
    trouble: str = ""
    message: str = ""
    message_program: Program | None = None
    reason: str = ""
    field_path: str = ""
    is_optional: bool = False

    @property
    def is_transition(self) -> bool:
        """Whether it compares with what was there before."""
        return self.program is not None and self.program.uses(OLD)

    @property
    def shown(self) -> str:
        """The rule as messages name it."""
        return self.message.strip() or self.text.strip()


def environment_of(
    schema: Mapping[str, Any], *, is_resource: bool, is_optional: bool = False
) -> Environment:
    """Return the environment of a node's expressions."""
    declared: Type = type_of_schema(schema, "selfType", is_resource=is_resource) or DYN
    old = optional_of(declared) if is_optional else declared
    return Environment({SELF: declared, OLD: old})


def rules_of(schema: Mapping[str, Any], *, is_resource: bool) -> tuple[Rule, ...]:
    """Return the rules of one node of a schema."""
    environments: dict[bool, Environment] = {}
    found = []
    for entry in schema.get("x-kubernetes-validations") or ():
        is_optional = entry.get("optionalOldSelf") is True
        if is_optional not in environments:
            environments[is_optional] = environment_of(
                schema, is_resource=is_resource, is_optional=is_optional
            )
        found.append(_rule(entry, environments[is_optional], is_optional=is_optional))
    return tuple(found)


def _rule(entry: Mapping[str, Any], environment: Environment, *, is_optional: bool) -> Rule:
    text = entry.get("rule") or ""
    message = entry.get("messageExpression") or ""
    program, trouble, message_program = None, "", None
    try:
        program = environment.compile(text, (BOOL,))
        message_program = environment.compile(message, (STRING,)) if message else None
    except CompileError as error:
        trouble = str(error)
    return Rule(
        text,
        program,
        trouble,
        entry.get("message") or "",
        message_program,
        entry.get("reason") or "",
        entry.get("fieldPath") or "",
        is_optional,
    )


def message_of(rule: Rule, bindings: Mapping[str, Any]) -> str:
    """Return what is said when a rule has come out false."""
    if rule.message_program is not None:
        try:
            made = rule.message_program.evaluate(bindings)
        except CelError:
            made = ""
        usable = isinstance(made, str) and made.strip() and "\n" not in made.strip()
        if usable and len(made.encode()) <= MAX_MESSAGE_BYTES:
            return str(made).strip()
    return rule.message.strip() or f"failed rule: {rule.text.strip()}"
