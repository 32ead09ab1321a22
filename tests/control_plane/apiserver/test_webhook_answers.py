"""What is made of a webhook's answer, word by word; nothing is called."""

import base64
import json
from typing import Any

import pytest

from control_plane.api.errors import InternalError
from control_plane.api.resources import CONFIGMAPS
from control_plane.apiserver.admission.webhooks.answer import (
    BadAnswerError,
    denial,
    read_verdict,
)
from control_plane.apiserver.admission.webhooks.hook import hooks_of
from control_plane.apiserver.admission.webhooks.patching import patched
from control_plane.apiserver.admission_configuration.credentials import Credentials
from control_plane.apiserver.call_failures import why_refused

PATCH = base64.b64encode(b"[]").decode()
GOOD = {"uid": "u", "allowed": True}
REVIEW = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}


def review(response: Any, **more: Any) -> bytes:
    return json.dumps({**REVIEW, "response": response, **more}).encode()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (review(None), "webhook response was absent"),
        (review({**GOOD, "uid": "x"}), 'expected response.uid="u", got "x"'),
        (review({"allowed": True}), 'expected response.uid="u", got ""'),
        (
            review(GOOD, apiVersion="admission.k8s.io/v1beta1"),
            "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, "
            "got admission.k8s.io/v1beta1, Kind=AdmissionReview",
        ),
        (
            json.dumps({"response": GOOD}).encode(),
            "expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind=",
        ),
        (
            review({**GOOD, "patch": PATCH}),
            "webhook returned response.patch but not response.patchType",
        ),
        (
            review({**GOOD, "patchType": "JSONPatch"}),
            "webhook returned response.patchType but not response.patch",
        ),
        (
            review({**GOOD, "patchType": "Merge", "patch": PATCH}),
            'webhook returned invalid response.patchType of "Merge"',
        ),
        (review({**GOOD, "patchType": "JSONPatch", "patch": "!"}), "illegal base64 data in"),
        (
            review({**GOOD, "warnings": "w"}),
            "json: cannot unmarshal string into Go struct field AdmissionReview.response.warnings "
            "of type []string",
        ),
        (
            review({**GOOD, "auditAnnotations": {"a": 1}}),
            "json: cannot unmarshal number into Go struct field "
            "AdmissionReview.response.auditAnnotations of type string",
        ),
        (
            review({**GOOD, "status": {"message": {}}}),
            "json: cannot unmarshal object into Go struct field "
            "AdmissionReview.response.status.message of type string",
        ),
        (review("x"), "json: cannot unmarshal string into Go struct field AdmissionReview.respons"),
        (b"no json", "couldn't get version/kind; json parse error"),
        (b"[]", "couldn't get version/kind; json parse error"),
        (b"", "0-length response with status code: 200"),
    ],
)
def test_bad_answers(body: bytes, text: str) -> None:
    with pytest.raises(BadAnswerError) as refused:
        read_verdict(body, "u", "v1", is_mutating=True)
    assert str(refused.value).startswith(text)


def test_validating_webhooks_change_nothing() -> None:
    for field, value in (("patch", PATCH), ("patchType", "JSONPatch")):
        with pytest.raises(BadAnswerError) as refused:
            read_verdict(review({**GOOD, field: value}), "u", "v1", is_mutating=False)
        assert str(refused.value) == f"validating webhook may not return response.{field}"


def test_v1beta1_is_looser() -> None:
    body = json.dumps({"response": {"allowed": True, "patch": PATCH}}).encode()
    verdict = read_verdict(body, "u", "v1beta1", is_mutating=True)
    assert (verdict.is_allowed, verdict.patch, verdict.patch_type) == (True, b"[]", "JSONPatch")
    assert read_verdict(body, "u", "v1beta1", is_mutating=False).patch == b""


@pytest.mark.parametrize(
    ("result", "code", "reason", "text"),
    [
        ({"message": "m", "code": 402, "reason": "R"}, 402, "R", ": m"),
        ({"reason": "R", "code": 403}, 403, "R", ": R"),
        ({"message": "m", "code": 200}, 400, "", ": m"),
        ({"code": "x"}, 400, "", " without explanation"),
        ({}, 400, "", " without explanation"),
    ],
)
def test_denials(result: Any, code: int, reason: str, text: str) -> None:
    status = denial("x.y.z", result).status()
    assert (status["code"], status.get("reason", "")) == (code, reason)
    assert status["message"] == f'admission webhook "x.y.z" denied the request{text}'


def test_codes_that_are_no_answers() -> None:
    assert why_refused(404, b"") == "the server could not find the requested resource"
    assert why_refused(500, b"boom\n") == (
        'an error on the server ("boom") has prevented the request from succeeding'
    )
    assert why_refused(503, b'{"kind":"Status","message":"busy"}') == "busy"
    assert "status code 302" in why_refused(302, b"")


def test_patches_that_do_not_fit() -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    for operation in (
        {"op": "remove", "path": "/data/x"},
        {"op": "add", "path": "/data", "value": "text"},
        {"op": "replace", "path": "", "value": []},
        {"op": "replace", "path": "", "value": None},
        {"op": "replace", "path": "/metadata", "value": 1},
    ):
        with pytest.raises(InternalError):
            patched(obj, [operation], CONFIGMAPS)
    dropped = patched(obj, [{"op": "add", "path": "/unknown", "value": 1}], CONFIGMAPS)
    assert "unknown" not in dropped


def test_webhooks_are_told_apart() -> None:
    hook = {"name": "a.b.c", "clientConfig": {"service": {"name": "s", "namespace": "n"}}}
    url = {"name": "a.b.c", "clientConfig": {"url": "https://host/p"}}
    configuration = {"metadata": {"name": "c"}, "webhooks": [hook, url]}
    found = list(hooks_of(configuration, Credentials()))
    assert [one.uid for one in found] == ["c/a.b.c/0", "c/a.b.c/1"]
    assert [one.url for one in found] == ["https://s.n.svc:443/", "https://host/p"]
