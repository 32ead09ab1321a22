"""[sig-apps] DisruptionController and [sig-instrumentation] Events API: what they ask of the API.

What needs the controllers is in the tests of the disruption controller.
"""

from typing import Any

import pytest

from tests.support.raw_api import RawApi

Object = dict[str, Any]
NOW = "2026-01-02T03:04:05Z"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.fixture
def budgets(namespace: str) -> str:
    return f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"


def budget(name: str, **labels: str) -> Object:
    selector = {"matchLabels": {"foo": "bar"}}
    metadata = {"name": name, "labels": labels}
    return {"metadata": metadata, "spec": {"minAvailable": "1%", "selector": selector}}


@pytest.mark.conformance(
    "[sig-apps] DisruptionController should create a PodDisruptionBudget [Conformance]",
)
def test_should_create_a_pod_disruption_budget(api: RawApi, budgets: str) -> None:
    made = api.post(budgets, budget("foo"))
    assert made.code == 201, made.text
    assert made.json["metadata"]["generation"] == 1
    found = api.get(f"{budgets}/foo").json
    found["spec"]["minAvailable"] = "2%"
    updated = api.put(f"{budgets}/foo", found)
    assert (updated.code, updated.json["spec"]["minAvailable"]) == (200, "2%")
    patched = api.patch(f"{budgets}/foo", {"spec": {"minAvailable": "3%"}}).json
    assert (patched["spec"]["minAvailable"], patched["metadata"]["generation"]) == ("3%", 3)
    table = api.get(budgets, TABLE).json
    columns = [column["name"] for column in table["columnDefinitions"][:4]]
    assert columns == ["Name", "Min Available", "Max Unavailable", "Allowed Disruptions"]
    assert table["rows"][0]["cells"][:3] == ["foo", "3%", "N/A"]
    assert api.delete(f"{budgets}/foo").code == 200
    assert api.get(f"{budgets}/foo").code == 404


@pytest.mark.conformance(
    "[sig-apps] DisruptionController should update/patch PodDisruptionBudget status [Conformance]",
)
def test_should_update_and_patch_pod_disruption_budget_status(api: RawApi, budgets: str) -> None:
    api.post(budgets, budget("foo"))
    found = api.get(f"{budgets}/foo/status").json
    found["spec"]["minAvailable"] = "9%"
    found["status"] = {
        "disruptedPods": {"pod1": NOW}, "currentHealthy": 0, "desiredHealthy": 0,
        "disruptionsAllowed": 0, "expectedPods": 0,
    }  # fmt: skip
    updated = api.put(f"{budgets}/foo/status", found)
    assert updated.code == 200, updated.text
    assert updated.json["status"]["disruptedPods"] == {"pod1": NOW}
    assert updated.json["spec"]["minAvailable"] == "1%"
    version = updated.json["metadata"]["resourceVersion"]
    patch = {
        "metadata": {"resourceVersion": version},
        "status": {"disruptedPods": {"pod1": None, "pod2": NOW}},
    }
    patched = api.patch(f"{budgets}/foo/status", patch)
    assert patched.code == 200, patched.text
    assert patched.json["status"]["disruptedPods"] == {"pod2": NOW}
    assert api.patch(f"{budgets}/foo/status", patch).code == 409


@pytest.mark.conformance(
    "[sig-apps] DisruptionController Listing PodDisruptionBudgets for all namespaces "
    "should list and delete a collection of PodDisruptionBudgets [Conformance]",
)
def test_should_list_and_delete_a_collection_of_pod_disruption_budgets(
    api: RawApi, budgets: str, namespace: str
) -> None:
    other = f"/apis/policy/v1/namespaces/{namespace}-2/poddisruptionbudgets"
    assert api.post("/api/v1/namespaces", {"metadata": {"name": f"{namespace}-2"}}).code == 201
    for place, names in ((budgets, ("foo", "foo2")), (other, ("foo3",))):
        for name in names:
            assert api.post(place, budget(name, test=namespace)).code == 201
    query = f"?labelSelector=test%3D{namespace}"
    everywhere = api.get(f"/apis/policy/v1/poddisruptionbudgets{query}").json
    assert len(everywhere["items"]) == 3
    deleted = api.delete(f"{budgets}{query}")
    assert (deleted.code, deleted.json["kind"]) == (200, "PodDisruptionBudgetList")
    assert len(deleted.json["items"]) == 2
    assert api.get(budgets).json["items"] == []
    assert len(api.get(other).json["items"]) == 1


def event(name: str, namespace: str) -> Object:
    return {
        "metadata": {"name": name, "labels": {"testevent-set": "true"}},
        "regarding": {"kind": "Pod", "namespace": namespace, "name": "p"},
        "reason": "Test",
        "type": "Normal",
        "note": "This is a test event",
        "action": "Do",
        "reportingController": "test-controller",
        "reportingInstance": "test-node",
        "eventTime": "2026-01-02T03:04:05.000001Z",
    }


@pytest.mark.conformance(
    "[sig-instrumentation] Events API should ensure that an event can be fetched, patched, "
    "deleted, and listed [Conformance]",
)
def test_should_ensure_that_an_event_can_be_fetched_patched_deleted_and_listed(
    api: RawApi, namespace: str
) -> None:
    path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    made = api.post(path, event("event-test", namespace))
    assert made.code == 201, made.text
    everywhere = api.get("/apis/events.k8s.io/v1/events?fieldSelector=reason%3DTest").json
    assert "event-test" in [item["metadata"]["name"] for item in everywhere["items"]]
    selected = f"{path}?fieldSelector=reportingController%3Dtest-controller"
    assert len(api.get(selected).json["items"]) == 1
    patched = api.patch(f"{path}/event-test", {"series": {
        "count": 2, "lastObservedTime": "2026-01-02T03:04:06.000001Z"}})  # fmt: skip
    assert (patched.code, patched.json["series"]["count"]) == (200, 2), patched.text
    found = api.get(f"{path}/event-test").json
    found["series"] = {"count": 100, "lastObservedTime": "2026-01-02T03:04:07.000001Z"}
    updated = api.put(f"{path}/event-test", found)
    assert (updated.code, updated.json["series"]["count"]) == (200, 100), updated.text
    assert api.delete(f"{path}/event-test").code == 200
    assert api.get(selected).json["items"] == []


@pytest.mark.conformance(
    "[sig-instrumentation] Events API should delete a collection of events [Conformance]",
)
def test_should_delete_a_collection_of_events(api: RawApi, namespace: str) -> None:
    path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    for number in range(3):
        assert api.post(path, event(f"test-event-{number}", namespace)).code == 201
    query = "?labelSelector=testevent-set%3Dtrue"
    assert len(api.get(path + query).json["items"]) == 3
    assert api.delete(path + query).code == 200
    assert api.get(path + query).json["items"] == []
