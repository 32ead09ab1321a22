"""Deletion: grace, finalizers, policies, preconditions and namespaces."""

from typing import Any

import pytest

from tests.control_plane.apiserver.objects import config_map, deployment, pod
from tests.support.raw_api import RawApi

pytestmark = pytest.mark.every_store


@pytest.fixture
def pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


@pytest.fixture
def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def test_unscheduled_pod_goes_at_once(api: RawApi, pods: str) -> None:
    api.post(pods, pod("p"))
    assert api.delete(f"{pods}/p").json["kind"] == "Pod"
    assert api.get(f"{pods}/p").code == 404


def test_scheduled_pod_gets_its_grace(api: RawApi, pods: str) -> None:
    api.post(pods, pod("p", node="n1"))
    first = api.delete(f"{pods}/p")
    metadata = first.json["metadata"]
    assert first.code == 200
    assert metadata["deletionGracePeriodSeconds"] == 30
    assert metadata["deletionTimestamp"] > metadata["creationTimestamp"]
    assert metadata["generation"] == 2
    again = api.delete(f"{pods}/p").json["metadata"]
    assert again == metadata
    shorter = api.delete(f"{pods}/p", {"gracePeriodSeconds": 5}).json["metadata"]
    assert shorter["deletionGracePeriodSeconds"] == 5
    assert shorter["deletionTimestamp"] < metadata["deletionTimestamp"]
    longer = api.delete(f"{pods}/p", {"gracePeriodSeconds": 60}).json["metadata"]
    assert longer["deletionGracePeriodSeconds"] == 5
    assert api.delete(f"{pods}/p", {"gracePeriodSeconds": 0}).code == 200
    assert api.get(f"{pods}/p").code == 404


def test_finished_pod_goes_at_once(api: RawApi, pods: str) -> None:
    api.post(pods, pod("p", node="n1"))
    api.patch(f"{pods}/p/status", {"status": {"phase": "Succeeded"}})
    api.delete(f"{pods}/p")
    assert api.get(f"{pods}/p").code == 404


def test_finalizers_hold_an_object(api: RawApi, maps: str) -> None:
    obj = config_map("a")
    obj["metadata"]["finalizers"] = ["example.com/hold"]
    api.post(maps, obj)
    marked = api.delete(f"{maps}/a").json
    assert marked["metadata"]["deletionTimestamp"]
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 0
    more = api.patch(f"{maps}/a", {"metadata": {"finalizers": ["example.com/hold", "a.b/new"]}})
    assert (more.code, more.reason) == (422, "Invalid")
    last = api.patch(f"{maps}/a", {"metadata": {"finalizers": None}})
    assert last.code == 200
    assert api.get(f"{maps}/a").code == 404


@pytest.mark.parametrize(
    ("options", "finalizers"),
    [
        ({"propagationPolicy": "Foreground"}, ["foregroundDeletion"]),
        ({"propagationPolicy": "Orphan"}, ["orphan"]),
        ({"orphanDependents": True}, ["orphan"]),
    ],
)
def test_policies_leave_work_for_the_garbage_collector(
    api: RawApi, namespace: str, options: dict[str, Any], finalizers: list[str]
) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    api.post(path, deployment("d"))
    answer = api.delete(f"{path}/d", options)
    assert answer.json["metadata"]["finalizers"] == finalizers
    assert answer.json["metadata"]["deletionTimestamp"]


def test_policy_in_the_query(api: RawApi, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    api.post(path, deployment("d"))
    answer = api.delete(f"{path}/d?propagationPolicy=Foreground")
    assert answer.json["metadata"]["finalizers"] == ["foregroundDeletion"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"propagationPolicy": "Later"}, 'Unsupported value: "Later"'),
        ({"propagationPolicy": "Orphan", "orphanDependents": False}, "cannot be both set"),
        ({"dryRun": ["Some"]}, 'supported values: "All"'),
    ],
)
def test_bad_options(api: RawApi, maps: str, options: dict[str, Any], message: str) -> None:
    api.post(maps, config_map("a"))
    answer = api.delete(f"{maps}/a", options)
    assert answer.code == 422
    assert message in answer.message


def test_preconditions(api: RawApi, maps: str) -> None:
    made = api.post(maps, config_map("a")).json["metadata"]
    other = api.delete(f"{maps}/a", {"preconditions": {"uid": "nobody"}})
    assert (other.code, other.reason) == (409, "Conflict")
    assert "the UID in the precondition (nobody)" in other.message
    old = api.delete(f"{maps}/a", {"preconditions": {"resourceVersion": "1"}})
    assert old.code == 409
    right = {"uid": made["uid"], "resourceVersion": made["resourceVersion"]}
    assert api.delete(f"{maps}/a", {"preconditions": right}).code == 200


def test_namespace_waits_for_its_content(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    marked = api.delete(path).json
    assert marked["status"]["phase"] == "Terminating"
    assert api.delete(path).json["metadata"] == marked["metadata"]
    refused = api.post(f"{path}/configmaps", config_map("late"))
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert f"namespace {namespace} because it is being terminated" in refused.message
    assert refused.json["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    marked["spec"]["finalizers"] = []
    assert api.put(f"{path}/finalize", marked).code == 200
    assert api.get(path).code == 404


def test_protected_namespaces_stay(api: RawApi) -> None:
    answer = api.delete("/api/v1/namespaces/default")
    assert answer.code == 403
    assert answer.message == 'namespaces "default" is forbidden: this namespace may not be deleted'


def test_nothing_is_created_in_a_missing_namespace(api: RawApi) -> None:
    answer = api.post("/api/v1/namespaces/nowhere/configmaps", config_map("a"))
    assert (answer.code, answer.message) == (404, 'namespaces "nowhere" not found')
