"""Bootstrap tokens: ID.SECRET, where the Secret kube-system/bootstrap-token-ID says who that is.

Whatever is wrong with the Secret, the token is simply nobody's. Source: the bootstrap token
authenticator of Kubernetes v1.35.
"""

import base64
import binascii
import datetime
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from control_plane.api.objects import Object, dig
from control_plane.api.timestamps import parse
from control_plane.apiserver.auth.token_check import Verified
from control_plane.apiserver.auth.user import User, authenticated

NAMESPACE = "kube-system"
SECRET_TYPE = "bootstrap.kubernetes.io/token"
_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")

Lookup = Callable[[str, str, str], Awaitable[Object | None]]


class BootstrapTokens:
    """Good for the server's own audiences."""

    def __init__(
        self,
        lookup: Lookup,
        audiences: Sequence[str],
        clock: Callable[[], datetime.datetime],
    ) -> None:
        """`lookup(plural, namespace, name)` reads a core object or returns None."""
        self._lookup = lookup
        self._audiences = tuple(audiences)
        self._clock = clock

    async def verified(self, token: str, audiences: Sequence[str]) -> Verified | None:
        """The user of the token's secret."""
        match = _TOKEN.fullmatch(token)
        common = tuple(audience for audience in audiences if audience in self._audiences)
        if match is None or not common:
            return None
        secret = await self._lookup("secrets", NAMESPACE, f"bootstrap-token-{match[1]}")
        user = user_of_secret(secret, match[1], match[2], self._clock()) if secret else None
        return Verified(user, common) if user is not None else None


def user_of_secret(
    secret: Object, token_id: str, token_secret: str, now: datetime.datetime
) -> User | None:
    """The user for whom the secret stands, None when it does not stand for this token. Pure."""
    if secret.get("type") != SECRET_TYPE or dig(secret, "metadata", "deletionTimestamp"):
        return None
    data = secret.get("data") or {}
    ours = hmac.compare_digest(_text(data, "token-secret").encode(), token_secret.encode())
    if not ours or _text(data, "token-id") != token_id or _is_over(data, now):
        return None
    if _text(data, "usage-bootstrap-authentication") != "true":
        return None
    groups = {"system:bootstrappers"}
    for group in _text(data, "auth-extra-groups").split(","):
        if group.strip() and not _GROUP.fullmatch(group.strip()):
            return None
        groups |= {group.strip()} - {""}
    return authenticated(f"system:bootstrap:{token_id}", tuple(sorted(groups)))


def _is_over(data: Mapping[str, str], now: datetime.datetime) -> bool:
    expiration = _text(data, "expiration")
    if not expiration:
        return False
    try:
        return parse(expiration) <= now
    except ValueError:
        return True


def _text(data: Mapping[str, str], key: str) -> str:
    try:
        return base64.b64decode(data.get(key) or "").decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
