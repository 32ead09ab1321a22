"""JWT tokens: signed text that says who its bearer is, so that no server has to remember it.

Claims as in etcd: `username`, `revision` (the auth revision at which it was made) and `exp`. Other
claims of tokens made elsewhere are not looked at, but for `nbf`. With a public key alone tokens are
only checked. What was once found good is remembered, since a signature costs more than a read:
`REMEMBERED` tokens, then all are forgotten.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jwt import get_algorithm_by_name
from jwt.exceptions import PyJWTError

from datastore.errors import ConfigError
from datastore.errors.auth import VerifyOnly
from datastore.flags.flag import parse_duration
from datastore.mvcc.auth.model import NamedUser
from datastore.mvcc.auth.tokens.keys import SIGN_METHODS, load_keys
from datastore.mvcc.auth.tokens.kind import Issued

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from datastore.mvcc.auth.model import Token
    from datastore.mvcc.auth.tokens.kind import Moment

log = logging.getLogger(__name__)
DEFAULT_TTL = "5m"
OPTIONS = ("sign-method", "pub-key", "priv-key", "ttl")
REMEMBERED = 10_000
LONGEST_HEAD = 512  # bytes of base64 that are parsed before the signature is known to be good


class Claims(NamedTuple):
    """What a token says; times in seconds since 1970, None when it does not say."""

    identity: NamedUser
    expires: float | None
    begins: float | None

    def hold_at(self, seconds: float) -> bool:
        """Say whether the token is good at a time."""
        ended = self.expires is not None and seconds >= self.expires
        return not ended and (self.begins is None or seconds >= self.begins)


class JwtTokens:
    """Signs and checks tokens; see the module."""

    renewing: float | None = None

    def __init__(self, options: dict[str, str], ttl: float) -> None:
        """Take the options of --auth-token; `ttl`, the life of simple tokens, is not theirs."""
        del ttl
        unknown = sorted(set(options) - set(OPTIONS))
        if unknown:
            log.warning("unknown options of --auth-token jwt ignored=%s", ",".join(unknown))
        self._method = options.get("sign-method", "")
        if self._method not in SIGN_METHODS:
            known = ", ".join(SIGN_METHODS)
            raise ConfigError(
                f"--auth-token jwt: sign-method {self._method!r}: give one of {known}"
            )
        self._keys = load_keys(self._method, _read(options, "priv-key"), _read(options, "pub-key"))
        self._algorithm = get_algorithm_by_name(self._method)
        try:
            self.life = int(parse_duration(options.get("ttl") or DEFAULT_TTL) * 1000)
        except ValueError as error:
            raise ConfigError(f"--auth-token: ttl {options['ttl']!r}: {error}") from error
        if self.life <= 0:
            raise ConfigError(f"--auth-token: ttl {options['ttl']!r}: no token would ever be good")
        self._known: dict[str, Claims] = {}

    def issue(self, user: str, revision: int, now: int) -> Issued:
        """Sign a token; VerifyOnly when there is but a public key."""
        if self._keys.private is None:
            raise VerifyOnly
        claims = {"exp": (now + self.life) // 1000, "revision": revision, "username": user}
        head = {"alg": self._method, "typ": "JWT"}
        signed = b".".join((_encoded(head), _encoded(claims)))
        signature = base64.urlsafe_b64encode(self._algorithm.sign(signed, self._keys.private))
        return Issued(b".".join((signed, signature.rstrip(b"="))).decode(), None)

    def identify(
        self, token: str, at: Moment, stored: Callable[[bytes], Token | None]
    ) -> NamedUser | None:
        """Return who a token that we, or a holder of our key, have signed says that he is."""
        del stored
        claims = self._known.get(token)
        if claims is None:
            claims = read_claims(token, self._method, self._verified)
            if claims is None:
                return None
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[token] = claims
        return claims.identity if claims.hold_at(at.now / 1000) else None

    def used(self) -> list[bytes]:
        """Return nothing: the database knows none of these."""
        return []

    def renewed(self, digests: Iterable[bytes]) -> None:
        """Do nothing."""

    def _verified(self, signed: bytes, signature: bytes) -> bool:
        return self._algorithm.verify(signed, self._keys.public, signature)


def read_claims(token: str, method: str, verified: Callable[[bytes, bytes], bool]) -> Claims | None:
    """Return what a token says, None if it is not signed by that method or says too little."""
    try:
        signed, _, signature = token.encode().rpartition(b".")
        head, content = signed.split(b".")
        if len(head) > LONGEST_HEAD or json.loads(_decoded(head))["alg"] != method:
            return None
        if not verified(signed, _decoded(signature)):
            return None
        claims = json.loads(_decoded(content))  # only of somebody who holds the key
        name, revision = claims["username"], claims["revision"]
        times = (_number(claims.get("exp")), _number(claims.get("nbf")))
        if not isinstance(name, str) or not isinstance(revision, int | float):
            return None
        return Claims(NamedUser(name, int(revision)), *times)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, PyJWTError):
        return None


def _number(value: Any) -> float | None:
    if value is not None and not isinstance(value, int | float):
        raise TypeError("a time is a number")
    return value


def _encoded(value: dict[str, Any]) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=")


def _decoded(part: bytes) -> bytes:
    if not part or b"=" in part:
        raise binascii.Error("not base64url without padding")
    return base64.b64decode(part + b"=" * (-len(part) % 4), b"-_", validate=True)


def _read(options: dict[str, str], name: str) -> bytes:
    path = options.get(name)
    if not path:
        return b""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"--auth-token jwt: {name} {path}: {error.strerror}: name a readable PEM file"
        ) from error
