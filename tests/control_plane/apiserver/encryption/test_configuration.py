"""EncryptionConfiguration files: what they mean, and what is said of those that mean nothing."""

import re
import weakref
from typing import Any

import pytest
import yaml

from control_plane.api.resources import CONFIGMAPS, DEPLOYMENTS, EVENTS, SECRETS, Resource
from control_plane.apiserver.encryption.configuration import ConfigurationError, rules_of
from control_plane.apiserver.encryption.encryption import Encryption

KEY = {"name": "key1", "secret": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
AESCBC = {"aescbc": {"keys": [KEY]}}
PLAIN: dict[str, Any] = {"identity": {}}


def configuration(*elements: tuple[list[str], list[Any]]) -> bytes:
    resources = [{"resources": names, "providers": providers} for names, providers in elements]
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": resources,
    }
    return yaml.safe_dump(document).encode()


@pytest.mark.parametrize(
    ("names", "resource", "is_sealed"),
    [
        (["secrets"], SECRETS, True),
        (["secrets"], CONFIGMAPS, False),
        (["*."], CONFIGMAPS, True),
        (["*."], DEPLOYMENTS, False),
        (["*.apps"], DEPLOYMENTS, True),
        (["deployments.apps"], DEPLOYMENTS, True),
        (["*.*"], DEPLOYMENTS, True),
        (["events"], EVENTS, True),
    ],
)
def test_names_of_resources(names: list[str], resource: Resource, is_sealed: bool) -> None:
    encryption = Encryption(rules_of(configuration((names, [AESCBC]))))
    sealed = encryption.sealing(resource).seal(b"{}", b"/registry/x")
    assert sealed.startswith(b"k8s:enc:") is is_sealed


def test_the_first_list_that_names_a_resource_wins() -> None:
    content = configuration((["secrets"], [PLAIN]), (["*.*"], [AESCBC]))
    encryption = Encryption(rules_of(content))
    assert encryption.sealing(SECRETS).seal(b"{}", b"/registry/x") == b"{}"
    assert encryption.sealing(CONFIGMAPS).seal(b"{}", b"/registry/x") != b"{}"


class Cache:
    """Somebody who is told of other keys."""

    def __init__(self) -> None:
        self.told = 0

    def changed(self) -> None:
        self.told += 1


def test_who_is_told_of_other_keys_is_not_kept_for_that() -> None:
    encryption = Encryption(rules_of(configuration((["secrets"], [AESCBC]))))
    sealing, cache, gone = encryption.sealing(SECRETS), Cache(), Cache()
    sealing.observe(cache.changed)
    sealing.observe(gone.changed)
    reference = weakref.ref(gone)
    del gone
    encryption.adopt(rules_of(configuration((["secrets"], [PLAIN]))))
    assert cache.told == 1
    assert reference() is None


@pytest.mark.parametrize(
    ("names", "providers", "text"),
    [
        ([], [PLAIN], "resources[0].resources: Required value: at least one"),
        (["secrets"], [], "resources[0].providers: Required value: at least one"),
        (["Secrets"], [PLAIN], "resource name should not contain capital letters"),
        (["*"], [PLAIN], "use '*.' to encrypt all the resources from core API group"),
        (["secrets.*"], [PLAIN], "encrypting the same resource across groups is not supported"),
        (["x.extensions"], [PLAIN], "'extensions' group has been removed"),
        (["events.events.k8s.io"], [PLAIN], "Use 'events' instead in the config file"),
        (["servicenodeportallocations"], [PLAIN], "do not have REST API/s cannot be encrypted"),
        (["secrets", "secrets"], [PLAIN], "the same resource cannot be specified multiple times"),
        (["secrets", "*."], [PLAIN], "using overlapping resources such as 'secrets' and '*.'"),
        (["pods", "*.*"], [PLAIN], "using overlapping resources"),
        (["secrets"], [{}], "provider does not contain any of the expected providers"),
        (["secrets"], [{**AESCBC, **PLAIN}], "more than one provider specified"),
        (["secrets"], [{"kms": {"name": "k"}}], 'providers[0].kms: Unsupported value: "kms"'),
        (["secrets"], [{"rot13": {}}], "resources[0].providers[0].rot13: Invalid value"),
        (["secrets"], [{"aescbc": {"keys": []}}], "aescbc.keys: Required value"),
        (
            ["secrets"],
            [{"secretbox": {"keys": [{"name": "k", "secret": "MDEyMzQ1Njc4OWFiY2RlZg=="}]}}],
            "secretbox.keys[0].secret: Invalid value: "
            '"REDACTED": secret is not of the expected length, got 16, expected one of [32]',
        ),
        (
            ["secrets"],
            [{"aesgcm": {"keys": [{"name": "", "secret": "hunter2"}]}}],
            "aesgcm.keys[0].name: Required value: name is a mandatory field for a key",
        ),
        (
            ["secrets"],
            [{"aesgcm": {"keys": [{"name": "k", "secret": "hunter2!"}]}}],
            "secrets must be base64 encoded",
        ),
    ],
)
def test_a_configuration_with_an_error_is_refused_by_name(
    names: list[str], providers: list[Any], text: str
) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(text)) as refusal:
        rules_of(configuration((names, providers)))
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"a: [", b"\xff", b"kind: Pod\napiVersion: v1\n"])
def test_what_is_no_configuration_is_refused(content: bytes) -> None:
    with pytest.raises(ConfigurationError):
        rules_of(content)
