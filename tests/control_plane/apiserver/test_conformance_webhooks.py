"""Conformance tests of admission webhooks, each named after upstream's: the webhook is a server of
the test in place of a pod.
"""

import time
from contextlib import ExitStack
from typing import Any

import pytest

from tests.control_plane.apiserver.objects import pod
from tests.control_plane.apiserver.webhook_peer import allowed, denied, patching
from tests.control_plane.apiserver.webhook_stage import (
    MUTATING,
    ROOT,
    VALIDATING,
    WebhookStage,
    adds_data,
    configuration,
)
from tests.support.raw_api import RawApi

DISALLOWED = "the configmap contains unwanted key and value"
KINDS = [VALIDATING, MUTATING]


def refuses_disallow(review: Any) -> Any:
    data = (review["request"]["object"] or {}).get("data") or {}
    if data.get("webhook-e2e-test") != "webhook-disallow":
        return {"allowed": True}
    return {"allowed": False, "status": {"message": DISALLOWED}}


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should include webhook "
    "resources in discovery documents [Conformance]",
)
def test_should_include_webhook_resources_in_discovery_documents(api: RawApi) -> None:
    group = "admissionregistration.k8s.io"
    groups = {one["name"]: one for one in api.get("/apis").json["groups"]}
    assert f"{group}/v1" in [one["groupVersion"] for one in groups[group]["versions"]]
    versions = api.get(f"/apis/{group}").json["versions"]
    assert {"groupVersion": f"{group}/v1", "version": "v1"} in versions
    names = {one["name"] for one in api.get(ROOT).json["resources"]}
    assert names >= {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"}


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to deny "
    "pod and configmap creation [Conformance]",
)
def test_should_be_able_to_deny_pod_and_configmap_creation(stage: WebhookStage) -> None:
    def by_name(review: Any) -> Any:
        name = review["request"]["object"]["metadata"]["name"]
        message = "the pod contains unwanted label"
        return {"allowed": name != "disallowed-pod", "status": {"message": message}}

    stage.peer.answers |= {"/pods": by_name, "/configmaps": refuses_disallow}
    hooks = [stage.webhook("/pods", ("", "pods")), stage.webhook("/configmaps")]
    with stage.configured(VALIDATING, *hooks):
        refused = stage.api.post(f"{stage.path}/pods", pod("disallowed-pod"))
        assert (refused.code, refused.json["status"]) == (400, "Failure")
        assert refused.message == (
            'admission webhook "pods.example.com" denied the request: '
            "the pod contains unwanted label"
        )
        unwanted = {"webhook-e2e-test": "webhook-disallow"}
        assert DISALLOWED in stage.create("disallowed", data=unwanted).message
        assert stage.create("allowed", data={"mutation-start": "yes"}).code == 201
        place = f"{stage.path}/configmaps/allowed"
        assert DISALLOWED in stage.api.patch(place, {"data": unwanted}).message
        assert stage.api.get(place).json["data"] == {"mutation-start": "yes"}


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to deny "
    "attaching pod [Conformance]",
)
def test_should_be_able_to_deny_attaching_pod(stage: WebhookStage) -> None:
    text = "attaching to pod 'to-be-attached-pod' is not allowed"
    stage.peer.answers["/attach"] = denied(message=text)
    hook = stage.webhook("/attach")
    hook["rules"] = [
        {
            "operations": ["CONNECT"],
            "apiGroups": [""],
            "apiVersions": ["v1"],
            "resources": ["pods/attach"],
        }
    ]
    assert stage.api.post(f"{stage.path}/pods", pod("to-be-attached-pod")).code == 201
    path = f"{stage.path}/pods/to-be-attached-pod/attach?container=c&stdin=true&stdout=true"
    with stage.configured(VALIDATING, hook):
        upgrade = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}
        refused = stage.api.request("POST", path, headers=upgrade)
        assert refused.code == 400
        assert refused.message.endswith(f'"attach.example.com" denied the request: {text}')
    (asked,) = stage.peer.requests_at("/attach")
    assert (asked["operation"], asked["subResource"]) == ("CONNECT", "attach")
    assert asked["name"] == "to-be-attached-pod"
    assert asked["kind"] == {"group": "", "version": "v1", "kind": "PodAttachOptions"}
    assert asked["object"] == {
        "kind": "PodAttachOptions",
        "apiVersion": "v1",
        "stdin": True,
        "stdout": True,
        "container": "c",
    }
    assert (asked["oldObject"], asked["options"]) == (None, None)


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should unconditionally "
    "reject operations on fail closed webhook [Conformance]",
)
def test_should_unconditionally_reject_operations_on_fail_closed_webhook(
    stage: WebhookStage,
) -> None:
    client = {"service": {"namespace": stage.namespace, "name": "no-such", "path": "/x"}}
    hook = stage.webhook("/x", clientConfig=client, failurePolicy="Fail")
    with stage.configured(VALIDATING, hook):
        refused = stage.create("foo")
    assert (refused.code, refused.reason) == (500, "InternalError")
    assert refused.message == (
        'Internal error occurred: failed calling webhook "x.example.com": failed to call webhook: '
        f'Post "https://no-such.{stage.namespace}.svc:443/x?timeout=10s": '
        'service "no-such" not found'
    )


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate configmap "
    "[Conformance]",
)
def test_should_mutate_configmap(stage: WebhookStage) -> None:
    answers = {
        "/stage-1": adds_data("mutation-stage-1", "mutation-start"),
        "/stage-2": adds_data("mutation-stage-2", "mutation-stage-1"),
    }
    with stage.answering(MUTATING, answers):
        made = stage.create("to-be-mutated", data={"mutation-start": "yes"})
    expected = {"mutation-start": "yes", "mutation-stage-1": "yes", "mutation-stage-2": "yes"}
    assert made.json["data"] == expected
    stored = stage.api.get(f"{stage.path}/configmaps/to-be-mutated").json
    assert stored["data"] == expected


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate pod and "
    "apply defaults after mutation [Conformance]",
)
def test_should_mutate_pod_and_apply_defaults_after_mutation(stage: WebhookStage) -> None:
    container = {"name": "webhook-added-init-container", "image": "webhook-added-image"}
    stage.peer.answers["/pods"] = patching(
        {"op": "add", "path": "/spec/initContainers", "value": [container]}
    )
    with stage.configured(MUTATING, stage.webhook("/pods", ("", "pods"))):
        made = stage.api.post(f"{stage.path}/pods", pod("webhook-to-be-mutated"))
    (added,) = made.json["spec"]["initContainers"]
    assert added["name"] == "webhook-added-init-container"
    assert added["terminationMessagePolicy"] == "File"
    assert added["imagePullPolicy"] == "Always"


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should not be able to "
    "mutate or prevent deletion of webhook configuration objects [Conformance]",
)
def test_should_not_be_able_to_mutate_or_prevent_deletion_of_webhook_configuration_objects(
    stage: WebhookStage,
) -> None:
    rule = {
        "operations": ["CREATE", "UPDATE", "DELETE"],
        "apiGroups": ["admissionregistration.k8s.io"],
        "apiVersions": ["*"],
        "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
    }
    stage.peer.answers["/denies"] = denied(message="no")
    label = {"op": "add", "path": "/metadata/labels/webhook", "value": "added"}
    stage.peer.answers["/labels"] = patching(label)
    about_all: dict[str, Any] = {"rules": [rule], "namespaceSelector": {}}
    with ExitStack() as stack:
        denies = stage.webhook("/denies", **about_all)
        stack.enter_context(stage.configured(VALIDATING, denies))
        stack.enter_context(stage.configured(MUTATING, stage.webhook("/labels", **about_all)))
        for kind in KINDS:
            with stage.configured(kind, stage.webhook("/x")) as path:
                assert "webhook" not in stage.api.get(path).json["metadata"]["labels"]
                assert stage.api.delete(path).code == 200
    assert not stage.peer.requests_at("/denies")
    assert not stage.peer.requests_at("/labels")


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate everything "
    "except 'skip-me' configmaps [Conformance]",
)
def test_should_mutate_everything_except_skip_me_configmaps(stage: WebhookStage) -> None:
    condition = {"name": "skip-me", "expression": "object.metadata.name != 'skip-me'"}
    answers = {"/stage-1": adds_data("mutation-stage-1", "mutation-start")}
    with stage.answering(MUTATING, answers, matchConditions=[condition]):
        skipped = stage.create("skip-me", data={"mutation-start": "yes"})
        other = stage.create("other", data={"mutation-start": "yes"})
    assert skipped.json["data"] == {"mutation-start": "yes"}
    assert other.json["data"] == {"mutation-start": "yes", "mutation-stage-1": "yes"}


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should honor timeout "
    "[Conformance]",
)
def test_should_honor_timeout(stage: WebhookStage) -> None:
    def slow(_review: Any) -> Any:
        time.sleep(3)
        return {"allowed": True}

    with stage.answering(VALIDATING, {"/slow": slow}, timeoutSeconds=1, failurePolicy="Fail"):
        late = stage.create("late")
        url = f"https://127.0.0.1:{stage.peer.port}/slow?timeout=1s"
        assert late.message == (
            'Internal error occurred: failed calling webhook "slow.example.com": '
            f'failed to call webhook: Post "{url}": context deadline exceeded'
        )
    with stage.answering(VALIDATING, {"/slow": slow}, timeoutSeconds=1, failurePolicy="Ignore"):
        assert stage.create("ignored").code == 201
    with stage.answering(VALIDATING, {"/slow": slow}, timeoutSeconds=30):
        assert stage.create("in-time").code == 201


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] patching/updating a "
    "mutating webhook should work [Conformance]",
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] patching/updating a "
    "validating webhook should work [Conformance]",
)
@pytest.mark.parametrize("kind", KINDS)
def test_patching_and_updating_a_webhook_should_work(stage: WebhookStage, kind: str) -> None:
    stage.peer.answers["/first"] = denied(message="no")
    if kind == MUTATING:
        stage.peer.answers["/first"] = denied(message="no")
    with stage.configured(kind, stage.webhook("/first")) as path:
        assert stage.create("a").code == 400
        found = stage.api.get(path).json
        found["webhooks"][0]["rules"][0]["operations"] = ["UPDATE"]
        assert stage.api.put(path, found).code == 200
        assert stage.create("b").code == 201
        operations = [
            {"op": "replace", "path": "/webhooks/0/rules/0/operations", "value": ["CREATE"]}
        ]
        assert stage.api.patch(path, operations, "json").code == 200
        assert stage.create("c").code == 400


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] listing mutating "
    "webhooks should work [Conformance]",
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] listing validating "
    "webhooks should work [Conformance]",
)
@pytest.mark.parametrize("kind", KINDS)
def test_listing_webhooks_should_work(stage: WebhookStage, kind: str) -> None:
    label = f"list-{stage.namespace}"
    stage.peer.answers |= {"/one": denied(message="no"), "/two": denied(message="no")}
    for path in ("/one", "/two"):
        body = configuration(kind, f"{stage.namespace}{path[1:]}", stage.webhook(path))
        body["metadata"]["labels"] = {"list": label}
        assert stage.api.post(kind, body).code == 201
    selected = f"{kind}?labelSelector=list%3D{label}"
    assert len(stage.api.get(selected).json["items"]) == 2
    assert stage.create("a").code == 400
    assert stage.api.delete(selected).code == 200
    assert stage.create("b").code == 201


@pytest.mark.parametrize("kind", KINDS)
def test_should_be_able_to_create_and_update_configurations_with_match_conditions(
    stage: WebhookStage, kind: str
) -> None:
    condition = {"name": "expression-1", "expression": "object.metadata.namespace == 'production'"}
    with stage.configured(kind, stage.webhook("/x", matchConditions=[condition])) as path:
        found = stage.api.get(path).json
        assert found["webhooks"][0]["matchConditions"] == [condition]
        other = {"name": "expression-2", "expression": "object.metadata.namespace == 'staging'"}
        found["webhooks"][0]["matchConditions"] = [other]
        assert stage.api.put(path, found).json["webhooks"][0]["matchConditions"] == [other]


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should reject mutating "
    "webhook configurations with invalid match conditions [Conformance]",
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should reject validating "
    "webhook configurations with invalid match conditions [Conformance]",
)
@pytest.mark.parametrize("kind", KINDS)
def test_should_reject_configurations_with_invalid_match_conditions(
    stage: WebhookStage, kind: str
) -> None:
    condition = {"name": "bad", "expression": "... [] bad expression"}
    hook = stage.webhook("/x", matchConditions=[condition])
    refused = stage.api.post(kind, configuration(kind, "bad", hook))
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert "compilation failed" in refused.message


def test_a_webhook_that_allows_is_asked_in_full(stage: WebhookStage) -> None:
    with stage.answering(VALIDATING, {"/sees": allowed()}):
        assert stage.create("seen", "?fieldManager=me", data={"a": "b"}).code == 201
    (asked,) = stage.peer.requests_at("/sees")
    assert asked.pop("uid")
    obj = asked.pop("object")
    assert (obj["kind"], obj["apiVersion"], obj["data"]) == ("ConfigMap", "v1", {"a": "b"})
    assert (obj["metadata"]["name"], obj["metadata"]["namespace"]) == ("seen", stage.namespace)
    user = asked.pop("userInfo")
    assert user["username"] == "kubernetes-admin"
    assert set(user["groups"]) == {"system:masters", "system:authenticated"}
    kind = {"group": "", "version": "v1", "kind": "ConfigMap"}
    resource = {"group": "", "version": "v1", "resource": "configmaps"}
    options = {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "me"}
    assert asked == {
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "name": "seen",
        "namespace": stage.namespace,
        "operation": "CREATE",
        "oldObject": None,
        "dryRun": False,
        "options": options,
    }
    headers = stage.peer.headers[-1]
    assert headers["User-Agent"] == "kube-apiserver-admission"
    assert headers["Accept"] == "application/json, */*"
    assert stage.peer.paths[-1] == "/sees?timeout=10s"
