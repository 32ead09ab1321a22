"""Webhook configurations and admission policies: what is filled in, refused and shown."""

import copy
import datetime
from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.resources import (
    MUTATINGWEBHOOKCONFIGURATIONS,
    VALIDATINGADMISSIONPOLICIES,
    VALIDATINGADMISSIONPOLICYBINDINGS,
    VALIDATINGWEBHOOKCONFIGURATIONS,
    Resource,
)
from control_plane.api.tables import view_for
from control_plane.api.validation import validate_create, validate_update
from tests.control_plane.apiserver.minimal_objects import minimal_object

Object = dict[str, Any]
POLICY = VALIDATINGADMISSIONPOLICIES
BINDING = VALIDATINGADMISSIONPOLICYBINDINGS
HOOKS = VALIDATINGWEBHOOKCONFIGURATIONS


def made(resource: Resource) -> Object:
    obj = copy.deepcopy(minimal_object(resource, "a", ""))
    apply_defaults(resource, obj)
    return obj


def errors_of(resource: Resource, obj: Object) -> list[str]:
    return [str(error) for error in validate_create(resource, obj)]


def put(obj: Object, path: str, value: Any) -> None:
    """Set the field at a path such as "webhooks.0.name"; None removes it."""
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    owner: Any = obj
    for part in parents:
        owner = owner[part] if isinstance(part, int) else owner.setdefault(part, {})
    if value is None:
        del owner[last]
    else:
        owner[last] = value


def test_defaults_of_webhooks() -> None:
    service = {"service": {"name": "s", "namespace": "n"}}
    obj = minimal_object(MUTATINGWEBHOOKCONFIGURATIONS, "a", "")
    obj["webhooks"] = [{**obj["webhooks"][0], "clientConfig": copy.deepcopy(service)}]
    apply_defaults(MUTATINGWEBHOOKCONFIGURATIONS, obj)
    (hook,) = obj["webhooks"]
    assert hook["clientConfig"]["service"]["port"] == 443
    assert (hook["failurePolicy"], hook["matchPolicy"]) == ("Fail", "Equivalent")
    assert (hook["timeoutSeconds"], hook["reinvocationPolicy"]) == (10, "Never")
    assert hook["namespaceSelector"] == hook["objectSelector"] == {}
    assert hook["rules"][0]["scope"] == "*"
    assert "reinvocationPolicy" not in made(HOOKS)["webhooks"][0]


def test_defaults_of_policies() -> None:
    policy = made(POLICY)
    assert policy["spec"]["failurePolicy"] == "Fail"
    constraints = policy["spec"]["matchConstraints"]
    assert constraints["matchPolicy"] == "Equivalent"
    assert constraints["resourceRules"][0]["scope"] == "*"


@pytest.mark.parametrize(
    "resource", [HOOKS, MUTATINGWEBHOOKCONFIGURATIONS, POLICY, BINDING], ids=lambda r: r.plural
)
def test_the_smallest_object_is_valid(resource: Resource) -> None:
    assert errors_of(resource, made(resource)) == []


FORM = "; desired format: https://host[/path]"
HOOK = "webhooks[0]"


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("name", "a.b", 'name: Invalid value: "a.b": should be a domain with at least three '
         "segments separated by dots"),
        ("sideEffects", None, "sideEffects: Required value: must specify one of None, "
         "NoneOnDryRun"),
        ("sideEffects", "Some", 'sideEffects: Unsupported value: "Some": supported values: "None", '
         '"NoneOnDryRun"'),
        ("timeoutSeconds", 31, "timeoutSeconds: Invalid value: 31: the timeout value must be "
         "between 1 and 30 seconds"),
        ("admissionReviewVersions", [], "admissionReviewVersions: Required value: must specify one "
         "of v1, v1beta1"),
        ("admissionReviewVersions", ["v2"], 'admissionReviewVersions: Invalid value: ["v2"]: must '
         "include at least one of v1, v1beta1"),
        ("clientConfig", {}, "clientConfig: Required value: exactly one of url or service is "
         "required"),
        ("clientConfig.url", "http://a", 'clientConfig.url: Invalid value: "http": \'https\' is '
         f"the only allowed URL scheme{FORM}"),
        ("clientConfig.url", "https:///x", 'clientConfig.url: Invalid value: "": host must be '
         f"specified{FORM}"),
        ("clientConfig.url", "https://u@a/?q=1#f", None),
        ("clientConfig.url", "https://a:b/", "clientConfig.url: Required value: url must be a "
         f'valid URL: parse "https://a:b/": invalid port ":b" after host{FORM}'),
        ("rules.0.operations", ["*", "CREATE"], 'rules[0].operations: Invalid value: '
         '["*","CREATE"]: if \'*\' is present, must not specify other operations'),
        ("rules.0.resources", ["pods/*", "pods/status"], 'rules[0].resources[1]: Invalid value: '
         '"pods/status": if \'pods/*\' is present, must not specify pods/status'),
        ("rules.0.resources", ["*", "pods"], 'rules[0].resources: Invalid value: ["*","pods"]: if '
         "'*' is present, must not specify other resources without subresources"),
        ("rules.0.scope", "All", 'rules[0].scope: Unsupported value: "All": supported values: "*", '
         '"Cluster", "Namespaced"'),
        ("matchConditions", [{"name": "n", "expression": " "}],
         "matchConditions[0].expression: Required value"),
    ],
)  # fmt: skip
def test_webhooks_that_make_no_sense(path: str, value: Any, error: str | None) -> None:
    obj = made(HOOKS)
    put(obj, f"webhooks.0.{path}", value)
    found = errors_of(HOOKS, obj)
    if error is None:
        assert [text.rpartition(": ")[2] for text in found] == [
            "user information is not permitted in the URL",
            "fragments are not permitted in the URL",
            "query parameters are not permitted in the URL",
        ]
    else:
        assert found == [f"{HOOK}.{error}"]


def test_names_of_webhooks_are_unique() -> None:
    obj = made(HOOKS)
    obj["webhooks"] *= 2
    assert errors_of(HOOKS, obj) == ['webhooks[1].name: Duplicate value: "w.a.example"']


def test_what_was_stored_may_stay() -> None:
    old = made(HOOKS)
    old["metadata"]["resourceVersion"] = "1"
    old["webhooks"] = [{**old["webhooks"][0], "sideEffects": "Some"}] * 2
    assert validate_update(HOOKS, old, old) == []


@pytest.mark.parametrize(
    ("path", "value", "errors"),
    [
        ("matchConstraints", None, ["spec.matchConstraints: Required value"]),
        ("matchConstraints.resourceRules", [], [
            "spec.matchConstraints.resourceRules: Required value"]),
        ("validations", [], [
            f"spec.{field}: Required value: validations or auditAnnotations must contain at least "
            "one item" for field in ("validations", "auditAnnotations")]),
        ("validations", [{"expression": "true\n&& true"}], [
            "spec.validations[0].message: Required value: message must be specified if expression "
            "contains line breaks"]),
        ("validations", [{"expression": "int('x') == 1"}], [
            "spec.validations[0].expression: Internal error: program instantiation failed: type "
            "conversion error from 'string' to 'int'"]),
        ("validations", [{"expression": "true", "reason": "Unauthorized"}], [
            'spec.validations[0].reason: Unsupported value: "Unauthorized": supported values: '
            '"Forbidden", "Invalid", "RequestEntityTooLarge"']),
        ("auditAnnotations", [{"key": "k"}], [
            "spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not "
            "specified"]),
        ("variables", [{"name": "in", "expression": "1"}], [
            'spec.variables[0].name: Invalid value: "in": name is not a valid CEL identifier']),
        ("paramKind", {"apiVersion": "a/b/c", "kind": "K"}, [
            'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: '
            "a/b/c"]),
    ],
)  # fmt: skip
def test_policies_that_make_no_sense(path: str, value: Any, errors: list[str]) -> None:
    obj = made(POLICY)
    put(obj, f"spec.{path}", value)
    assert errors_of(POLICY, obj) == errors


EXCLUSIVE = "Forbidden: name and selector are mutually exclusive"


@pytest.mark.parametrize(
    ("path", "value", "errors"),
    [
        ("policyName", "", ["spec.policyName: Required value"]),
        ("validationActions", [], [
            "spec.validationActions: Required value: at least one validation action is required"]),
        ("validationActions", ["Deny", "Warn"], [
            'spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny '
            "and Warn (repeating the same validation failure information in the API response and "
            "headers serves no purpose)"]),
        ("paramRef", {"parameterNotFoundAction": "Allow"}, [
            "spec.paramRef: Required value: one of name or selector must be specified"]),
        ("paramRef", {"name": "n", "selector": {}}, [
            f"spec.paramRef.name: {EXCLUSIVE}", f"spec.paramRef.selector: {EXCLUSIVE}",
            "spec.paramRef.parameterNotFoundAction: Required value"]),
    ],
)  # fmt: skip
def test_bindings_that_make_no_sense(path: str, value: Any, errors: list[str]) -> None:
    obj = made(BINDING)
    put(obj, f"spec.{path}", value)
    assert errors_of(BINDING, obj) == errors


def test_tables() -> None:
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    policy = made(POLICY)
    policy["spec"]["paramKind"] = {"apiVersion": "v1", "kind": "ConfigMap"}
    assert view_for(POLICY).cells(policy, now)[:3] == ["a", 1, "v1/ConfigMap"]
    assert view_for(HOOKS).cells(made(HOOKS), now)[:2] == ["a", 1]
    binding = made(BINDING)
    assert view_for(BINDING).cells(binding, now)[:3] == ["a", "p", "<unset>"]
    binding["spec"]["paramRef"] = {"name": "n"}
    assert view_for(BINDING).cells(binding, now)[2] == "*/n"
