"""What every kind of bearer token has in common: who checks it, and what comes of that."""

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import jwt

from control_plane.apiserver.auth.user import User

_JSON_WEB_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class TokenError(Exception):
    """A token is not to be believed; the text says why and holds nothing of the token."""


class Verified(NamedTuple):
    """Whose a token is, and for which of the audiences that were asked about it is good.

    `annotations` are for the audit event of whoever shows it, `warnings` for themselves.
    """

    user: User
    audiences: tuple[str, ...]
    annotations: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


class TokenChecker(Protocol):
    """One kind of tokens."""

    async def verified(self, token: str, audiences: Sequence[str], /) -> Verified | None:
        """Check a token; None when it is not of this kind, TokenError when it is no good."""


def issuer_of(token: str) -> str:
    """The issuer that a JSON Web Token claims; "" for what is no such token."""
    if not _JSON_WEB_TOKEN.fullmatch(token):  # the library passes over letters that no token has
        return ""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        return ""
    issuer = claims.get("iss")
    return issuer if isinstance(issuer, str) else ""
