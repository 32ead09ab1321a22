"""Authentication: who asks, by the first of these that says so.

A front proxy's headers, a client certificate, a bearer token; else nobody in particular, where
that is allowed. What is wrong is not nobody: it is 401. Source: the union of authenticators of
Kubernetes v1.35.
"""

import base64
import binascii
import time
from typing import Protocol

from control_plane.api.errors import BadRequest, Unauthorized
from control_plane.apiserver.auth.authentication_file import Anonymous
from control_plane.apiserver.auth.certificates import Peer
from control_plane.apiserver.auth.request_header import RequestHeaders
from control_plane.apiserver.auth.token_chain import TokenChain
from control_plane.apiserver.auth.token_check import TokenError
from control_plane.apiserver.auth.user import ANONYMOUS, User
from control_plane.apiserver.http.request import Request
from control_plane.apiserver.metrics.histogram import Histogram

SOCKET_TOKEN = "base64url.bearer.authorization.k8s.io."
TOKEN_AFTER_SPACES = (
    "the provided Authorization header contains extra space before the bearer token, and is ignored"
)


class Tokens(Protocol):
    """Where the checkers of tokens and the rule about nobody are, as they are now."""

    chain: TokenChain
    anonymous: Anonymous


class NobodyError(Unauthorized):
    """Somebody comes without credentials where one has to have some."""


class Authenticator:
    """Finds the user behind a request."""

    def __init__(
        self,
        tokens: Tokens,
        proxies: RequestHeaders | None = None,
        left: Histogram | None = None,
    ) -> None:
        """`tokens` checks bearer tokens; without `proxies` no front proxy is believed.

        `left` observes the seconds that client certificates are still good for.
        """
        self._tokens = tokens
        self._proxies = proxies
        self._left = left or Histogram(())

    async def user(self, request: Request) -> User:
        """The user; raises Unauthorized for credentials that are wrong."""
        connection, is_wrong = request.connection, False
        if connection is not None and connection.peer is not None:
            peer = connection.peer
            named, left = self._named(peer, request), peer.expires - time.time()
            if left > 0 and named is not None and self._allows(peer.name):
                return named
            self._left.observe(left)
            if left <= 0:
                is_wrong = True
            elif peer.user is not None:
                return peer.user
            else:
                is_wrong = bool(peer.objection) or named is not None
        token = bearer_token(request) or _socket_token(request)
        if token is not None:
            return await self._bearer(request, token)
        if is_wrong:
            raise Unauthorized("Unauthorized")
        if not self._tokens.anonymous.includes(request.path):
            raise NobodyError("Unauthorized")
        return ANONYMOUS

    async def _bearer(self, request: Request, token: str) -> User:
        """Whose the token is; what is to be said of it goes with the request."""
        try:
            shown = await self._tokens.chain.shown(token)
        except TokenError as error:
            raise Unauthorized("Unauthorized") from error
        for key, value in shown.annotations:
            request.annotate(key, value)
        for text in shown.warnings:
            request.warn(text)
        return shown.user

    def _named(self, peer: Peer, request: Request) -> User | None:
        """For whom a front proxy asks; None where it does not say, and for other peers."""
        if self._proxies is None or not peer.is_proxy:
            return None
        return self._proxies.user(request.header_lines)

    def _allows(self, name: str) -> bool:
        names = self._proxies.allowed_names if self._proxies is not None else ()
        return not names or name in names


def bearer_token(request: Request) -> str | None:
    """The token of `Authorization: Bearer TOKEN`, or None; the scheme's case does not matter.

    Of several such headers the first counts. A token after two spaces is none: its sender is told.
    """
    header = next((value for name, value in request.header_lines if name == b"authorization"), b"")
    scheme, _, rest = header.strip().partition(b" ")
    if scheme.lower() != b"bearer" or not rest:
        return None
    token, _, _ = rest.partition(b" ")
    if not token:
        request.warn(TOKEN_AFTER_SPACES)
        return None
    return token.decode("latin-1")


def _socket_token(request: Request) -> str | None:
    """The token that a WebSocket's sub-protocol bears, which is taken off the list."""
    if not request.is_socket:
        return None
    bearing = [name for name in request.subprotocols if name.startswith(SOCKET_TOKEN)]
    if not bearing:
        return None
    if len(bearing) > 1:
        raise BadRequest("multiple base64.bearer.authorization tokens specified")
    if len(request.subprotocols) == 1:
        raise BadRequest("missing additional subprotocol")
    request.subprotocols = [name for name in request.subprotocols if name != bearing[0]]
    encoded = bearing[0].removeprefix(SOCKET_TOKEN)
    try:
        return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise BadRequest("invalid base64.bearer.authorization token encoding") from error
