"""Webhooks and all that decides whether, when and how they are called."""

from pathlib import Path
from typing import Any

import pytest

from control_plane.apiserver.admission.webhooks.caller import MAX_ANSWER_BYTES
from tests.control_plane.apiserver.backend_peer import own_address
from tests.control_plane.apiserver.objects import deployment, pod
from tests.control_plane.apiserver.people import person
from tests.control_plane.apiserver.webhook_peer import (
    Answering,
    RawAnswer,
    allowed,
    denied,
    patch,
    patching,
)
from tests.control_plane.apiserver.webhook_stage import MUTATING, VALIDATING, WebhookStage
from tests.support.apiserver import ThreadedApiServer
from tests.support.ports import free_port
from tests.support.wait import wait_until

SERVICES = "/api/v1/namespaces/default/services"
FAILED, INVALID = "failed to call webhook: ", "received invalid webhook response: "
UNREADABLE = f"{FAILED}couldn't get version/kind; json parse error: "
BAD_ANSWERS: dict[str, tuple[Answering, str]] = {
    "no-json": (
        lambda _review: RawAnswer(200, b"hello"),
        f"{UNREADABLE}invalid character 'h' looking for beginning of value",
    ),
    "list": (
        lambda _review: RawAnswer(200, b"[]"),
        f"{UNREADABLE}json: cannot unmarshal array into Go value of type AdmissionReview",
    ),
    "no-text": (lambda _review: RawAnswer(200, b'{"a": "\xff"}'), UNREADABLE),
    "deep": (lambda _review: RawAnswer(200, b"[" * 100_000), UNREADABLE),
    "empty": (lambda _review: RawAnswer(200), f"{FAILED}0-length response with status code: 200"),
    "huge": (
        lambda _review: RawAnswer(200, b" " * (MAX_ANSWER_BYTES + 1)),
        'Post "https://127.0.0.1:',
    ),
    "closing": (lambda _review: RawAnswer(0), ": EOF"),
    "no-http": (
        lambda _review: RawAnswer(0, b"x" * 4000 + b"\r\n\r\n"),
        ": net/http: HTTP/1.x transport connection broken: malformed HTTP response",
    ),
    "stopping": (lambda _review: RawAnswer(200, b'{"kind": ', lacking=100), ": unexpected EOF"),
    "not-found": (
        lambda _review: RawAnswer(404),
        f"{FAILED}the server could not find the requested resource",
    ),
    "broken": (
        lambda _review: RawAnswer(500, b"boom"),
        f'{FAILED}an error on the server ("boom") has prevented the request from succeeding',
    ),
    "moved": (lambda _review: RawAnswer(302), f"{FAILED}the server responded with the status code"),
    "no-review": (
        lambda _review: RawAnswer(200, b'{"kind": "Pod", "apiVersion": "v1"}'),
        f"{INVALID}webhook response was absent",
    ),
    "other-uid": (allowed(uid="other"), f'{INVALID}expected response.uid="'),
    "words": (
        allowed(allowed="yes"),
        f"{FAILED}json: cannot unmarshal string into Go struct field "
        "AdmissionReview.response.allowed of type bool",
    ),
    "text-as-code": (
        denied(code="403"),
        f"{FAILED}json: cannot unmarshal string into Go struct field "
        "AdmissionReview.response.status.code of type int32",
    ),
}
BAD_PATCHES: dict[str, tuple[Answering, str]] = {
    "patch-alone": (
        allowed(patch="W10="),
        f"{INVALID}webhook returned response.patch but not response.patchType",
    ),
    "type-alone": (
        allowed(patchType="JSONPatch"),
        f"{INVALID}webhook returned response.patchType but not response.patch",
    ),
    "other-type": (
        allowed(patchType="MergePatch", patch="e30="),
        f'{INVALID}webhook returned invalid response.patchType of "MergePatch"',
    ),
    "no-base64": (allowed(patchType="JSONPatch", patch="!"), f"{FAILED}illegal base64 data"),
    "no-patch": (
        allowed(patchType="JSONPatch", patch="aGVsbG8="),
        "received undecodable patch in webhook response: ",
    ),
    "no-list": (
        allowed(patchType="JSONPatch", patch="e30="),
        "received undecodable patch in webhook response: ",
    ),
}
BAD = [
    *((kind, name) for kind in (MUTATING, VALIDATING) for name in BAD_ANSWERS),
    *((MUTATING, name) for name in BAD_PATCHES),
]


@pytest.mark.parametrize(("kind", "name"), BAD, ids=lambda value: value.rpartition("/")[2][:10])
def test_bad_answers_are_what_the_failure_policy_makes_of_them(
    stage: WebhookStage, kind: str, name: str
) -> None:
    answer, text = {**BAD_ANSWERS, **BAD_PATCHES}[name]
    answers = {f"/{name}": answer}
    with stage.answering(kind, answers):
        refused = stage.create("refused")
        assert (refused.code, refused.reason) == (500, "InternalError")
        prefix = f'Internal error occurred: failed calling webhook "{name}.example.com": '
        assert refused.message.startswith(prefix)
        assert text in refused.message
        cause = refused.json["details"]["causes"][0]["message"]
        assert cause == refused.message.removeprefix("Internal error occurred: ")
    with stage.answering(kind, answers, failurePolicy="Ignore"):
        assert stage.create("admitted").code == 201
    assert stage.api.get("/readyz").text == "ok"


@pytest.mark.parametrize("field", ["patch", "patchType"])
def test_a_validating_webhook_may_not_patch(stage: WebhookStage, field: str) -> None:
    given = {field: {"patch": "W10=", "patchType": "JSONPatch"}[field]}
    with stage.answering(VALIDATING, {"/patches": allowed(**given)}):
        message = stage.create("a").message
        assert message.endswith(f"{INVALID}validating webhook may not return response.{field}")
    with stage.answering(VALIDATING, {"/patches": allowed(**given)}, failurePolicy="Ignore"):
        assert stage.create("b").code == 201


def test_a_webhook_that_nobody_is_behind_fails(stage: WebhookStage) -> None:
    closed = {"url": f"https://127.0.0.1:{free_port()}/x"}
    with stage.answering(VALIDATING, {"/x": allowed()}, clientConfig=closed):
        refused = stage.create("a")
        assert refused.code == 500
        assert refused.message.endswith("connect: connection refused")
    ignored: dict[str, Any] = {"clientConfig": closed, "failurePolicy": "Ignore"}
    with stage.answering(VALIDATING, {"/x": allowed()}, **ignored):
        assert stage.create("b").code == 201


def test_a_webhook_at_a_port_that_is_none_fails(stage: WebhookStage) -> None:
    nowhere: dict[str, Any] = {"clientConfig": {"url": "https://127.0.0.1:70000/x"}}
    with stage.answering(VALIDATING, {"/x": allowed()}, **nowhere):
        refused = stage.create("a")
        assert refused.code == 500
        assert f'{FAILED}Post "https://127.0.0.1:70000/x?timeout=10s"' in refused.message
    with stage.answering(VALIDATING, {"/x": allowed()}, failurePolicy="Ignore", **nowhere):
        assert stage.create("b").code == 201


def test_odd_words_of_a_webhook_harm_nobody(stage: WebhookStage) -> None:
    odd = {
        "warnings": ["a\r\nSet-Cookie: b", "\x00", "", "\U0001f600" * 2000],
        "unknown": {"a": []},
    }
    with stage.answering(VALIDATING, {"/odd": allowed(**odd)}):
        made = stage.create("a")
    assert made.code == 201
    assert "Set-Cookie" not in made.headers
    status = {"code": 200, "message": "\r\n", "details": {"causes": "none", "x": 1}}
    with stage.answering(VALIDATING, {"/no": denied(**status)}):
        refused = stage.create("b")
    assert refused.code == 400
    assert refused.message == 'admission webhook "no.example.com" denied the request: \r\n'


@pytest.mark.parametrize("operation", ["remove", "merge"])
def test_a_patch_that_does_not_fit_is_refused_whatever_the_failure_policy(
    stage: WebhookStage, operation: str
) -> None:
    answers = {"/unfit": patching({"op": operation, "path": "/data/none"})}
    with stage.answering(MUTATING, answers, failurePolicy="Ignore"):
        assert stage.create("a").code == 500


def test_the_whole_of_a_refusal_reaches_the_client(stage: WebhookStage) -> None:
    status = {"message": "no", "reason": "Teapot", "code": 418, "details": {"name": "n"}}
    with stage.answering(VALIDATING, {"/no": denied(**status)}):
        refused = stage.create("a").json
    assert (refused["code"], refused["reason"], refused["details"]) == (
        418,
        "Teapot",
        {"name": "n"},
    )
    assert refused["message"] == 'admission webhook "no.example.com" denied the request: no'


def test_warnings_reach_the_client(stage: WebhookStage) -> None:
    answers = {"/warns": allowed(warnings=["beware", "again"])}
    with stage.answering(VALIDATING, answers):
        made = stage.create("a")
    assert made.headers["Warning"] == '299 - "beware", 299 - "again"'


def test_deletions_are_seen_and_cannot_be_changed(stage: WebhookStage) -> None:
    rule = {
        "operations": ["DELETE"],
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "resources": ["configmaps"],
    }
    assert stage.create("kept", data={"a": "b"}).code == 201
    place = f"{stage.path}/configmaps/kept"
    with stage.answering(VALIDATING, {"/no": denied(message="keep it")}, rules=[rule]):
        refused = stage.api.delete(place, {"gracePeriodSeconds": 5})
        assert refused.message.endswith("denied the request: keep it")
    (asked,) = stage.peer.requests_at("/no")
    assert (asked["object"], asked["oldObject"]["data"]) == (None, {"a": "b"})
    assert asked["options"] == {
        "kind": "DeleteOptions",
        "apiVersion": "meta.k8s.io/v1",
        "gracePeriodSeconds": 5,
    }
    label = {"op": "add", "path": "/metadata/labels", "value": {}}
    with stage.answering(MUTATING, {"/patches": patching(label)}, rules=[rule]):
        assert stage.api.delete(place).message == (
            'Internal error occurred: admission webhook "patches.example.com" attempted to modify '
            "the object, which is not supported for this operation"
        )
    assert stage.api.delete(place).code == 200


def test_dry_runs_reach_only_webhooks_without_side_effects(stage: WebhookStage) -> None:
    with stage.answering(VALIDATING, {"/none": allowed()}, sideEffects="NoneOnDryRun"):
        assert stage.create("a", "?dryRun=All").code == 201
    (asked,) = stage.peer.requests_at("/none")
    assert asked["dryRun"] is True
    assert asked["options"]["dryRun"] == ["All"]


def test_object_selectors_look_at_both_states(stage: WebhookStage) -> None:
    selector = {"matchLabels": {"guarded": "yes"}}
    labels = {"labels": {"guarded": "yes"}}
    place = f"{stage.path}/configmaps/a"
    with stage.answering(VALIDATING, {"/no": denied(message="no")}, objectSelector=selector):
        assert stage.create("a").code == 201
        assert stage.api.patch(place, {"metadata": labels}).code == 400
    stage.api.patch(place, {"metadata": labels})
    with stage.answering(VALIDATING, {"/no": denied(message="no")}, objectSelector=selector):
        assert stage.api.patch(place, {"metadata": {"labels": None}}).code == 400


def test_the_namespace_of_a_webhook_is_its_own(stage: WebhookStage) -> None:
    other = {"matchLabels": {"kubernetes.io/metadata.name": "kube-public"}}
    with stage.answering(VALIDATING, {"/no": denied(message="no")}, namespaceSelector=other):
        assert stage.create("a").code == 201


def test_another_version_is_converted_for_a_webhook(stage: WebhookStage) -> None:
    rule = {
        "operations": ["CREATE"],
        "apiGroups": ["autoscaling"],
        "apiVersions": ["v2"],
        "resources": ["horizontalpodautoscalers"],
    }
    add = {"op": "add", "path": "/spec/metrics/0/resource/target/averageUtilization", "value": 33}
    path = f"/apis/autoscaling/v1/namespaces/{stage.namespace}/horizontalpodautoscalers"
    target = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
    spec = {"maxReplicas": 3, "scaleTargetRef": target, "targetCPUUtilizationPercentage": 70}
    body = {"metadata": {"name": "exact"}, "spec": spec}
    with stage.answering(MUTATING, {"/v2": patching(add)}, rules=[rule], matchPolicy="Exact"):
        assert stage.api.post(path, body).json["spec"]["targetCPUUtilizationPercentage"] == 70
    with stage.answering(MUTATING, {"/v2": patching(add)}, rules=[rule]):
        made = stage.api.post(path, {**body, "metadata": {"name": "equivalent"}})
    assert made.json["spec"]["targetCPUUtilizationPercentage"] == 33
    assert made.json["apiVersion"] == "autoscaling/v1"
    (asked,) = stage.peer.requests_at("/v2")
    assert asked["kind"]["version"] == asked["resource"]["version"] == "v2"
    assert asked["requestKind"]["version"] == asked["requestResource"]["version"] == "v1"
    assert asked["object"]["apiVersion"] == "autoscaling/v2"


def test_earlier_webhooks_are_called_again_after_a_change(stage: WebhookStage) -> None:
    def adds(key: str) -> Any:
        def answer(review: Any) -> Any:
            annotations = review["request"]["object"]["metadata"].get("annotations") or {}
            value = {**annotations, key: f"{annotations.get(key, '')}x"}
            return {
                "allowed": True,
                **patch({"op": "add", "path": "/metadata/annotations", "value": value}),
            }

        return answer

    paths = {"/first": adds("first"), "/never": adds("never"), "/last": adds("last")}
    stage.peer.answers |= paths
    policies = {"/first": "IfNeeded", "/never": "Never", "/last": "IfNeeded"}
    hooks = [stage.webhook(path, reinvocationPolicy=policy) for path, policy in policies.items()]
    with stage.configured(MUTATING, *hooks):
        made = stage.create("a")
    annotations = made.json["metadata"]["annotations"]
    # the first one's second change is a reason to call the last one once more
    assert annotations == {"first": "xx", "never": "x", "last": "xx"}


def test_plugins_look_again_at_what_a_webhook_has_changed(stage: WebhookStage) -> None:
    toleration = {"op": "replace", "path": "/spec/tolerations", "value": []}
    stage.peer.answers["/bare"] = patching(toleration)
    with stage.configured(MUTATING, stage.webhook("/bare", ("", "pods"))):
        made = stage.api.post(f"{stage.path}/pods", pod("p"))
    assert len(made.json["spec"]["tolerations"]) == 2


def test_subresources_are_seen_as_what_was_sent(stage: WebhookStage) -> None:
    rule = {
        "operations": ["UPDATE"],
        "apiGroups": ["apps"],
        "apiVersions": ["*"],
        "resources": ["*/scale"],
    }
    path = f"/apis/apps/v1/namespaces/{stage.namespace}/deployments"
    assert stage.api.post(path, deployment("d")).code == 201
    five = {"op": "add", "path": "/spec/replicas", "value": 5}
    with stage.answering(MUTATING, {"/scale": patching(five)}, rules=[rule]):
        scaled = stage.api.patch(f"{path}/d/scale", {"spec": {"replicas": 2}})
    assert scaled.json["spec"]["replicas"] == 5
    assert stage.api.get(f"{path}/d").json["spec"]["replicas"] == 5
    (asked,) = stage.peer.requests_at("/scale")
    assert asked["kind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    assert asked["resource"]["resource"] == "deployments"
    assert asked["subResource"] == "scale"
    assert asked["oldObject"]["spec"] == {"replicas": 1}


def test_a_service_is_reached_at_its_endpoints(stage: WebhookStage) -> None:
    stage.peer.answers["/no"] = denied(message="reached")
    ports = [{"name": "https", "port": 8443, "targetPort": stage.peer.port}]
    body = {"metadata": {"name": "webhook"}, "spec": {"ports": ports}}
    assert stage.api.post(SERVICES, body).code == 201
    service = {"namespace": "default", "name": "webhook", "port": 8443, "path": "/no"}
    client = {"service": service, "caBundle": stage.peer.ca_bundle}
    with stage.configured(VALIDATING, stage.webhook("/no", clientConfig=client)):
        text = 'no endpoints available for service "webhook"'
        assert stage.create("a").message.endswith(text)
        endpoints = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
        labels = {"kubernetes.io/service-name": "webhook"}
        one = {
            "metadata": {"name": "hook-1", "labels": labels},
            "addressType": "IPv4",
            "ports": [{"name": "https", "port": stage.peer.port}],
            "endpoints": [{"addresses": [own_address()]}],
        }
        assert stage.api.post(endpoints, one).code == 201
        told = "denied the request: reached"
        wait_until(lambda: stage.create("b").message.endswith(told), "the endpoint")
    for path in (f"{SERVICES}/webhook", f"{endpoints}/hook-1"):
        assert stage.api.delete(path).code == 200


def test_connections_are_kept(stage: WebhookStage) -> None:
    with stage.answering(VALIDATING, {"/sees": allowed()}):
        assert stage.create("first").code == 201
        before = stage.peer.connections
        for number in range(5):
            assert stage.create(f"next-{number}").code == 201
    assert stage.peer.connections - before <= 1


def test_a_webhook_must_show_a_certificate_of_its_authority(stage: WebhookStage) -> None:
    client = stage.peer.client("/sees")
    del client["caBundle"]
    with stage.answering(VALIDATING, {"/sees": allowed()}, clientConfig=client):
        assert stage.create("a").message.endswith(
            "tls: failed to verify certificate: x509: certificate signed by unknown authority"
        )
    assert not stage.peer.requests_at("/sees")


def test_all_refusals_are_counted(stage: WebhookStage) -> None:
    with stage.answering(VALIDATING, {"/counted": denied(message="no", code=403)}):
        stage.create("a")
    text = stage.api.get("/metrics").text
    labels = 'name="counted.example.com",operation="CREATE",rejection_code="403",type="validating"'
    prefix = "apiserver_admission_webhook"
    assert f'{prefix}_rejection_count{{error_type="no_error",{labels}}} 1.0' in text
    assert f'{prefix}_admission_duration_seconds_count{{name="counted.example.com"' in text


def test_conditions_that_fail_are_what_the_failure_policy_makes_of_them(
    stage: WebhookStage,
) -> None:
    condition = {"name": "fails", "expression": "object.data.none == 'x'"}
    denies = {"/no": denied(message="no")}
    with stage.answering(VALIDATING, denies, matchConditions=[condition]):
        refused = stage.create("a")
        assert (refused.code, refused.reason) == (403, "Forbidden")
        assert refused.message == (
            "configmaps \"a\" is forbidden: expression 'object.data.none == 'x'' resulted in "
            "error: no such key: data"
        )
    ignore: dict[str, Any] = {"matchConditions": [condition], "failurePolicy": "Ignore"}
    with stage.answering(VALIDATING, denies, **ignore):
        assert stage.create("b").code == 201
    named = {"name": "mine", "expression": "request.userInfo.username == 'kubernetes-admin'"}
    with stage.answering(VALIDATING, denies, matchConditions=[named]):
        assert stage.create("c").code == 400


def test_conditions_may_ask_for_rights(
    stage: WebhookStage, server: ThreadedApiServer, tmp_path: Path
) -> None:
    breaks_glass = "authorizer.group('x.io').resource('doors').name('d').check('break').allowed()"
    may_all = "authorizer.requestResource.check('escalate').allowed()"
    account = "authorizer.serviceAccount('default', 'none').path('/x').check('get').reason() != ''"
    conditions = [
        {"name": "only-others", "expression": f"!({breaks_glass} && {may_all})"},
        {"name": "no-account", "expression": f"!({account})"},
    ]
    writes_here = {
        "metadata": {"name": "writer"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create"]}],
    }
    group = "rbac.authorization.k8s.io"
    bound = {
        "metadata": {"name": "writer"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "writer"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "otto"}],
    }
    for plural, body in (("roles", writes_here), ("rolebindings", bound)):
        path = f"/apis/{group}/v1/namespaces/{stage.namespace}/{plural}"
        assert stage.api.post(path, body).code == 201
    no = {"/no": denied(message="no")}
    with stage.answering(VALIDATING, no, matchConditions=conditions):
        assert stage.create("by-admin").code == 201
        with person(server, tmp_path, "otto") as otto:
            body = {"metadata": {"name": "by-otto"}}
            refused = otto.post(f"{stage.path}/configmaps", body)
    assert refused.message.endswith("denied the request: no")


def test_owners_that_a_webhook_spoils_are_put_back(stage: WebhookStage) -> None:
    spoiling = patching({"op": "add", "path": "/metadata/managedFields/0/operation", "value": "X"})
    with stage.answering(MUTATING, {"/spoils": spoiling}):
        made = stage.create("spoilt", "?fieldManager=me", data={"a": "b"})
    assert made.code == 201, made.text
    (owner,) = made.json["metadata"]["managedFields"]
    assert (owner["manager"], owner["operation"]) == ("me", "Update")
    assert made.headers["Warning"] == (
        '299 - ".metadata.managedFields was in an invalid state after admission; this could be '
        "caused by an outdated mutating admission controller; please fix your requests: "
        'operation must be `Apply` or `Update`"'
    )
