"""PodSecurity at the API server: refusals, warnings, and what namespaces are told."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.control_plane.apiserver.objects import Object, deployment, pod
from tests.support.raw_api import Answer, RawApi

PREFIX = "pod-security.kubernetes.io/"


@pytest.fixture
def secured(api: RawApi) -> Iterator[Any]:
    """Make namespaces with Pod Security labels."""
    made: list[str] = []

    def make(**labels: str) -> str:
        name = f"secured-{uuid.uuid4().hex[:8]}"
        own = {PREFIX + key.replace("_", "-"): value for key, value in labels.items()}
        answer = api.post("/api/v1/namespaces", {"metadata": {"name": name, "labels": own}})
        assert answer.code == 201, answer.text
        account = {"metadata": {"name": "default"}}
        api.post(f"/api/v1/namespaces/{name}/serviceaccounts", account)
        made.append(name)
        return name

    yield make
    for name in made:
        api.delete(f"/api/v1/namespaces/{name}")


def warnings(answer: Answer) -> list[str]:
    text = answer.headers.get("Warning", "")
    return [part for part in text.split("299 - ") if part]


def host_pod(name: str) -> Object:
    body = pod(name)
    body["spec"]["hostNetwork"] = True
    return body


def test_what_a_namespace_enforces_is_refused(api: RawApi, secured: Any) -> None:
    namespace = secured(enforce="baseline", enforce_version="v1.34")
    pods = f"/api/v1/namespaces/{namespace}/pods"
    assert api.post(pods, pod("fine")).code == 201
    refused = api.post(pods, host_pod("p"))
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert refused.message == (
        'pods "p" is forbidden: violates PodSecurity "baseline:v1.34": '
        "host namespaces (hostNetwork=true)"
    )
    assert api.patch(f"{pods}/fine", {"metadata": {"labels": {"a": "b"}}}).code == 200
    debugger = {"name": "d", "image": "busybox", "securityContext": {"privileged": True}}
    bug = api.patch(
        f"{pods}/fine/ephemeralcontainers", {"spec": {"ephemeralContainers": [debugger]}}
    )
    assert 'privileged (container "d" must not set' in bug.message


def test_pods_and_templates_are_warned_about(api: RawApi, secured: Any) -> None:
    namespace = secured(enforce="baseline", warn="restricted")
    made = api.post(f"/api/v1/namespaces/{namespace}/pods", pod("p"))
    assert made.code == 201
    (text,) = warnings(made)
    assert 'would violate PodSecurity \\"restricted:latest\\": allowPrivilege' in text
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    body = deployment("d")
    body["spec"]["template"]["spec"]["hostPID"] = True
    made = api.post(path, body)
    assert made.code == 201
    (text,) = warnings(made)
    assert "host namespaces (hostPID=true), allowPrivilegeEscalation != false" in text
    assert warnings(api.patch(f"{path}/d/scale", {"spec": {"replicas": 0}})) == []


def test_without_labels_nothing_is_said(api: RawApi, secured: Any) -> None:
    made = api.post(f"/api/v1/namespaces/{secured()}/pods", host_pod("p"))
    assert (made.code, warnings(made)) == (201, [])


def test_labels_must_be_right_where_they_are_new(api: RawApi, secured: Any) -> None:
    wrong = {"metadata": {"name": "never", "labels": {f"{PREFIX}enforce": "strict"}}}
    refused = api.post("/api/v1/namespaces", wrong)
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert refused.message == (
        f'Namespace "never" is invalid: metadata.labels[{PREFIX}enforce]: Invalid value: "strict": '
        "must be one of privileged, baseline, restricted"
    )
    path = f"/api/v1/namespaces/{secured()}"
    version = {"metadata": {"labels": {f"{PREFIX}warn-version": "newest"}}}
    assert 'must be "latest" or "v1.x"' in api.patch(path, version).message


def test_a_namespace_that_enforces_more_is_told_of_its_pods(api: RawApi, secured: Any) -> None:
    namespace = secured()
    pods = f"/api/v1/namespaces/{namespace}/pods"
    for name in ("one", "two"):
        api.post(pods, host_pod(name))
    assert len(api.get(pods).json["items"]) == 2  # so the cache of this server has them
    path = f"/api/v1/namespaces/{namespace}"
    told = api.patch(path, {"metadata": {"labels": {f"{PREFIX}enforce": "baseline"}}})
    assert told.code == 200
    first, second = warnings(told)
    assert "violate the new PodSecurity enforce level" in first
    assert "one (and 1 other pod): host namespaces" in second
    again = api.patch(path, {"metadata": {"labels": {f"{PREFIX}enforce": "privileged"}}})
    assert warnings(again) == []
    assert api.post(pods, host_pod("three")).code == 201
