"""--authentication-config: the AuthenticationConfiguration of apiserver.config.k8s.io/v1, read.

An egress selector is refused by name. Source of the texts: the validation of Kubernetes v1.35.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from control_plane.api.field_error import FieldError, invalid, required
from control_plane.apiserver.auth.claim_mappings import claim_errors, unknown
from control_plane.apiserver.auth.jwt_issuer import JwtIssuer
from control_plane.apiserver.config_error import ConfigError

FLAG = "--authentication-config"
VERSIONS = tuple(f"apiserver.config.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
MAX_ISSUERS = 64
_KNOWN: Mapping[str, frozenset[str]] = {
    "": frozenset({"apiVersion", "kind", "jwt", "anonymous"}),
    "jwt": frozenset(
        {"issuer", "claimValidationRules", "claimMappings", "userValidationRules"}
    ),
    "issuer": frozenset(
        {"url", "discoveryURL", "certificateAuthority", "audiences", "audienceMatchPolicy",
         "egressSelectorType"}
    ),
    "anonymous": frozenset({"enabled", "conditions"}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Whether requests without credentials are somebody; with `paths`, only of these paths."""

    enabled: bool = True
    paths: tuple[str, ...] = ()

    def includes(self, path: str) -> bool:
        """Whether a request for `path` may come from nobody in particular."""
        return self.enabled and (not self.paths or path in self.paths)


@dataclass(frozen=True, slots=True)
class AuthenticationFile:
    """What the file says; `anonymous` is None where it says nothing of that."""

    issuers: tuple[JwtIssuer, ...] = ()
    anonymous: Anonymous | None = None


def read_authentication(path: Path, own_issuer: str) -> AuthenticationFile:
    """Read the file; ConfigError names all that is wrong with it."""
    try:
        document = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{FLAG} {path}: {error.strerror}: give a file to read") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{FLAG} {path} is not YAML: {' '.join(str(error).split())}") from error
    try:
        return parsed(document, own_issuer)
    except ValueError as error:
        raise ConfigError(f"{FLAG} {path}: {error}") from error


def parsed(document: Any, own_issuer: str) -> AuthenticationFile:
    """What the document says; ValueError names all that is wrong with it. Pure."""
    if not isinstance(document, dict) or document.get("kind") != "AuthenticationConfiguration":
        raise ValueError("kind: give an AuthenticationConfiguration")
    if document.get("apiVersion") not in VERSIONS:
        raise ValueError(f"apiVersion: give {VERSIONS[0]}")
    try:
        errors = list(_errors(document, own_issuer))
        if errors:
            raise ValueError("; ".join(map(str, errors)))
        issuers = tuple(_issuer(one) for one in document.get("jwt") or ())
        return AuthenticationFile(issuers, _anonymous(document.get("anonymous")))
    except (AttributeError, TypeError) as error:
        raise ValueError("a list or a text stands where an object is expected") from error


def _errors(document: Mapping[str, Any], own_issuer: str) -> Iterator[FieldError]:
    yield from unknown(document, _KNOWN[""], "")
    entries = document.get("jwt") or []
    if len(entries) > MAX_ISSUERS:
        yield invalid("jwt", len(entries), f"must have at most {MAX_ISSUERS} items")
    for index, entry in enumerate(entries):
        yield from _errors_of_entry(entry, f"jwt[{index}]", own_issuer)
    urls = [(entry.get("issuer") or {}).get("url") for entry in entries]
    for index, url in enumerate(urls):
        if url in urls[:index]:
            yield invalid(f"jwt[{index}].issuer.url", url, "duplicate issuer")
    yield from _errors_of_anonymous(document.get("anonymous") or {})


def _errors_of_entry(entry: Mapping[str, Any], path: str, own: str) -> Iterator[FieldError]:
    yield from unknown(entry, _KNOWN["jwt"], path)
    yield from _errors_of_issuer(entry.get("issuer") or {}, f"{path}.issuer", own)
    yield from claim_errors(entry, path)


def _errors_of_issuer(issuer: Mapping[str, Any], path: str, own: str) -> Iterator[FieldError]:
    yield from unknown(issuer, _KNOWN["issuer"], path)
    url, discovery = issuer.get("url") or "", issuer.get("discoveryURL") or ""
    yield from url_errors(url, f"{path}.url", own)
    if discovery:
        if discovery == url:
            text = "discoveryURL must be different from URL"
            yield invalid(f"{path}.discoveryURL", discovery, text)
        yield from url_errors(discovery, f"{path}.discoveryURL", "")
    audiences = issuer.get("audiences") or ()
    if not audiences:
        yield required(f"{path}.audiences", "at least one jwt[*].issuer.audiences is required")
    policy = issuer.get("audienceMatchPolicy") or ""
    if len(audiences) > 1 and policy != "MatchAny":
        text = "audienceMatchPolicy must be MatchAny for multiple audiences"
        yield invalid(f"{path}.audienceMatchPolicy", policy, text)
    elif policy not in ("", "MatchAny"):
        yield invalid(f"{path}.audienceMatchPolicy", policy, "give MatchAny or nothing")
    if issuer.get("egressSelectorType"):
        selector = issuer["egressSelectorType"]
        yield invalid(f"{path}.egressSelectorType", selector, "egress selectors are not supported")


def url_errors(url: str, path: str, own_issuer: str) -> Iterator[FieldError]:
    """Say what is wrong with an issuer's URL."""
    if not url:
        yield required(path, "URL is required")
        return
    parts = urlsplit(url)
    if parts.scheme != "https":
        yield invalid(path, url, "URL scheme must be https")
    for found, what in (
        (parts.username or parts.password, "username or password"),
        (parts.query, "query"),
        (parts.fragment, "fragment"),
    ):
        if found:
            yield invalid(path, url, f"URL must not contain a {what}")
    if url == own_issuer:
        text = f"URL must not overlap with disallowed issuers: [{own_issuer}]"
        yield invalid(path, url, text)


def _errors_of_anonymous(anonymous: Mapping[str, Any]) -> Iterator[FieldError]:
    yield from unknown(anonymous, _KNOWN["anonymous"], "anonymous")
    conditions = anonymous.get("conditions") or ()
    if conditions and not anonymous.get("enabled"):
        text = "enabled should be set to true when conditions are defined"
        yield invalid("anonymous.conditions", list(conditions), text)


def _issuer(entry: Mapping[str, Any]) -> JwtIssuer:
    issuer, mappings = entry["issuer"], entry["claimMappings"]
    rules: Sequence[Mapping[str, Any]] = entry.get("claimValidationRules") or ()
    username, groups, uid = (mappings.get(one) or {} for one in ("username", "groups", "uid"))
    return JwtIssuer(
        url=issuer["url"],
        audiences=tuple(issuer["audiences"]),
        discovery_url=issuer.get("discoveryURL") or "",
        authority=issuer.get("certificateAuthority") or "",
        required=_pairs([rule for rule in rules if rule.get("claim")], "claim", "requiredValue"),
        username_claim=username.get("claim") or "",
        username_prefix=username.get("prefix") or "",
        groups_claim=groups.get("claim") or "",
        groups_prefix=groups.get("prefix") or "",
        uid_claim=uid.get("claim") or "",
        username_expression=username.get("expression") or "",
        groups_expression=groups.get("expression") or "",
        uid_expression=uid.get("expression") or "",
        extra=_pairs(mappings.get("extra") or (), "key", "valueExpression"),
        claim_rules=_rules(rules),
        user_rules=_rules(entry.get("userValidationRules") or ()),
    )


def _rules(rules: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    return _pairs([rule for rule in rules if rule.get("expression")], "expression", "message")


def _pairs(
    entries: Sequence[Mapping[str, Any]], name: str, other: str
) -> tuple[tuple[str, str], ...]:
    return tuple((entry[name], entry.get(other) or "") for entry in entries)


def _anonymous(anonymous: Mapping[str, Any] | None) -> Anonymous | None:
    if anonymous is None:
        return None
    conditions: Sequence[Mapping[str, Any]] = anonymous.get("conditions") or ()
    return Anonymous(bool(anonymous.get("enabled")), tuple(one["path"] for one in conditions))
