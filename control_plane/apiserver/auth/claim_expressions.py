"""Expressions in CEL over the claims of a token, and over the user that comes of them.

What an error says holds nothing of the token. Source: pkg/authentication/cel and the OIDC
authenticator of apiserver v1.35.
"""

import functools
from collections.abc import Mapping
from typing import Any

from control_plane.api.cel import BOOL, DYN, STRING, CelError, CompileError, Environment
from control_plane.api.cel.admission import USER
from control_plane.api.cel.checking import OPTIONAL_SELECT
from control_plane.api.cel.environment import Program
from control_plane.api.cel.expressions import Call, Expr, Ident, Literal, Select, children
from control_plane.api.cel.types import map_of
from control_plane.apiserver.auth.token_check import TokenError

MAX_REMEMBERED = 1024  # texts; a configuration has few
_CLAIMS = Environment({"claims": map_of(STRING, DYN)})
_USERS = Environment({"user": USER})


@functools.lru_cache(MAX_REMEMBERED)
def of_claims(text: str, *, is_rule: bool = False) -> Program:
    """The program of an expression over `claims`; a rule is true or false. CompileError."""
    return _compiled(_CLAIMS, text, is_rule=is_rule)


@functools.lru_cache(MAX_REMEMBERED)
def of_user(text: str) -> Program:
    """The program of a rule over `user`. CompileError."""
    return _compiled(_USERS, text, is_rule=True)


def _compiled(environment: Environment, text: str, *, is_rule: bool) -> Program:
    program = environment.compile(text)
    if is_rule and program.output != BOOL:
        raise CompileError("must evaluate to bool")
    return program


def uses_claim(program: Program, claim: str) -> bool:
    """Whether an expression says `claims.CLAIM` or `claims.?CLAIM`. Pure."""
    pending: list[Expr] = [program.checked.tree]
    while pending:
        node = pending.pop()
        if _selects(node, claim):
            return True
        pending += children(node)
    return False


def _selects(node: Expr, claim: str) -> bool:
    if isinstance(node, Select):
        operand, field = node.operand, node.field
    elif isinstance(node, Call) and node.function == OPTIONAL_SELECT and len(node.arguments) == 2:
        operand, key = node.arguments
        field = str(key.value) if isinstance(key, Literal) else ""
    else:
        return False
    return isinstance(operand, Ident) and operand.name == "claims" and field == claim


def claimed_text(text: str, claims: Mapping[str, Any], what: str) -> str:
    """The text that an expression makes of claims; `what` it is for. TokenError."""
    found = _value(of_claims(text), {"claims": claims}, what)
    if not isinstance(found, str):
        raise TokenError(
            f"oidc: error evaluating {what} claim expression: "
            f"{what} claim expression must return a string"
        )
    return found


def claimed_texts(text: str, claims: Mapping[str, Any], what: str) -> tuple[str, ...]:
    """The text, or the list of texts, that is not empty; () for none. TokenError."""
    found = _value(of_claims(text), {"claims": claims}, what)
    if found is None:
        return ()
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list | tuple) or not all(isinstance(one, str) for one in listed):
        raise TokenError(
            f"oidc: error evaluating {what} claim expression: "
            "expression must return a string or a list of strings"
        )
    return tuple(one for one in listed if one)


def require_claims(text: str, message: str, claims: Mapping[str, Any]) -> None:
    """Return if a rule holds for the claims; TokenError."""
    what = "claim validation expression"
    _require(_value(of_claims(text, is_rule=True), {"claims": claims}, what), text, message, what)


def require_user(text: str, message: str, user: Mapping[str, Any]) -> None:
    """Return if a rule holds for the user, a UserInfo with all its fields; TokenError."""
    what = "user info validation rule"
    _require(_value(of_user(text), {"user": user}, what), text, message, what)


def _require(found: Any, text: str, message: str, what: str) -> None:
    if found is not True:
        raise TokenError(
            f"oidc: error evaluating {what}: validation expression '{text}' failed: {message}"
        )


def _value(program: Program, variables: Mapping[str, Any], what: str) -> Any:
    try:
        return program.evaluate(variables)
    except CelError as error:
        raise TokenError(f"oidc: error evaluating {what}: {program.text}") from error
