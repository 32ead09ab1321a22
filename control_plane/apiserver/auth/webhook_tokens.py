"""--authentication-token-webhook-config-file: another server says whose a token is.

It is asked with a TokenReview; what it says, yes or no, is remembered for a while. Source: the
token webhook of Kubernetes v1.35.
"""

import asyncio
import hashlib
import ssl
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import aiohttp
import orjson

from control_plane.apiserver.auth.token_check import TokenError, Verified
from control_plane.apiserver.auth.user import User, authenticated
from control_plane.client.config import ClientConfig

ASK_SECONDS = 10.0
ATTEMPTS, PAUSE_SECONDS, FACTOR = 5, 0.5, 1.5
MAX_REMEMBERED = 4096
MAX_ANSWER_BYTES = 1 << 20
_UNAVAILABLE = (aiohttp.ClientError, TimeoutError, ssl.SSLError, ConnectionError)


class WebhookTokens:
    """Asks the server that `config` names, in `version` of authentication.k8s.io."""

    def __init__(
        self, config: ClientConfig, version: str, ttl_seconds: float, audiences: Sequence[str]
    ) -> None:
        """Answers are good for `ttl_seconds`; raises the ConfigError of a kubeconfig."""
        self._config = config
        self._version = version
        self._ttl = ttl_seconds
        self._audiences = tuple(audiences)
        self._tls = config.ssl_context()
        self._remembered: OrderedDict[bytes, tuple[float, Verified | None]] = OrderedDict()

    async def verified(self, token: str, audiences: Sequence[str]) -> Verified | None:
        """Whose the token is, as far as the other server knows."""
        key = hashlib.sha256("\0".join((token, *audiences)).encode()).digest()
        remembered = self._remembered.get(key)
        if remembered is not None and time.monotonic() < remembered[0]:
            return remembered[1]
        found = self._verdict(await self._asked(token, audiences), audiences)
        self._remembered[key] = (time.monotonic() + self._ttl, found)
        self._remembered.move_to_end(key)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return found

    def _verdict(self, review: dict[str, Any], audiences: Sequence[str]) -> Verified | None:
        status = review.get("status") or {}
        if not status.get("authenticated"):
            if status.get("error"):
                raise TokenError(f"the token webhook refuses: {status['error']}")
            return None
        intended = status.get("audiences") or self._audiences
        common = tuple(audience for audience in audiences if audience in intended)
        return Verified(_user(status.get("user") or {}), common) if common else None

    async def _asked(self, token: str, audiences: Sequence[str]) -> dict[str, Any]:
        review = {
            "apiVersion": f"authentication.k8s.io/{self._version}",
            "kind": "TokenReview",
            "metadata": {},
            "spec": {"token": token, "audiences": list(audiences)},
        }
        pause = PAUSE_SECONDS
        for attempts_left in range(ATTEMPTS - 1, -1, -1):
            try:
                return await self._post(orjson.dumps(review))
            except _UNAVAILABLE as error:
                if not attempts_left:
                    name = type(error).__name__
                    raise TokenError(f"the token webhook does not answer: {name}") from error
            await asyncio.sleep(pause)
            pause *= FACTOR
        raise AssertionError

    async def _post(self, body: bytes) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._config.token:
            headers["Authorization"] = f"Bearer {self._config.token}"
        timeout = aiohttp.ClientTimeout(total=ASK_SECONDS)
        connector = aiohttp.TCPConnector(ssl=True if self._tls is None else self._tls)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.post(
                self._config.server,
                data=body,
                headers=headers,
                server_hostname=self._config.tls_server_name or None,
            ) as response,
        ):
            response.raise_for_status()
            found = orjson.loads(await response.content.read(MAX_ANSWER_BYTES))
        if not isinstance(found, dict):
            raise TokenError("the token webhook answers no TokenReview")
        return found


def _user(info: dict[str, Any]) -> User:
    if not info.get("username"):
        raise TokenError("the token webhook names no user")
    extra = {str(key): tuple(values) for key, values in (info.get("extra") or {}).items()}
    groups = tuple(str(group) for group in info.get("groups") or ())
    return authenticated(str(info["username"]), groups, str(info.get("uid") or ""), extra)
