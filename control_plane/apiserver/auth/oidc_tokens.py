"""Tokens of issuers that the cluster trusts (OpenID Connect), checked with the keys they publish.

The keys are fetched when the first token comes, and again for a key that is not known yet, at most
every REFETCH_SECONDS. Source: the OIDC authenticator of Kubernetes v1.35.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import orjson

from control_plane.apiserver.auth.jwt_issuer import JwtIssuer, user_of_claims
from control_plane.apiserver.auth.token_check import TokenError, Verified, issuer_of
from control_plane.apiserver.config_error import ConfigError

FETCH_SECONDS = 30.0
REFETCH_SECONDS = 10.0
MAX_ANSWER_BYTES = 1 << 20

logger = logging.getLogger(__name__)


class OidcTokens:
    """The tokens of one issuer; good for the server's own audiences."""

    def __init__(self, issuer: JwtIssuer, audiences: Sequence[str]) -> None:
        """Read the issuer's authority; ConfigError when it is none."""
        self._issuer = issuer
        self._audiences = tuple(audiences)
        self._tls = _context(issuer)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetch_after = 0.0
        self._fetching = asyncio.Lock()

    async def verified(self, token: str, audiences: Sequence[str]) -> Verified | None:
        """The user of a token of this issuer; others' tokens are none of its."""
        if issuer_of(token) != self._issuer.url:
            return None
        common = tuple(audience for audience in audiences if audience in self._audiences)
        if not common:
            return None
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in self._issuer.algorithms:
            raise TokenError("oidc: the token is signed with an algorithm that is not allowed")
        keys = await self._candidates(header.get("kid"))
        return Verified(user_of_claims(self._issuer, self._claims(token, algorithm, keys)), common)

    def _claims(self, token: str, algorithm: str, keys: Sequence[jwt.PyJWK]) -> dict[str, Any]:
        for key in keys:
            try:
                return jwt.decode(
                    token,
                    key.key,
                    algorithms=[algorithm],
                    issuer=self._issuer.url,
                    options={"require": ["exp", "iss"], "verify_aud": False},
                )
            except jwt.InvalidSignatureError:
                continue
            except (jwt.PyJWTError, TypeError, ValueError) as error:
                raise TokenError(f"oidc: verify token: {type(error).__name__}") from error
        raise TokenError("oidc: verify token: no key of the issuer has signed it")

    async def _candidates(self, key_id: str | None) -> Sequence[jwt.PyJWK]:
        """The key of that id, or all of them for a token that names none."""
        if (key_id is None or key_id not in self._keys) and time.monotonic() >= self._fetch_after:
            async with self._fetching:
                if time.monotonic() >= self._fetch_after:
                    await self._fetch()
        if key_id is None:
            return tuple(self._keys.values())
        return (self._keys[key_id],) if key_id in self._keys else ()

    async def _fetch(self) -> None:
        self._fetch_after = time.monotonic() + REFETCH_SECONDS
        try:
            keys = await self._published()
        except (aiohttp.ClientError, TimeoutError, ValueError, jwt.PyJWTError) as error:
            logger.warning("oidc keys not fetched issuer=%s error=%r", self._issuer.url, error)
            return
        self._keys = {key.key_id or str(index): key for index, key in enumerate(keys)}

    async def _published(self) -> Sequence[jwt.PyJWK]:
        timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
        connector = aiohttp.TCPConnector(ssl=self._tls)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            configuration = await _document(session, self._issuer.configuration_url)
            if configuration.get("issuer") != self._issuer.url:
                raise ValueError("the issuer calls itself otherwise")
            keys = await _document(session, str(configuration.get("jwks_uri", "")))
            return jwt.PyJWKSet.from_dict(keys).keys


async def _document(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with session.get(url) as response:
        response.raise_for_status()
        content = await response.content.read(MAX_ANSWER_BYTES)
        found = orjson.loads(content)
    if not isinstance(found, dict):
        raise ValueError(f"{url} answers no JSON object")
    return found


def _context(issuer: JwtIssuer) -> ssl.SSLContext:
    try:
        if isinstance(issuer.authority, Path):
            return ssl.create_default_context(cafile=str(issuer.authority))
        return ssl.create_default_context(cadata=issuer.authority or None)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"the certificate authority of the issuer {issuer.url} cannot be used: {error}: "
            "give PEM certificates"
        ) from error
