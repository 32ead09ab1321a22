"""Files of --authentication-config: what of them is refused, and by what words."""

from typing import Any

import pytest

from control_plane.apiserver.auth.authentication_file import Anonymous, parsed
from control_plane.apiserver.auth.jwt_issuer import user_of_claims
from control_plane.apiserver.auth.token_check import TokenError
from control_plane.apiserver.auth.user import User

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


def with_extra(*extra: Object) -> Object:
    made = document()
    made["jwt"][0]["claimMappings"]["extra"] = list(extra)
    return made


def with_rule(**rule: Any) -> Object:
    made = document()
    made["jwt"][0]["claimValidationRules"] = [rule]
    return made


def with_user_rule(expression: str) -> Object:
    made = document()
    made["jwt"][0]["userValidationRules"] = [{"expression": expression}]
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
        (with_mapping(expression="claims."), "compilation failed: ERROR: <input>"),
        (with_mapping(expression="user.name"), "undeclared reference to 'user'"),
        (with_mapping(expression="claims.sub", claim="sub"), "claim and expression can't both be"),
        (with_mapping(expression="claims.sub", prefix="x"), "when expression is set"),
        (
            with_mapping(expression="claims.email"),
            "claims.email_verified must be used in claimMappings.username.expression",
        ),
        (with_extra({"key": "a", "valueExpression": "1"}), "must be a domain-prefixed path"),
        (with_extra({"key": "A.b/c", "valueExpression": "1"}), "must be lowercase"),
        (with_extra({"key": "x.k8s.io/c", "valueExpression": "1"}), "are reserved for Kubernetes"),
        (with_extra({"key": "a.b/c"}), "jwt[0].claimMappings.extra[0].valueExpression: Required"),
        (with_extra(*[{"key": "a.b/c", "valueExpression": "1"}] * 2), "Duplicate value"),
        (with_rule(expression="claims.a"), "must evaluate to bool"),
        (with_rule(expression="true", requiredValue="x"), "when expression is set"),
        (with_rule(claim="a", message="x"), "may not be specified when claim is set"),
        (with_rule(), "jwt[0].claimValidationRules[0]: Required value: claim or expression is"),
        (with_user_rule("claims.a == 1"), "undeclared reference to 'claims'"),
        (with_user_rule("user.nam == ''"), "undefined field 'nam'"),
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


EXPRESSIONS: Object = {
    "issuer": {"url": "https://issuer", "audiences": ["a"]},
    "claimValidationRules": [
        {"expression": "claims.tenant in ['t1', 't2']", "message": "another tenant"},
        {"claim": "hd", "requiredValue": "example.com"},
    ],
    "claimMappings": {
        "username": {"expression": "'x:' + claims.email + (claims.email_verified ? '' : '?')"},
        "groups": {"expression": "claims.roles.split(',')"},
        "uid": {"expression": "claims.?sub.orValue('none')"},
        "extra": [
            {"key": "example.com/tenant", "valueExpression": "claims.tenant"},
            {"key": "example.com/none", "valueExpression": "''"},
        ],
    },
    "userValidationRules": [
        {"expression": "!user.username.startsWith('x:system:')", "message": "reserved"},
        {"expression": "user.groups.all(g, g != 'root') && size(user.extra) == 1"},
    ],
}
CLAIMS: Object = {
    "aud": "a", "tenant": "t1", "hd": "example.com", "email": "zoe@example.com",
    "email_verified": True, "roles": "a,,b",
}  # fmt: skip


def made_of(**claims: Any) -> User:
    (issuer,) = parsed({**document(), "jwt": [EXPRESSIONS]}, "https://own").issuers
    return user_of_claims(issuer, {**CLAIMS, **claims})


def test_expressions_make_a_user_of_claims() -> None:
    assert made_of() == User(
        "x:zoe@example.com",
        ("a", "b", "system:authenticated"),
        "none",
        {"example.com/tenant": ("t1",)},
    )
    assert made_of(sub="7").uid == "7"


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"tenant": "t3"}, "failed: another tenant"),
        ({"hd": "other"}, "required claim hd value does not match"),
        ({"email": 7}, "error evaluating username"),
        ({"roles": [1]}, "error evaluating group"),
        ({"sub": 7}, "uid claim expression must return a string"),
        ({"email": "system:admin"}, "validation expression '!user.username.startsWith"),
        ({"roles": "a,root"}, "error evaluating user info validation rule"),
    ],
)
def test_claims_that_rules_and_expressions_refuse(claims: Object, text: str) -> None:
    with pytest.raises(TokenError) as refusal:
        made_of(**claims)
    assert text in str(refusal.value)


def test_nobody_on_some_paths() -> None:
    anonymous = Anonymous(True, ("/livez", "/readyz"))
    assert anonymous.includes("/livez")
    assert not anonymous.includes("/livez/ping")
    assert not Anonymous(False).includes("/livez")
    assert Anonymous().includes("/anything")
