"""Files of --authentication-config: what of them is refused, and by what words."""

from typing import Any

import pytest

from control_plane.apiserver.auth.authentication_file import Anonymous, parsed

Object = dict[str, Any]


def document(**issuer: Any) -> Object:
    entry = {
        "issuer": {"url": "https://issuer", "audiences": ["a"], **issuer},
        "claimMappings": {"username": {"claim": "sub", "prefix": ""}},
    }
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": [entry],
    }


def with_mapping(**mapping: Any) -> Object:
    made = document()
    made["jwt"][0]["claimMappings"]["username"] = mapping
    return made


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (document(url="http://x"), "URL scheme must be https"),
        (document(url="https://u:p@x"), "URL must not contain a username or password"),
        (document(url="https://x?q=1"), "URL must not contain a query"),
        (document(url="https://x#f"), "URL must not contain a fragment"),
        (
            document(url="https://own"),
            "URL must not overlap with disallowed issuers: [https://own]",
        ),
        (document(discoveryURL="https://issuer"), "discoveryURL must be different from URL"),
        (
            document(audiences=["a", "b"]),
            "audienceMatchPolicy must be MatchAny for multiple audiences",
        ),
        (document(mystery=1), "jwt[0].issuer.mystery"),
        (document(egressSelectorType="cluster"), "egress selectors are not supported"),
        (with_mapping(expression="claims.sub"), "CEL expressions are not supported here"),
        (with_mapping(claim="sub"), "prefix is required when claim is set"),
        (with_mapping(), "claim or expression is required"),
        ({**document(), "jwt": [{}]}, "URL is required"),
        ({**document(), "jwt": "x"}, "a list or a text stands where an object is expected"),
        ({**document(), "kind": "Pod"}, "give an AuthenticationConfiguration"),
        (
            {**document(), "anonymous": {"enabled": False, "conditions": [{"path": "/x"}]}},
            "enabled should be set to true when conditions are defined",
        ),
        ({**document(), "jwt": document()["jwt"] * 2}, "duplicate issuer"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_said(given: Object, text: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  the text is looked at below
        parsed(given, "https://own")
    assert text in str(refusal.value)


def test_nobody_on_some_paths() -> None:
    anonymous = Anonymous(True, ("/livez", "/readyz"))
    assert anonymous.includes("/livez")
    assert not anonymous.includes("/livez/ping")
    assert not Anonymous(False).includes("/livez")
    assert Anonymous().includes("/anything")
