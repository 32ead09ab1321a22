"""Conformance tests of admission webhooks about custom resources, each named after upstream's."""

from typing import Any

import pytest

from tests.control_plane.apiserver.custom_stage import (
    DEFINITIONS,
    definition,
    established,
    version,
)
from tests.control_plane.apiserver.webhook_peer import denied
from tests.control_plane.apiserver.webhook_stage import (
    MUTATING,
    VALIDATING,
    WebhookStage,
    adds_data,
)
from tests.support.wait import wait_until


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate custom "
    "resource with pruning [Conformance]",
)
def test_should_mutate_custom_resource_with_pruning(stage: WebhookStage) -> None:
    text = {"type": "string"}
    fields = {"data": {"type": "object", "properties": {"start": text, "stage-1": text}}}
    schema = {"type": "object", "properties": fields}
    answers = {
        "/prune-1": adds_data("stage-1", "start"),
        "/prune-2": adds_data("stage-2", "stage-1"),  # which the schema does not know
    }
    with established(stage.api, stage.namespace, definition(version(schema=schema))) as foos:
        with stage.answering(MUTATING, answers, about=(foos.group, foos.plural)):
            made = stage.api.post(foos.path(), foos.obj("cr", data={"start": "yes"}))
        assert made.code == 201, made.text
        assert made.json["data"] == {"start": "yes", "stage-1": "yes"}
        assert stage.api.get(foos.path("cr")).json["data"] == {"start": "yes", "stage-1": "yes"}


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should be able to deny "
    "custom resource creation, update and deletion [Conformance]",
)
def test_should_be_able_to_deny_custom_resource_creation_update_and_deletion(
    stage: WebhookStage,
) -> None:
    text = "the custom resource contains unwanted data"

    def refuses_unwanted(review: Any) -> Any:
        asked = review["request"]
        data = (asked["object"] or asked["oldObject"]).get("data") or {}
        message = {"message": text}
        return {"allowed": "webhook-disallow" not in data.values(), "status": message}

    stage.peer.answers["/custom"] = refuses_unwanted
    with established(stage.api, stage.namespace, definition()) as foos:
        hook = stage.webhook("/custom", (foos.group, foos.plural))
        hook["rules"][0]["operations"] = ["CREATE", "UPDATE", "DELETE"]
        unwanted: Any = {"data": {"webhook-e2e-test": "webhook-disallow"}}
        assert stage.api.post(foos.path(), foos.obj("stored", **unwanted)).code == 201
        assert stage.api.post(foos.path(), foos.obj("wanted", data={"a": "b"})).code == 201
        with stage.configured(VALIDATING, hook):
            made = stage.api.post(foos.path(), foos.obj("unwanted", **unwanted))
            updated = stage.api.patch(foos.path("wanted"), unwanted)
            for refused in (made, updated, stage.api.delete(foos.path("stored"))):
                assert refused.code == 400, refused.text
                assert refused.message.endswith(f"denied the request: {text}")
            relieved = stage.api.patch(foos.path("stored"), {"data": {"webhook-e2e-test": "fine"}})
            assert relieved.code == 200, relieved.text
            assert stage.api.delete(foos.path("stored")).code == 200


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should deny crd creation "
    "[Conformance]",
)
def test_should_deny_crd_creation(stage: WebhookStage) -> None:
    text = "the crd contains unwanted label"
    stage.peer.answers["/crds"] = denied(message=text)
    hook = stage.webhook("/crds", ("apiextensions.k8s.io", "customresourcedefinitions"))
    hook["objectSelector"] = {"matchLabels": {"webhook-e2e-test": stage.namespace}}
    unwanted = definition()
    unwanted["metadata"]["labels"] = {"webhook-e2e-test": stage.namespace}
    with stage.configured(VALIDATING, hook):
        refused = stage.api.post(DEFINITIONS, unwanted)
        assert (refused.code, refused.json["status"]) == (400, "Failure")
        assert refused.message.endswith(f'"crds.example.com" denied the request: {text}')
    assert stage.api.get(f"{DEFINITIONS}/{unwanted['metadata']['name']}").code == 404


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate custom "
    "resource [Conformance]",
)
def test_should_mutate_custom_resource(stage: WebhookStage) -> None:
    answers = {
        "/custom-1": adds_data("mutation-stage-1", "mutation-start"),
        "/custom-2": adds_data("mutation-stage-2", "mutation-stage-1"),
    }
    with established(stage.api, stage.namespace, definition()) as foos:
        with stage.answering(MUTATING, answers, about=(foos.group, foos.plural)):
            made = stage.api.post(foos.path(), foos.obj("cr", data={"mutation-start": "yes"}))
        expected = ["mutation-start", "mutation-stage-1", "mutation-stage-2"]
        assert made.json["data"] == dict.fromkeys(expected, "yes")
        assert stage.api.get(foos.path("cr")).json["data"] == made.json["data"]


@pytest.mark.conformance(
    "[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin] should mutate custom "
    "resource with different stored version [Conformance]",
)
def test_should_mutate_custom_resource_with_different_stored_version(stage: WebhookStage) -> None:
    both = [version("v1"), version("v2", storage=False)]
    answers = {"/versions": adds_data("mutation-stage-1", "mutation-start")}
    with established(stage.api, stage.namespace, definition(*both)) as foos:
        with stage.answering(MUTATING, answers, about=(foos.group, foos.plural)):
            first = foos.obj("cr", data={"mutation-start": "yes"})
            assert "mutation-stage-1" in stage.api.post(foos.path(), first).json["data"]
            stored = foos.definition()
            for one in stored["spec"]["versions"]:
                one["storage"] = one["name"] == "v2"
            assert stage.api.put(f"{DEFINITIONS}/{foos.name}", stored).code == 200
            wait_until(
                lambda: stage.api.patch(foos.path("cr"), {"data": {"dummy": "test"}}).code == 200,
                "the other version is stored",
            )
        expected = {"mutation-start": "yes", "mutation-stage-1": "yes", "dummy": "test"}
        for name in ("v1", "v2"):
            assert stage.api.get(foos.path("cr", name)).json["data"] == expected
