"""Authentication: the first of AUTHENTICATORS' answers that is not None.

A client certificate, then a bearer token. A wrong token is not anonymous: it is 401. Requests
without any credentials are anonymous, whom `authz` lets see little.
"""

from collections.abc import Mapping

from control_plane.api.errors import Unauthorized
from control_plane.apiserver.auth.tokens import TokenAuthenticator, TokenError
from control_plane.apiserver.auth.user import ANONYMOUS, User
from control_plane.apiserver.http.protocols import Connection


class Authenticator:
    """Finds the user behind a connection and its headers."""

    def __init__(self, tokens: TokenAuthenticator) -> None:
        """`tokens` checks service-account tokens."""
        self._tokens = tokens

    async def user(self, connection: Connection | None, headers: Mapping[bytes, bytes]) -> User:
        """The user; raises Unauthorized for credentials that are wrong."""
        if connection is not None and connection.holder is not None:
            return connection.holder
        token = bearer_token(headers)
        if token is None:
            return ANONYMOUS
        try:
            return await self._tokens.user(token)
        except TokenError as error:
            raise Unauthorized("Unauthorized") from error


def bearer_token(headers: Mapping[bytes, bytes]) -> str | None:
    """The token of `Authorization: Bearer TOKEN`, or None; the scheme's case does not matter."""
    scheme, _, token = headers.get(b"authorization", b"").strip().partition(b" ")
    if scheme.lower() != b"bearer" or not token.strip():
        return None
    return token.strip().decode("latin-1")
