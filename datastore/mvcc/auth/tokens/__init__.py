"""The kinds of token that --auth-token names: literal table KINDS, one file each.

A kind's module is loaded when it is asked for: what checks signatures takes a tenth of a start.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from datastore.errors import ConfigError

if TYPE_CHECKING:
    from datastore.mvcc.auth.tokens.kind import Tokens

KINDS = {
    "": "datastore.mvcc.auth.tokens.absent:NoTokens",
    "simple": "datastore.mvcc.auth.tokens.simple:SimpleTokens",
    "jwt": "datastore.mvcc.auth.tokens.jwt:JwtTokens",
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
    module, made = KINDS[kind].split(":")
    tokens: Tokens = getattr(import_module(module), made)(options, ttl)
    return tokens
