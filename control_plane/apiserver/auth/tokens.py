"""Service-account tokens: signed when asked for, checked on every request that carries one.

A token is good while its signature, time, issuer and audience are, and while the service account
and the object it is bound to exist with the uid it names (for a minute after that object's
deletion). One of the old kind, without an end, is good while the secret it lies in has it.
Source: pkg/serviceaccount of Kubernetes v1.35.
"""

import datetime
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from control_plane.api.go_syntax import quote
from control_plane.api.objects import uid_of
from control_plane.api.token_keys import PublicKey, algorithm_of, key_id
from control_plane.apiserver.auth.account_checks import (
    Lookup,
    account_user,
    checked_account,
    is_long_gone,
)
from control_plane.apiserver.auth.legacy_tokens import LEGACY_ISSUER, LegacyTokens, Mark
from control_plane.apiserver.auth.token_check import TokenError, Verified, issuer_of
from control_plane.apiserver.auth.token_uses import TokenUses
from control_plane.apiserver.auth.user import CREDENTIAL_ID, User
from control_plane.apiserver.config import ConfigError, ServiceAccountKeys

STALE_TOKEN = "authentication.k8s.io/stale-token"
# claims of objects that a token may be bound to: their plurals, and whether they have a namespace
_BOUND = (("pod", "pods", True), ("secret", "secrets", True), ("node", "nodes", False))


@dataclass(frozen=True, slots=True)
class TokenSubject:
    """What a token speaks for: a service account, and the object it is bound to if any.

    `bound` maps pod, node or secret to {name, uid}.
    """

    namespace: str
    name: str
    uid: str
    bound: Mapping[str, Mapping[str, str]]


class SignedToken(NamedTuple):
    """A token, and what it is called where the token itself must not be seen."""

    token: str
    credential_id: str


class TokenSigner:
    """Signs tokens with the cluster's service-account key."""

    def __init__(self, keys: ServiceAccountKeys) -> None:
        """Load the key; raises ConfigError when it is not a PEM private key."""
        self._issuer = keys.issuer
        self._key = _private_key(keys.signing_key)
        public = self._key.public_key()
        self._algorithm = algorithm_of(public)
        self._headers = {"kid": key_id(public)}

    def sign(
        self,
        subject: TokenSubject,
        audiences: tuple[str, ...],
        seconds: int,
        now: float,
        warn_after: int = 0,
    ) -> SignedToken:
        """A token for `subject`, good from `now` for `seconds`.

        Whoever shows it more than `warn_after` seconds old is warned of; 0 is never.
        """
        issued, name = int(now), str(uuid.uuid4())
        private: dict[str, Any] = {
            "namespace": subject.namespace,
            "serviceaccount": {"name": subject.name, "uid": subject.uid},
            **{kind: dict(ref) for kind, ref in subject.bound.items()},
        }
        if warn_after:
            private["warnafter"] = issued + warn_after
        claims = {
            "aud": list(audiences),
            "exp": issued + seconds,
            "iat": issued,
            "iss": self._issuer,
            "jti": name,
            "kubernetes.io": private,
            "nbf": issued,
            "sub": f"system:serviceaccount:{subject.namespace}:{subject.name}",
        }
        token = jwt.encode(claims, self._key, algorithm=self._algorithm, headers=self._headers)
        return SignedToken(token, f"JTI={name}")


class TokenAuthenticator:
    """Checks tokens against keys, time, and the objects they are bound to."""

    def __init__(
        self,
        keys: ServiceAccountKeys,
        lookup: Lookup,
        mark: Mark,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        """`lookup(plural, namespace, name)` reads a core object or returns None.

        `mark(secret, day)` notes the last use of a token of the old kind.
        """
        self.uses = TokenUses()
        self._legacy = LegacyTokens(keys.audiences, lookup, self.uses, mark, clock)
        self._issuers = (keys.issuer, *keys.issuers)
        self.audiences = keys.audiences
        self._keys = {key_id(key): key for key in map(load_public_key, keys.public_keys)}
        self._lookup = lookup

    async def verified(self, token: str, audiences: Sequence[str]) -> Verified | None:
        """The user, and which of `audiences` the token is for; None: another's token.

        Raises TokenError.
        """
        issuer = issuer_of(token)
        if issuer not in (*self._issuers, LEGACY_ISSUER):
            return None
        claims = self._claims(token, issuer)
        if issuer == LEGACY_ISSUER:
            return await self._legacy.verified(token, claims, audiences)
        intended = _audiences_of(claims)
        common = tuple(audience for audience in audiences if audience in intended)
        if not common:
            raise TokenError(
                f"token audiences {_quoted(intended)} is invalid for the target audiences "
                f"{_quoted(audiences)}"
            )
        private = claims.get("kubernetes.io")
        if not isinstance(private, dict):
            raise TokenError("not a service account token")
        user = await self._account(claims, private)
        return Verified(user, common, self._staleness(user, private))

    def _staleness(self, user: User, private: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        """What is to be said of a token that its pod should have replaced."""
        warn_after = private.get("warnafter")
        if not isinstance(warn_after, int) or warn_after <= 0:
            return ()
        late = int(time.time()) - warn_after
        if late <= 0:
            self.uses.valid += 1
            return ()
        self.uses.stale += 1
        text = f"subject: {user.name}, seconds after warning threshold: {late}"
        return ((STALE_TOKEN, text),)

    async def _account(self, claims: Mapping[str, Any], private: Mapping[str, Any]) -> User:
        namespace = private.get("namespace", "")
        account = private.get("serviceaccount", {})
        if claims.get("sub") != f"system:serviceaccount:{namespace}:{account.get('name', '')}":
            raise TokenError("the subject does not match the service account")
        await checked_account(self._lookup, namespace, account)
        for kind, plural, place in _BOUND:
            if kind in private:
                where = namespace if place else ""
                await self._check_bound(kind, plural, where, private[kind])
        name, uid = str(account.get("name", "")), str(account.get("uid", ""))
        return account_user(namespace, name, uid, _extra(claims, private))

    def _claims(self, token: str, issuer: str) -> dict[str, Any]:
        key = self._keys.get(jwt.get_unverified_header(token).get("kid", ""))
        candidates = [key] if key is not None else list(self._keys.values())
        required = ["sub"] if issuer == LEGACY_ISSUER else ["exp", "iat", "sub"]
        reason = "no key has signed it"
        for candidate in candidates:
            try:
                return jwt.decode(
                    token,
                    candidate,
                    algorithms=[algorithm_of(candidate)],
                    issuer=issuer,
                    options={"require": required, "verify_aud": False},
                )
            except jwt.ExpiredSignatureError:
                reason = "service account token has expired"
            except jwt.ImmatureSignatureError:
                reason = "service account token is not valid yet"
            except jwt.PyJWTError as error:
                reason = str(error)
        raise TokenError(reason)

    async def _check_bound(
        self, kind: str, plural: str, namespace: str, ref: Mapping[str, str]
    ) -> None:
        obj = await self._lookup(plural, namespace, ref.get("name", ""))
        if obj is None or is_long_gone(obj):
            raise TokenError("service account token has been invalidated")
        if uid_of(obj) != ref.get("uid"):
            raise TokenError(
                f"{kind} UID ({uid_of(obj)}) does not match service account {kind} ref claim "
                f"({ref.get('uid')})"
            )


def _audiences_of(claims: Mapping[str, Any]) -> list[str]:
    audiences = claims.get("aud") or []
    return [audiences] if isinstance(audiences, str) else [str(one) for one in audiences]


def _quoted(texts: Sequence[str]) -> str:
    return f"[{' '.join(map(quote, texts))}]"


def _extra(claims: Mapping[str, Any], private: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What else is known of who shows a token: its own id, its pod and its node."""
    extra: dict[str, tuple[str, ...]] = {}
    if claims.get("jti"):
        extra[CREDENTIAL_ID] = (f"JTI={claims['jti']}",)
    for kind in ("pod", "node"):
        ref = private.get(kind) or {}
        for field in ("name", "uid"):
            if ref.get(field):
                extra[f"authentication.kubernetes.io/{kind}-{field}"] = (str(ref[field]),)
    return extra


def _private_key(path: Path) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path} is not a PEM private key: {error}") from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ConfigError(f"{path}: sign tokens with an RSA or EC key")
    return key


def load_public_key(path: Path) -> PublicKey:
    """Read a public key, or the public half of a private one; raises ConfigError."""
    content = path.read_bytes()
    if b"PRIVATE KEY" in content:
        return _private_key(path).public_key()
    try:
        key = serialization.load_pem_public_key(content)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path} is not a PEM public key: {error}") from error
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise ConfigError(f"{path}: check tokens with an RSA or EC key")
    return key
