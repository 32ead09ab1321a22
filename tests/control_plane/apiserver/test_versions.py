"""Objects that several groups or versions serve are one object, whoever wrote it."""

from tests.support.raw_api import RawApi

TARGET = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}


def autoscalers(version: str, namespace: str) -> str:
    return f"/apis/autoscaling/{version}/namespaces/{namespace}/horizontalpodautoscalers"


def test_an_autoscaler_is_served_in_both_versions(api: RawApi, namespace: str) -> None:
    spec = {"scaleTargetRef": TARGET, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}
    made = api.post(autoscalers("v1", namespace), {"metadata": {"name": "a"}, "spec": spec})
    assert made.code == 201, made.text
    assert (made.json["apiVersion"], made.json["spec"]) == (
        "autoscaling/v1",
        {**spec, "minReplicas": 1},
    )
    newer = api.get(autoscalers("v2", namespace) + "/a").json
    assert newer["apiVersion"] == "autoscaling/v2"
    (metric,) = newer["spec"]["metrics"]
    assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 50}
    assert newer["metadata"]["resourceVersion"] == made.json["metadata"]["resourceVersion"]
    newer["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] = 60
    assert api.put(autoscalers("v2", namespace) + "/a", newer).code == 200
    (older,) = api.get(autoscalers("v1", namespace)).json["items"]
    assert older["spec"]["targetCPUUtilizationPercentage"] == 60
    refused = api.patch(autoscalers("v1", namespace) + "/a", {"spec": {"maxReplicas": 0}})
    assert refused.code == 422
    assert "spec.maxReplicas: Invalid value: 0: must be greater than 0" in refused.message


def test_an_event_is_served_in_both_groups(api: RawApi, namespace: str) -> None:
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": namespace},
        "message": "text",
        "reason": "Test",
        "source": {"component": "c"},
    }
    made = api.post(f"/api/v1/namespaces/{namespace}/events", event)
    assert made.code == 201, made.text
    path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    (newer,) = api.get(f"{path}?fieldSelector=regarding.kind%3DPod,reason%3DTest").json["items"]
    assert (newer["note"], newer["regarding"]["name"]) == ("text", "p")
    assert newer["deprecatedSource"] == {"component": "c"}
    refused = api.post(path, {"metadata": {"name": "f"}, "regarding": {"namespace": namespace}})
    assert refused.code == 422
    causes = {cause["field"] for cause in refused.json["details"]["causes"]}
    assert causes >= {"eventTime", "type"}
    assert api.delete(f"{path}/e").code == 200
    assert api.get(f"/api/v1/namespaces/{namespace}/events/e").code == 404
