"""What an AuthenticationConfiguration says of claims: its rules and mappings, checked. Pure.

Source of the texts: the validation of Kubernetes v1.35.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from control_plane.api.cel import CompileError
from control_plane.api.cel.environment import Program
from control_plane.api.field_error import FieldError, duplicate, invalid, required
from control_plane.api.names import dns1123_subdomain_errors
from control_plane.apiserver.auth.claim_expressions import of_claims, of_user, uses_claim

Entry = Mapping[str, Any]

_RULE: Final = frozenset({"claim", "requiredValue", "expression", "message"})
_USER_RULE: Final = frozenset({"expression", "message"})
_MAPPINGS: Final = frozenset({"username", "groups", "uid", "extra"})
_MAPPING: Final = frozenset({"claim", "prefix", "expression"})
_EXTRA: Final = frozenset({"key", "valueExpression"})
_BOTH: Final = "claim and expression can't both be set"
_NEITHER: Final = "claim or expression is required"
_NO_PREFIX: Final = (
    "prefix is required when claim is set. It can be set to an empty string to disable prefixing"
)
_RESERVED: Final = "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use"
_NOT_VERIFIED: Final = (
    "claims.email_verified must be used in claimMappings.username.expression or "
    "claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when "
    "claims.email is used in claimMappings.username.expression"
)


def unknown(found: Entry, known: Collection[str], path: str) -> Iterator[FieldError]:
    """Say which fields nobody knows."""
    for name in sorted(set(found) - set(known)):
        yield invalid(f"{path}.{name}".lstrip("."), found[name], "unknown field")


def claim_errors(entry: Entry, path: str) -> Iterator[FieldError]:
    """Say what is wrong with the rules and mappings of one issuer's entry."""
    mappings = entry.get("claimMappings") or {}
    yield from _errors_of_rules(entry, path)
    where = f"{path}.claimMappings"
    yield from unknown(mappings, _MAPPINGS, where)
    for name in ("username", "groups", "uid"):
        yield from _errors_of_mapping(name, mappings.get(name) or {}, f"{where}.{name}")
    yield from _errors_of_extra(mappings.get("extra") or (), f"{where}.extra")
    if not _has_verified_email(entry, mappings):
        text = mappings["username"]["expression"]
        yield invalid(f"{where}.username.expression", text, _NOT_VERIFIED)


def _errors_of_rules(entry: Entry, path: str) -> Iterator[FieldError]:
    seen: set[tuple[str, str]] = set()
    for index, rule in enumerate(entry.get("claimValidationRules") or ()):
        where = f"{path}.claimValidationRules[{index}]"
        yield from unknown(rule, _RULE, where)
        yield from _errors_of_claim_rule(rule, where)
        yield from _repeated(rule, where, seen)
    seen = set()
    for index, rule in enumerate(entry.get("userValidationRules") or ()):
        where = f"{path}.userValidationRules[{index}]"
        yield from unknown(rule, _USER_RULE, where)
        yield from _uncompilable(rule.get("expression") or "", f"{where}.expression", of_user)
        yield from _repeated(rule, where, seen)


def _errors_of_claim_rule(rule: Entry, where: str) -> Iterator[FieldError]:
    claim, expression = rule.get("claim"), rule.get("expression")
    if claim and expression:
        yield invalid(where, claim, _BOTH)
    elif claim:
        if rule.get("message"):
            text = "may not be specified when claim is set"
            yield invalid(f"{where}.message", rule["message"], text)
    elif expression:
        if rule.get("requiredValue"):
            text = "may not be specified when expression is set"
            yield invalid(f"{where}.requiredValue", rule["requiredValue"], text)
        yield from _uncompilable(
            expression, f"{where}.expression", lambda text: of_claims(text, is_rule=True)
        )
    else:
        yield required(where, _NEITHER)


def _repeated(rule: Entry, where: str, seen: set[tuple[str, str]]) -> Iterator[FieldError]:
    for name in ("claim", "expression"):
        value = rule.get(name)
        if value and (name, value) in seen:
            yield duplicate(f"{where}.{name}", value)
        seen.add((name, value or ""))


def _errors_of_mapping(name: str, mapping: Entry, where: str) -> Iterator[FieldError]:
    yield from unknown(mapping, _MAPPING, where)
    claim, expression, prefix = (mapping.get(one) for one in ("claim", "expression", "prefix"))
    if claim and expression:
        yield invalid(where, "", _BOTH)
    elif expression:
        if prefix is not None:
            text = "may not be specified when expression is set"
            yield invalid(f"{where}.prefix", prefix, text)
        yield from _uncompilable(expression, f"{where}.expression", of_claims)
    elif name == "username" and not claim:
        yield required(where, _NEITHER)
    elif claim and prefix is None and name != "uid":
        yield required(f"{where}.prefix", _NO_PREFIX)


def _errors_of_extra(extra: Collection[Entry], path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, mapping in enumerate(extra):
        where, key = f"{path}[{index}]", mapping.get("key") or ""
        yield from unknown(mapping, _EXTRA, where)
        yield from _errors_of_key(key, f"{where}.key")
        if key in seen:
            yield duplicate(f"{where}.key", key)
        seen.add(key)
        expression = mapping.get("valueExpression") or ""
        yield from _uncompilable(expression, f"{where}.valueExpression", of_claims)


def _errors_of_key(key: str, path: str) -> Iterator[FieldError]:
    domain, _, rest = key.partition("/")
    if not key:
        yield required(path)
    elif not domain or not rest:
        yield invalid(path, key, 'must be a domain-prefixed path (such as "acme.io/foo")')
    for text in dns1123_subdomain_errors(domain) if domain and rest else ():
        yield invalid(path, domain, text)
    if key != key.lower():
        yield invalid(path, key, "must be lowercase")
    if f".{domain}".endswith((".kubernetes.io", ".k8s.io")):
        yield invalid(path, key, _RESERVED)


def _uncompilable(text: str, path: str, made: Callable[[str], Program]) -> Iterator[FieldError]:
    if not text:
        yield required(path)
        return
    try:
        made(text)
    except CompileError as error:
        yield invalid(path, text, str(error))


def _has_verified_email(entry: Entry, mappings: Entry) -> bool:
    """Whether a username out of `claims.email` is one that somebody has verified."""
    name = (mappings.get("username") or {}).get("expression") or ""
    if not name or not _uses(name, "email"):
        return True
    rules = entry.get("claimValidationRules") or ()
    texts = [name, *(rule.get("expression") or "" for rule in rules)]
    texts += [one.get("valueExpression") or "" for one in mappings.get("extra") or ()]
    return any(_uses(text, "email_verified") for text in texts if text)


def _uses(text: str, claim: str) -> bool:
    try:
        return uses_claim(of_claims(text), claim)
    except CompileError:
        return False
