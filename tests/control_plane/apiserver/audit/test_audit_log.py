"""The audit log of a real API server: what is recorded of requests, and what never is."""

import base64
import dataclasses
import json
import re
import time
import uuid
from pathlib import Path

import pytest
import yaml

from control_plane.apiserver.audit.options import AuditOptions
from control_plane.apiserver.config import ConfigError, checked
from control_plane.apiserver.latency import go_duration
from tests.control_plane.apiserver.audit.recording import Event, Log, Receiver, counted
from tests.control_plane.apiserver.objects import config_map
from tests.control_plane.apiserver.webhook_peer import patching
from tests.control_plane.apiserver.webhook_stage import MUTATING, WebhookStage
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi
from tests.support.wait import wait_until

MAPS = "/api/v1/namespaces/default/configmaps"
SECRETS = "/api/v1/namespaces/default/secrets"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


def test_a_create_is_recorded_at_each_stage(api: RawApi, log: Log) -> None:
    name = f"m-{uuid.uuid4().hex[:8]}"
    answer = api.post(MAPS, config_map(name))
    received, complete = log.of(answer.headers["Audit-Id"])
    assert [received["stage"], complete["stage"]] == ["RequestReceived", "ResponseComplete"]
    assert (complete["kind"], complete["apiVersion"]) == ("Event", "audit.k8s.io/v1")
    assert complete["level"] == "RequestResponse"
    assert (complete["verb"], complete["requestURI"]) == ("create", MAPS)
    assert complete["user"]["username"] == "kubernetes-admin"
    assert complete["sourceIPs"] == ["127.0.0.1"]
    assert complete["objectRef"] == {
        "resource": "configmaps",
        "namespace": "default",
        "name": name,
        "apiVersion": "v1",
    }
    assert complete["responseStatus"] == {"metadata": {}, "code": 201}
    assert complete["requestObject"]["metadata"]["name"] == name
    assert complete["responseObject"] == {
        **answer.json,
        "metadata": {k: v for k, v in answer.json["metadata"].items() if k != "managedFields"},
    }
    assert complete["annotations"]["authorization.k8s.io/decision"] == "allow"
    assert complete["requestReceivedTimestamp"] <= complete["stageTimestamp"]
    assert "requestObject" not in received
    assert "responseStatus" not in received


def test_a_refusal_is_recorded_with_its_reason(api: RawApi, log: Log) -> None:
    answer = api.get(f"{MAPS}/absent")
    _, complete = log.of(answer.headers["Audit-Id"])
    status = complete["responseStatus"]
    assert (status["status"], status["reason"], status["code"]) == ("Failure", "NotFound", 404)
    assert status["message"] == 'configmaps "absent" not found'


def test_impersonation_shows_both_users_and_what_was_decided(api: RawApi, log: Log) -> None:
    headers = {"Impersonate-User": "ann", "Impersonate-Group": "devs"}
    answer = api.request("GET", MAPS, headers=headers)
    assert answer.code == 403
    (complete,) = log.of(answer.headers["Audit-Id"], 1)
    assert complete["user"]["username"] == "kubernetes-admin"
    assert complete["impersonatedUser"]["username"] == "ann"
    assert "devs" in complete["impersonatedUser"]["groups"]
    assert complete["annotations"]["authorization.k8s.io/decision"] == "forbid"


def test_who_is_not_believed_is_recorded_without_the_token(
    server: ThreadedApiServer, log: Log
) -> None:
    token = f"not-a-token-{uuid.uuid4().hex}"
    with RawApi(server.url, server.pki.pair("ca").certificate, token=token) as stranger:
        answer = stranger.get(MAPS)
    assert answer.code == 401
    (event,) = log.of(answer.headers["Audit-Id"], 1)
    assert (event["stage"], event["responseStatus"]["code"]) == ("ResponseStarted", 401)
    assert event["responseStatus"]["message"] == "Authentication failed, attempted: bearer"
    assert event["user"] == {}
    assert token not in log.text()


def test_a_patch_is_recorded_as_it_came(api: RawApi, log: Log) -> None:
    name = f"m-{uuid.uuid4().hex[:8]}"
    api.post(MAPS, config_map(name))
    answer = api.patch(f"{MAPS}/{name}", {"data": {"b": "2"}})
    _, complete = log.of(answer.headers["Audit-Id"])
    assert complete["requestObject"] == {"data": {"b": "2"}}
    assert complete["responseObject"]["data"]["b"] == "2"


def test_what_is_applied_and_answered_in_yaml_is_recorded_too(api: RawApi, log: Log) -> None:
    name = f"m-{uuid.uuid4().hex[:8]}"
    configuration = config_map(name, a="b")
    headers = {"Content-Type": "application/apply-patch+yaml", "Accept": "application/yaml"}
    body = yaml.safe_dump(configuration).encode()
    answer = api.request("PATCH", f"{MAPS}/{name}?fieldManager=m", body, headers)
    assert answer.code == 201, answer.text
    _, complete = log.of(answer.headers["Audit-Id"])
    assert complete["requestObject"] == configuration
    assert complete["responseObject"]["data"] == configuration["data"]


def test_a_deletion_is_recorded_with_its_options(api: RawApi, log: Log) -> None:
    name = f"m-{uuid.uuid4().hex[:8]}"
    api.post(MAPS, config_map(name))
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
    answer = api.delete(f"{MAPS}/{name}", options)
    _, complete = log.of(answer.headers["Audit-Id"])
    assert complete["requestObject"]["gracePeriodSeconds"] == 0
    assert complete["objectRef"]["name"] == name
    assert complete["responseStatus"]["status"] == "Success"


def test_a_watch_begins_and_ends(api: RawApi, log: Log) -> None:
    audit_id = str(uuid.uuid4())
    answer = api.request("GET", f"{MAPS}?watch=1&timeoutSeconds=1", headers={"Audit-ID": audit_id})
    assert answer.headers["Audit-Id"] == audit_id
    events = log.of(audit_id, 3)
    stages = ["RequestReceived", "ResponseStarted", "ResponseComplete"]
    assert [event["stage"] for event in events] == stages
    assert events[-1]["verb"] == "watch"
    assert events[-1]["responseStatus"]["code"] == 200


def test_stages_and_requests_are_omitted_as_the_policy_says(api: RawApi, log: Log) -> None:
    listed = api.get(MAPS)
    healthy = api.get("/healthz")
    version = api.get("/version")
    assert log.of(version.headers["Audit-Id"])[-1]["verb"] == "get"
    (only,) = log.of(listed.headers["Audit-Id"], 1)
    assert (only["stage"], only["level"]) == ("ResponseComplete", "Request")
    assert "responseObject" not in only
    assert healthy.headers["Audit-Id"] not in log.text()


def test_no_secret_and_no_token_is_recorded_at_metadata(api: RawApi, log: Log) -> None:
    value, name = f"hush-{uuid.uuid4().hex}", f"s-{uuid.uuid4().hex[:8]}"
    secret = {"metadata": {"name": name}, "stringData": {"password": value}}
    created = api.post(SECRETS, secret)
    log.of(created.headers["Audit-Id"])
    api.patch(f"{SECRETS}/{name}", {"stringData": {"password": f"{value}2"}})
    api.post("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": name}})
    request = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {}}
    path = f"/api/v1/namespaces/default/serviceaccounts/{name}/token"
    issued = api.post(path, request)
    assert issued.code == 201
    _, complete = log.of(issued.headers["Audit-Id"])
    assert complete["objectRef"]["subresource"] == "token"
    text = log.text()
    assert value not in text
    assert base64.b64encode(value.encode()).decode() not in text
    assert issued.json["status"]["token"] not in text
    assert issued.json["status"]["token"].split(".")[2] not in text


def test_a_webhooks_patch_is_recorded_from_the_level_request_on(
    stage: WebhookStage, log: Log
) -> None:
    value = f"hush-{uuid.uuid4().hex}"
    encoded = base64.b64encode(value.encode()).decode()
    hooks = []
    for resource, shown in (("configmaps", "shown"), ("secrets", encoded)):
        path = f"/{resource}"
        added = {"op": "add", "path": "/data", "value": {"k": shown}}
        stage.peer.answers[path] = patching(added)
        hooks.append(stage.webhook(path, ("", resource)))
    with stage.configured(MUTATING, *hooks):
        seen, unseen = (
            stage.api.post(f"{stage.path}/{resource}", {"metadata": {"name": "x"}})
            for resource in ("configmaps", "secrets")
        )
    assert unseen.json["data"] == {"k": encoded}
    notes = log.of(seen.headers["Audit-Id"])[1]["annotations"]
    note = json.loads(notes["patch.webhook.admission.k8s.io/round_0_index_0"])
    assert note["patch"] == [{"op": "add", "path": "/data", "value": {"k": "shown"}}]
    notes = log.of(unseen.headers["Audit-Id"])[1]["annotations"]
    mutation = json.loads(notes["mutation.webhook.admission.k8s.io/round_0_index_1"])
    assert mutation["mutated"] is True
    assert not [key for key in notes if key.startswith("patch.")]
    assert encoded not in log.text()


def test_a_slow_request_says_where_its_time_went(stage: WebhookStage, log: Log) -> None:
    def slow(_review: Event) -> Event:
        time.sleep(0.6)
        return {"allowed": True}

    with stage.answering(MUTATING, {"/slow": slow}):
        received, complete = log.of(stage.create("slow").headers["Audit-Id"])
    spent = latencies(complete)
    parts = ("authentication", "authorization", "etcd", "mutating-webhook", "response-write")
    assert set(parts) <= set(spent)
    for name in ("mutating-webhook", "total"):
        assert re.fullmatch(r"(\d+m)?\d+(\.\d+)?(ms|s)", spent[name]), spent
    assert not latencies(received)
    (complete,) = log.of(stage.api.get(f"{stage.path}/configmaps").headers["Audit-Id"], 1)
    assert "mutating-webhook" not in latencies(complete)


def latencies(event: Event) -> dict[str, str]:
    prefix, noted = "apiserver.latency.k8s.io/", event.get("annotations") or {}
    return {key.removeprefix(prefix): noted[key] for key in noted if key.startswith(prefix)}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1.7e-8, "17ns"),
        (1.75e-5, "17.5µs"),
        (0.5123, "512.3ms"),
        (1.0, "1s"),
        (62.5, "1m2.5s"),
        (3661.0, "1h1m1s"),
    ],
)
def test_durations_are_written_as_upstream_writes_them(seconds: float, text: str) -> None:
    assert go_duration(seconds) == text


def test_an_error_that_quotes_a_secret_is_recorded_without_its_text(api: RawApi, log: Log) -> None:
    value, name = f"hush-{uuid.uuid4().hex}", f"s-{uuid.uuid4().hex[:8]}"
    assert api.post(SECRETS, {"metadata": {"name": name}}).code == 201
    refused = api.patch(f"{SECRETS}/{name}", {"$patch": value}, "strategic")
    assert value in refused.message
    _, complete = log.of(refused.headers["Audit-Id"])
    status = {"metadata": {}, "status": "Failure", "reason": "BadRequest", "code": 400}
    assert complete["responseStatus"] == status
    assert value not in log.text()


def test_what_is_recorded_is_counted(api: RawApi, log: Log) -> None:
    before = counted(api, "apiserver_audit_event_total")
    log.of(api.get(f"{MAPS}/absent").headers["Audit-Id"])
    assert counted(api, "apiserver_audit_event_total") >= before + 2
    assert counted(api, "apiserver_audit_requests_rejected_total") == 0
    text = api.get("/metrics", accept="*/*").text
    for level in ("None", "Metadata", "Request", "RequestResponse"):
        assert f'apiserver_audit_level_total{{level="{level}"}}' in text


def test_the_webhook_gets_the_same_events_even_after_a_failure(
    api: RawApi, log: Log, receiver: Receiver
) -> None:
    answer = api.get(f"{MAPS}/absent")
    audit_id = answer.headers["Audit-Id"]
    in_file = log.of(audit_id)

    def sent() -> list[Event]:
        return [event for event in receiver.events if event["auditID"] == audit_id]

    wait_until(lambda: len(sent()) == len(in_file), "the webhook's events")
    assert sent() == in_file
    assert receiver.refused == 1


def test_a_policy_with_an_error_is_refused_at_start(
    server: ThreadedApiServer, tmp_path: Path
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n")
    config = dataclasses.replace(server.server.config, audit=AuditOptions(path, "-"))
    with pytest.raises(ConfigError, match=f"--audit-policy-file {path}: rules: Required value"):
        checked(config)
