"""The EncryptionConfiguration file: read, checked, and turned into chains of providers.

Pure but for `read_rules`, which reads the file. Errors name fields and never print a secret.
Source: apiserver.config.k8s.io/v1 of Kubernetes v1.35 and the texts of its validation.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from control_plane.api.field_error import FieldError, invalid, not_supported, required
from control_plane.apiserver.encryption.ciphers import ALGORITHMS
from control_plane.apiserver.encryption.resource_names import names_errors
from control_plane.apiserver.encryption.sealing import Chain, Identity, Keyed, Provider

API_VERSION, KIND = "apiserver.config.k8s.io/v1", "EncryptionConfiguration"
PROVIDERS = ("kms", "aesgcm", "aescbc", "secretbox", "identity")
NO_PROVIDER = (
    "provider does not contain any of the expected providers: "
    "KMS, AESGCM, AESCBC, Secretbox, Identity"
)
SEVERAL_PROVIDERS = (
    "more than one provider specified in a single element, should split into different list "
    "elements"
)
NO_KMS = "kms is not supported: give aescbc, aesgcm, secretbox or identity"
REDACTED = "REDACTED"


class ConfigurationError(ValueError):
    """The file is no EncryptionConfiguration that can be used; the text names the field."""


class Rule(NamedTuple):
    """Some resources by their names in the file, and what seals them."""

    names: tuple[str, ...]
    chain: Chain


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Read a file; raises ConfigurationError or OSError."""
    return rules_of(path.read_bytes())


def rules_of(content: bytes) -> tuple[Rule, ...]:
    """Return the rules of a configuration in YAML or JSON; raises ConfigurationError."""
    try:
        document = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"this is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"this is no {KIND} of {API_VERSION}")
    found = (document.get("apiVersion"), document.get("kind"))
    if found != (API_VERSION, KIND):
        raise ConfigurationError(
            f"this is a {found[1]!r} of {found[0]!r}: give a {KIND} of {API_VERSION}"
        )
    errors = list(_document_errors(document))
    if errors:
        raise ConfigurationError("; ".join(map(str, errors)))
    return tuple(_rule(element) for element in document["resources"])


def _rule(element: Mapping[str, Any]) -> Rule:
    providers = [_provider(*next(iter(one.items()))) for one in element["providers"]]
    return Rule(tuple(element["resources"]), Chain(providers))


def _provider(name: str, settings: Mapping[str, Any] | None) -> Provider:
    if name == "identity" or settings is None:
        return Identity()
    algorithm = ALGORITHMS[name]
    keys = [
        (key["name"], algorithm.cipher(base64.b64decode(key["secret"]))) for key in settings["keys"]
    ]
    return Keyed(name, keys, algorithm.no_key)


def _document_errors(document: Mapping[str, Any]) -> Iterator[FieldError]:
    yield from _unknown(document, ("apiVersion", "kind", "resources"), "")
    resources = document.get("resources")
    if not _is_list_of(resources, dict) or not resources:
        yield required("resources", "at least one resources is required")
        return
    for index, element in enumerate(resources):
        path = f"resources[{index}]"
        yield from _unknown(element, ("resources", "providers"), path)
        yield from _names(element.get("resources"), f"{path}.resources")
        providers = element.get("providers")
        if not _is_list_of(providers, dict) or not providers:
            where = f"{path}.providers"
            yield required(where, f"at least one {where} is required")
            continue
        for position, provider in enumerate(providers):
            yield from _provider_errors(provider, f"{path}.providers[{position}]")


def _names(names: Any, path: str) -> Iterator[FieldError]:
    if not _is_list_of(names, str) or not names:
        yield required(path, f"at least one {path} is required")
        return
    yield from names_errors(names, path)


def _provider_errors(provider: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    yield from _unknown(provider, PROVIDERS, path)
    named = [name for name in PROVIDERS if provider.get(name) is not None]
    if len(named) != 1:
        shown = dict.fromkeys(named, REDACTED)
        yield invalid(path, shown, SEVERAL_PROVIDERS if named else NO_PROVIDER)
        return
    name, settings = named[0], provider[named[0]]
    where = f"{path}.{name}"
    if name == "kms":
        yield not_supported(where, "kms", [each for each in PROVIDERS if each != "kms"])
    elif not isinstance(settings, dict):
        yield invalid(where, REDACTED, "give a mapping")
    elif name == "identity":
        yield from _unknown(settings, (), where)
    else:
        yield from _unknown(settings, ("keys",), where)
        yield from _keys_errors(settings.get("keys"), f"{where}.keys", ALGORITHMS[name].key_sizes)


def _keys_errors(keys: Any, path: str, sizes: Sequence[int]) -> Iterator[FieldError]:
    if not _is_list_of(keys, dict) or not keys:
        yield required(path, "at least one keys is required")
        return
    for index, key in enumerate(keys):
        where = f"{path}[{index}]"
        yield from _unknown(key, ("name", "secret"), where)
        name = key.get("name")
        if not isinstance(name, str) or not name:
            yield required(f"{where}.name", "name is a mandatory field for a key")
        elif ":" in name:
            yield invalid(f"{where}.name", name, "must not contain ':', which ends it in the store")
        yield from _secret_errors(key.get("secret"), f"{where}.secret", sizes)


def _secret_errors(secret: Any, path: str, sizes: Sequence[int]) -> Iterator[FieldError]:
    if not isinstance(secret, str) or not secret:
        yield required(path, "secret is a mandatory field for a key")
        return
    try:
        length = len(base64.b64decode(secret.encode(), validate=True))
    except (binascii.Error, UnicodeEncodeError):
        yield invalid(path, REDACTED, "secrets must be base64 encoded")
        return
    if length not in sizes:
        expected = f"[{' '.join(map(str, sizes))}]"
        detail = f"secret is not of the expected length, got {length}, expected one of {expected}"
        yield invalid(path, REDACTED, detail)


def _unknown(found: Mapping[str, Any], known: Sequence[str], path: str) -> Iterator[FieldError]:
    for name in found:
        if name not in known:
            yield invalid(f"{path}.{name}".lstrip("."), REDACTED, "unknown field")


def _is_list_of(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)
