"""Validating admission policies: which writes they meet, with what, and what becomes of these."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.control_plane.apiserver.people import person
from tests.control_plane.apiserver.policy_stage import BINDINGS, POLICIES, Stage, rules
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi


@pytest.fixture
def stage(api: RawApi, namespace: str) -> Iterator[Stage]:
    made = Stage(api, namespace)
    yield made
    made.clear()


def test_a_denial_is_a_status_with_its_cause(stage: Stage) -> None:
    stage.policy("object.metadata.name != 'no'")
    stage.bind()

    refused = stage.configmap("no")

    message = stage.denial("no", "failed expression: object.metadata.name != 'no'")
    assert (refused.code, refused.reason, refused.message) == (422, "Invalid", message)
    assert refused.json["details"] == {
        "name": "no",
        "kind": "configmaps",
        "causes": [{"message": message.partition("is forbidden: ")[2]}],
    }
    assert stage.configmap("yes").code == 201


@pytest.mark.parametrize(
    ("reason", "code"), [("Forbidden", 403), ("Invalid", 422), ("RequestEntityTooLarge", 413)]
)
def test_the_reason_of_a_validation_is_the_answers(stage: Stage, reason: str, code: int) -> None:
    stage.policy({"expression": "false", "message": "no", "reason": reason})
    stage.bind()

    refused = stage.configmap("a")

    assert (refused.code, refused.reason) == (code, reason)


def test_warn_lets_the_write_pass_with_a_warning(stage: Stage) -> None:
    stage.policy({"expression": "false", "message": "look out"})
    stage.bind("Warn", "Audit")

    made = stage.configmap("a")

    assert made.code == 201
    assert made.headers["Warning"] == (
        f"299 - \"Validation failed for ValidatingAdmissionPolicy '{stage.name}' with binding "
        f"'{stage.name}': look out\""
    )


@pytest.mark.parametrize(
    ("validation", "said"),
    [
        ({"messageExpression": "'it is ' + object.data.a"}, "it is 5"),
        ({"messageExpression": "'it is ' + object.data.b", "message": "other"}, "other"),
        ({"messageExpression": "''", "message": "other"}, "other"),
        ({"messageExpression": "'a\\nb'"}, "failed expression: object.data.a == '1'"),
    ],
)
def test_a_message_is_computed_or_given_or_made(
    stage: Stage, validation: dict[str, str], said: str
) -> None:
    stage.policy({"expression": "object.data.a == '1'", **validation})
    stage.bind()

    assert stage.configmap("a", data={"a": "5"}).message == stage.denial("a", said)


def test_an_expression_that_fails_denies_or_not_as_the_failure_policy_says(stage: Stage) -> None:
    stage.policy("object.data.a == '1'")
    stage.bind()
    failed = "expression 'object.data.a == '1'' resulted in error: no such key: data"

    assert stage.configmap("a").message == stage.denial("a", failed)
    stage.api.patch(f"{POLICIES}/{stage.name}", {"spec": {"failurePolicy": "Ignore"}})
    assert stage.configmap("a").code == 201


def test_an_expression_that_costs_too_much_denies(stage: Stage) -> None:
    stage.policy("lists.range(1000000).all(x, x >= 0)")
    stage.bind()

    refused = stage.configmap("a")

    assert refused.code == 422
    assert refused.message.endswith("operation cancelled: actual cost limit exceeded")


def test_updates_and_deletions_see_the_old_object(stage: Stage) -> None:
    stage.policy(
        "request.operation != 'DELETE' || (object == null && oldObject.data.a == '2')",
        "request.operation != 'UPDATE' || object.data.a > oldObject.data.a",
        matchConstraints=rules("configmaps", operations=("UPDATE", "DELETE")),
    )
    stage.bind()
    path = f"/api/v1/namespaces/{stage.namespace}/configmaps/a"
    assert stage.configmap("a", data={"a": "1"}).code == 201

    assert stage.api.patch(path, {"data": {"a": "0"}}).code == 422
    assert stage.api.delete(path).code == 422
    assert stage.api.patch(path, {"data": {"a": "2"}}).code == 200
    assert stage.api.delete(path).code == 200


def test_match_conditions_choose(stage: Stage) -> None:
    stage.policy(
        "false",
        matchConditions=[
            {"name": "named", "expression": "object.metadata.name.startsWith('no')"},
            {"name": "not-me", "expression": "request.userInfo.username != 'system:none'"},
        ],
    )
    stage.bind()

    assert stage.configmap("no").code == 422
    assert stage.configmap("yes").code == 201


def test_rules_exclusions_and_selectors_choose(stage: Stage) -> None:
    excluded = {**rules("configmaps")["resourceRules"][0], "resourceNames": ["excluded"]}
    stage.policy(
        "false",
        matchConstraints={
            **rules("configmaps"),
            "excludeResourceRules": [excluded],
            "objectSelector": {"matchLabels": {"guarded": "yes"}},
        },
    )
    stage.bind()
    guarded = {"labels": {"guarded": "yes"}}

    assert stage.configmap("a", metadata=guarded).code == 422
    assert stage.configmap("b").code == 201
    assert stage.configmap("excluded", metadata=guarded).code == 201


def test_a_policy_without_a_binding_does_nothing(stage: Stage) -> None:
    stage.policy("false")

    assert stage.configmap("a").code == 201


def test_the_namespace_and_the_rights_of_who_asks_can_be_asked_for(stage: Stage) -> None:
    stage.policy(
        f"namespaceObject.metadata.name == '{stage.namespace}'",
        "authorizer.requestResource.check('create').allowed()",
        "authorizer.group('').resource('pods').namespace('x').check('get').allowed()",
        "!authorizer.serviceAccount('x', 'y').path('/secret').check('get').allowed()",
        "authorizer.path('/healthz').check('get').allowed()",
    )
    stage.bind()

    made = stage.configmap("a")

    assert made.code == 201, made.json


PARAMS = {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}


def test_params_come_by_name(stage: Stage) -> None:
    stage.configmap("limits", data={"longest": "3"})
    stage.policy("object.metadata.name.size() <= int(params.data.longest)", **PARAMS)
    stage.bind(paramRef={"name": "limits", "parameterNotFoundAction": "Deny"})

    assert stage.configmap("abc").code == 201
    assert stage.configmap("abcd").code == 422


def test_params_come_by_labels_each_for_itself(stage: Stage) -> None:
    for name, longest in (("one", "2"), ("two", "4")):
        stage.configmap(name, metadata={"labels": {"limits": "yes"}}, data={"longest": longest})
    stage.policy(
        {
            "expression": "object.metadata.name.size() <= int(params.data.longest)",
            "messageExpression": "'at most ' + params.data.longest",
        },
        **PARAMS,
    )
    selector = {"matchLabels": {"limits": "yes"}}
    stage.bind(paramRef={"selector": selector, "parameterNotFoundAction": "Deny"})

    assert stage.configmap("ab").code == 201
    assert stage.configmap("abc").message == stage.denial("abc", "at most 2")


def test_params_that_are_not_there_deny_or_let_pass(stage: Stage) -> None:
    stage.policy("false", **PARAMS)
    stage.bind(paramRef={"name": "none", "parameterNotFoundAction": "Allow"})
    assert stage.configmap("a").code == 201

    stage.bind(name=f"{stage.name}-b", paramRef={"name": "x", "parameterNotFoundAction": "Deny"})

    why = "no params found for policy binding with `Deny` parameterNotFoundAction"
    message = stage.denial("b", f"failed to configure binding: {why}", f"{stage.name}-b")
    assert stage.configmap("b").message == message


def test_a_kind_of_params_that_nobody_knows_denies(stage: Stage) -> None:
    stage.policy("false", paramKind={"apiVersion": "rules.io/v1", "kind": "Rule"})
    stage.bind(paramRef={"name": "x", "parameterNotFoundAction": "Deny"})

    assert "paramKind kind `rules.io/v1, Kind=Rule` not known" in stage.configmap("a").message


def test_a_policy_does_not_meet_policies(stage: Stage) -> None:
    configuring = rules("*", group="admissionregistration.k8s.io")["resourceRules"]
    seen = {"resourceRules": [*rules("configmaps")["resourceRules"], *configuring]}
    stage.policy("false", matchConstraints=seen)
    stage.bind()

    assert stage.configmap("a").code == 422
    labelled = {"metadata": {"labels": {"a": "b"}}}
    assert stage.api.patch(f"{BINDINGS}/{stage.name}", labelled).code == 200
    assert stage.api.delete(f"{POLICIES}/{stage.name}").code == 200
    assert stage.configmap("a").code == 201


@pytest.mark.parametrize(
    ("spec", "path", "what"),
    [
        (
            {"validations": [{"expression": "object.a +"}]},
            "spec.validations[0].expression",
            "compilation failed: ERROR: <input>:1:11: Syntax error: mismatched input '<EOF>'",
        ),
        (
            {"validations": [{"expression": "'a'"}]},
            "spec.validations[0].expression",
            "must evaluate to bool but got string",
        ),
        (
            {"validations": [{"expression": "params.a == 1"}]},
            "spec.validations[0].expression",
            "undeclared reference to 'params' (in container '')",
        ),
        (
            {"validations": [{"expression": "true", "messageExpression": "1"}]},
            "spec.validations[0].messageExpression",
            "must evaluate to string but got int",
        ),
        (
            {"variables": [{"name": "a", "expression": "variables.b"}]},
            "spec.variables[0].expression",
            "undefined field 'b'",
        ),
        (
            {"matchConditions": [{"name": "a", "expression": "1"}]},
            "spec.matchConditions[0].expression",
            "must evaluate to bool but got int",
        ),
        (
            {"auditAnnotations": [{"key": "a", "valueExpression": "1"}]},
            "spec.auditAnnotations[0].valueExpression",
            "must evaluate to one of [string null_type] but got int",
        ),
    ],
)
def test_expressions_that_do_not_compile_are_refused(
    api: RawApi, spec: dict[str, Any], path: str, what: str
) -> None:
    full = {"matchConstraints": rules("configmaps"), "validations": [{"expression": "true"}]}

    refused = api.post(POLICIES, {"metadata": {"name": "bad"}, "spec": {**full, **spec}})

    assert refused.code == 422
    assert [cause["field"] for cause in refused.json["details"]["causes"]] == [path]
    assert what in refused.message


def test_a_dry_run_is_judged_too(stage: Stage) -> None:
    stage.policy("!request.dryRun")
    stage.bind()
    path = f"/api/v1/namespaces/{stage.namespace}/configmaps"

    assert stage.api.post(f"{path}?dryRun=All", {"metadata": {"name": "a"}}).code == 422
    assert stage.api.post(path, {"metadata": {"name": "a"}}).code == 201


def test_another_user_is_seen_as_such(
    stage: Stage, server: ThreadedApiServer, tmp_path: Path
) -> None:
    stage.policy("request.userInfo.username == 'ann'")
    stage.bind()
    path = f"/api/v1/namespaces/{stage.namespace}/configmaps"

    assert stage.configmap("a").code == 422
    with person(server, tmp_path, "ann", ("system:masters",)) as other:
        made = other.post(path, {"metadata": {"name": "a"}})
    assert made.code == 201, made.json


def test_params_are_for_those_who_may_read_them(api: RawApi, server: ThreadedApiServer) -> None:
    role = {
        "metadata": {"name": "policy-writer"},
        "rules": [
            {"apiGroups": ["admissionregistration.k8s.io"], "resources": ["*"], "verbs": ["*"]}
        ],
    }
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    subject = {"kind": "User", "name": "writer", "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"kind": "ClusterRole", "name": "policy-writer", "apiGroup": subject["apiGroup"]}
    binding = {"metadata": role["metadata"], "subjects": [subject], "roleRef": reference}
    for plural, obj in (("clusterroles", role), ("clusterrolebindings", binding)):
        assert api.post(f"{rbac}/{plural}", obj).code in (201, 409)
    policy: dict[str, Any] = {
        "metadata": {"name": "writers"},
        "spec": {
            "matchConstraints": rules("configmaps"),
            "validations": [{"expression": "true"}],
            "paramKind": {"apiVersion": "v1", "kind": "Secret"},
        },
    }
    writer = {"Impersonate-User": "writer"}

    refused = api.request("POST", POLICIES, policy, writer)
    policy["spec"].pop("paramKind")
    made = api.request("POST", f"{POLICIES}?dryRun=All", policy, writer)

    assert refused.code == 422
    assert refused.message == (
        'ValidatingAdmissionPolicy.admissionregistration.k8s.io "writers" is invalid: '
        "spec.paramKind: Forbidden: user &{writer  [system:authenticated] map[]} must have "
        '"get" permission on all objects of the referenced paramKind (kind=Secret, apiVersion=v1)'
    )
    assert made.code == 201, made.json
    spec = {
        "policyName": "none",
        "paramRef": {"name": "x", "namespace": "y", "parameterNotFoundAction": "Deny"},
        "validationActions": ["Deny"],
    }
    refused = api.request("POST", BINDINGS, {"metadata": {"name": "writers"}, "spec": spec}, writer)
    assert refused.code == 422
    assert (
        "spec.paramRef: Forbidden: user &{writer  [system:authenticated] map[]}" in refused.message
    )
