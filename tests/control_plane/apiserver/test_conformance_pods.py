"""Conformance: what the API server alone decides about pods, tests named after upstream's."""

from typing import Any

import pytest

from tests.control_plane.apiserver.objects import pod
from tests.support.raw_api import RawApi

Object = dict[str, Any]
AMOUNTS = {"cpu": "100m", "memory": "100Mi"}


@pytest.fixture
def pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


def generation(answer: Any) -> int:
    assert answer.code in (200, 201), answer.text
    found: int = answer.json["metadata"]["generation"]
    return found


@pytest.mark.conformance(
    "[sig-node] Pods Extended Pods Set QOS Class should be set on Pods with matching resource "
    "requests and limits for memory and cpu [Conformance]",
)
@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({"requests": AMOUNTS, "limits": AMOUNTS}, "Guaranteed"),
        ({"limits": AMOUNTS}, "Guaranteed"),
        ({"requests": AMOUNTS}, "Burstable"),
        ({}, "BestEffort"),
    ],
)
def test_should_be_set_on_pods_with_matching_resource_requests_and_limits(
    api: RawApi, pods: str, resources: Object, quality: str
) -> None:
    body = pod("one")
    body["spec"]["containers"][0]["resources"] = resources
    assert api.post(pods, body).json["status"]["qosClass"] == quality


@pytest.mark.conformance(
    "[sig-node] Pods Extended (pod generation) Pod Generation pod generation should start at 1 "
    "and increment per update [MinimumKubeletVersion:1.34] [Conformance]",
)
@pytest.mark.parametrize(
    ("change", "bump"),
    [
        ({}, 0),
        ({"metadata": {"labels": {"a": "b"}, "annotations": {"a": "b"}}}, 0),
        ({"spec": {"activeDeadlineSeconds": 500}}, 1),
        ({"spec": {"containers": [{"name": "c", "image": "busybox:2"}]}}, 1),
        ({"spec": {"initContainers": [{"name": "i", "image": "busybox:2"}]}}, 1),
        ({"spec": {"tolerations": [{"key": "k", "operator": "Exists"}]}}, 1),
    ],
    ids=["nothing", "metadata", "deadline", "image", "initial image", "tolerations"],
)
def test_pod_generation_should_start_at_1_and_increment_per_update(
    api: RawApi, pods: str, change: Object, bump: int
) -> None:
    body = pod("one")
    body["spec"]["initContainers"] = [{"name": "i", "image": "busybox"}]
    assert generation(api.post(pods, body)) == 1
    assert generation(api.patch(f"{pods}/one", change, "strategic")) == 1 + bump


@pytest.mark.conformance(
    "[sig-node] Pods Extended (pod generation) Pod Generation custom-set generation on new pods "
    "and graceful delete [Conformance]",
)
def test_custom_set_generation_on_new_pods_and_graceful_delete(api: RawApi, pods: str) -> None:
    body = pod("one", "a-node", generation=100)
    assert generation(api.post(pods, body)) == 1
    ending = api.delete(f"{pods}/one", {"gracePeriodSeconds": 30})
    assert ending.json["metadata"]["deletionGracePeriodSeconds"] == 30
    assert generation(ending) == 2
    assert generation(api.get(f"{pods}/one")) == 2
    assert api.delete(f"{pods}/one", {"gracePeriodSeconds": 0}).code == 200
    assert api.get(f"{pods}/one").code == 404


@pytest.mark.conformance(
    "[sig-node] Sysctls [LinuxOnly] [NodeConformance] should reject invalid sysctls [Conformance]",
)
def test_should_reject_invalid_sysctls(api: RawApi, pods: str) -> None:
    body = pod("one")
    body["spec"]["securityContext"] = {
        "sysctls": [
            {"name": "foo-", "value": "bar"},
            {"name": "kernel.shmmax", "value": "100000000"},
            {"name": "safe-and-unsafe", "value": "100000000"},
            {"name": "bar..", "value": "42"},
        ]
    }
    refused = api.post(pods, body)
    assert (refused.code, refused.reason) == (422, "Invalid")
    fields = [cause["field"] for cause in refused.json["details"]["causes"]]
    path = "spec.securityContext.sysctls"
    assert fields == [f"{path}[0].name", f"{path}[3].name"]
    for name in ("foo-", "bar.."):
        assert f'Invalid value: "{name}"' in refused.message
