"""Objects that several groups or versions serve are one object, whoever wrote it."""

from control_plane.api.resources import RESOURCES, ResourceSet
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from control_plane.apiserver.storage.collections import Collections
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


def test_events_are_watched_in_both_groups(api: RawApi, namespace: str) -> None:
    core = f"/api/v1/namespaces/{namespace}/events"
    path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"

    def make(name: str, kind: str) -> None:
        event = {
            "metadata": {"name": name},
            "involvedObject": {"kind": kind, "name": "x", "namespace": namespace},
            "message": name,
            "source": {"component": "c"},
        }
        assert api.post(core, event).code == 201

    make("first", "Pod")
    make("other", "Node")
    watch = api.watch(f"{path}?watch=true&timeoutSeconds=60&fieldSelector=regarding.kind%3DPod")
    added = next(watch)
    make("ignored", "Node")
    make("second", "Pod")
    later = next(watch)
    api.delete(f"{core}/first")
    deleted = next(watch)
    watch.close()
    seen = [(event["type"], event["object"]["note"]) for event in (added, later, deleted)]
    assert seen == [("ADDED", "first"), ("ADDED", "second"), ("DELETED", "first")]
    assert added["object"]["apiVersion"] == "events.k8s.io/v1"
    assert "involvedObject" not in added["object"]
    rows = f"{path}?watch=true&resourceVersion=0&timeoutSeconds=60"
    table = api.watch(rows, "application/json;as=Table;v=v1;g=meta.k8s.io")
    assert next(table)["object"]["kind"] == "Table"
    table.close()
    cached = api.get(f"{path}?resourceVersion=0&fieldSelector=reportingController%21%3Dz").json
    assert {item["note"] for item in cached["items"]} == {"other", "ignored", "second"}
    named = api.get(f"{path}/second?resourceVersion=0").json
    assert (named["kind"], named["note"]) == ("Event", "second")


async def test_one_cache_holds_all_versions_of_a_type() -> None:
    etcd = EtcdClient(EtcdEndpoints(("http://127.0.0.1:1",)))
    collections = Collections(ResourceSet(RESOURCES), etcd, "/registry", 3600)
    prefixes = {row.storage_prefix for row in RESOURCES if row.is_stored}
    assert len(collections.caches) == len(prefixes) < len(list(collections))
    await etcd.close()
