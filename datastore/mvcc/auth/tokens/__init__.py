"""The kinds of token that --auth-token names: literal table KINDS, one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datastore.errors import ConfigError
from datastore.mvcc.auth.tokens.absent import NoTokens
from datastore.mvcc.auth.tokens.jwt import JwtTokens
from datastore.mvcc.auth.tokens.simple import SimpleTokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from datastore.mvcc.auth.tokens.kind import Tokens

KINDS: dict[str, Callable[[dict[str, str], float], Tokens]] = {
    "": NoTokens,
    "simple": SimpleTokens,
    "jwt": JwtTokens,
}


def new_tokens(spec: str, ttl: float) -> Tokens:
    """Return the tokens of an --auth-token, `kind,option=value,…`; ConfigError names the fault.

    ttl is the life of a simple token in seconds.
    """
    kind, _, rest = spec.partition(",")
    if kind not in KINDS:
        raise ConfigError(f"--auth-token {kind!r}: write simple, or jwt,sign-method=…,priv-key=…")
    options: dict[str, str] = {}
    for option in rest.split(",") if rest else []:
        name, equals, value = option.partition("=")
        if not equals or "=" in value or name in options:
            raise ConfigError(f"--auth-token option {option!r}: write each name=value once")
        options[name] = value
    return KINDS[kind](options, ttl)
