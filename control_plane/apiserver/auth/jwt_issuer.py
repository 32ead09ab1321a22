"""One issuer of JSON Web Tokens that the cluster trusts, and what its claims mean. Pure.

Source: AuthenticationConfiguration of apiserver.config.k8s.io/v1, Kubernetes v1.35.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control_plane.apiserver.auth.claim_expressions import (
    claimed_text,
    claimed_texts,
    require_claims,
    require_user,
)
from control_plane.apiserver.auth.token_check import TokenError
from control_plane.apiserver.auth.user import User, authenticated, user_info

ALGORITHMS = (
    "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class JwtIssuer:
    """An issuer, whose tokens it takes for, and how it makes users of them.

    `authority` is a PEM text, "" for the system's authorities, or a file. `required` maps claims to
    the values they must have. A claim of "" is not used, nor an expression of "". `extra` are keys
    and expressions; rules are expressions, with what is said when they do not hold.
    """

    url: str
    audiences: tuple[str, ...]
    discovery_url: str = ""
    authority: str | Path = ""
    algorithms: tuple[str, ...] = ALGORITHMS
    required: tuple[tuple[str, str], ...] = ()
    username_claim: str = "sub"
    username_prefix: str = ""
    groups_claim: str = ""
    groups_prefix: str = ""
    uid_claim: str = ""
    username_expression: str = ""
    groups_expression: str = ""
    uid_expression: str = ""
    extra: tuple[tuple[str, str], ...] = ()
    claim_rules: tuple[tuple[str, str], ...] = ()
    user_rules: tuple[tuple[str, str], ...] = ()

    @property
    def configuration_url(self) -> str:
        """Where the issuer says where its keys are."""
        return self.discovery_url or f"{self.url.rstrip('/')}/.well-known/openid-configuration"


def user_of_claims(issuer: JwtIssuer, claims: Mapping[str, Any]) -> User:
    """The user of a token whose signature and time are good; raises TokenError."""
    if not set(_texts(claims.get("aud"))) & set(issuer.audiences):
        raise TokenError("oidc: verify token: the audience is not the expected one")
    for claim, value in issuer.required:
        if claim not in claims:
            raise TokenError(f"oidc: required claim {claim} not present in ID token")
        if claims[claim] != value:
            raise TokenError(f"oidc: required claim {claim} value does not match")
    for text, message in issuer.claim_rules:
        require_claims(text, message, claims)
    named = ((key, claimed_texts(text, claims, "extra")) for key, text in issuer.extra)
    extra = {key: values for key, values in named if values}
    found = User(_username(issuer, claims), _groups(issuer, claims), _uid(issuer, claims), extra)
    for text, message in issuer.user_rules:
        require_user(text, message, {**_NO_INFO, **user_info(found)})
    return authenticated(found.name, found.groups, found.uid, found.extra)


_NO_INFO: Mapping[str, Any] = {"username": "", "uid": "", "groups": [], "extra": {}}


def _username(issuer: JwtIssuer, claims: Mapping[str, Any]) -> str:
    if issuer.username_expression:
        name = claimed_text(issuer.username_expression, claims, "username")
        if not name:
            raise TokenError("oidc: the username is empty")
        return name
    name = _text(claims, issuer.username_claim)
    if issuer.username_claim == "email" and claims.get("email_verified", True) is not True:
        raise TokenError("oidc: email not verified")
    return f"{issuer.username_prefix}{name}"


def _groups(issuer: JwtIssuer, claims: Mapping[str, Any]) -> tuple[str, ...]:
    if issuer.groups_expression:
        return claimed_texts(issuer.groups_expression, claims, "group")
    if issuer.groups_claim not in claims:
        return ()
    named = _texts(claims[issuer.groups_claim])
    return tuple(f"{issuer.groups_prefix}{group}" for group in named)


def _uid(issuer: JwtIssuer, claims: Mapping[str, Any]) -> str:
    if issuer.uid_expression:
        return claimed_text(issuer.uid_expression, claims, "uid")
    return _text(claims, issuer.uid_claim) if issuer.uid_claim else ""


def _text(claims: Mapping[str, Any], claim: str) -> str:
    value = claims.get(claim)
    if not isinstance(value, str) or not value:
        raise TokenError(f"oidc: parse claim {claim}: not present, or no text")
    return value


def _texts(value: Any) -> Sequence[str]:
    """One text or a list of them; others are no groups and no audiences."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        if value is None:
            return ()
        raise TokenError("oidc: a claim is neither a text nor a list of texts")
    return value


def disallowed(issuers: Sequence[JwtIssuer], own: str) -> Iterator[str]:
    """Say which issuers would stand for this server's own tokens."""
    for issuer in issuers:
        if issuer.url == own:
            yield f"URL must not overlap with disallowed issuers: [{own}]"
