"""[sig-api-machinery] ResourceQuota, with the controller that counts."""

import time
from typing import Any

import orjson
import pytest

from control_plane.api.errors import Forbidden
from control_plane.api.objects import dig
from control_plane.api.resources import (
    CONFIGMAPS,
    CUSTOMRESOURCEDEFINITIONS,
    PODS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    RESOURCEQUOTAS,
    SECRETS,
    SERVICES,
    Resource,
)
from control_plane.apiserver.admission import quota_reservations
from control_plane.apiserver.admission.quota_reservations import QuotaReservations
from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.model import KeyChange
from control_plane.controllers.resource_quota import counted_resources
from tests.control_plane.controllers.stage import Stage

Object = dict[str, Any]


def named(kind: str, name: str, namespace: str, version: str = "v1", **body: Any) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **body}


def pod(name: str, namespace: str, **spec: Any) -> Object:
    requests = spec.pop("requests", {"cpu": "500m", "memory": "252Mi"})
    container = {"name": "c", "image": "pause", "resources": {"requests": requests}}
    return named("Pod", name, namespace, spec={"containers": [container], **spec})


def replicas(kind: str, namespace: str, version: str, selector: Object) -> Object:
    labels = {"app": "none"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "pause"}]},
    }
    spec = {"replicas": 0, "selector": selector, "template": template}
    return named(kind, "one", namespace, version, spec=spec)


async def make_quota(
    stage: Stage, namespace: str, hard: Object, name: str = "q", **spec: Any
) -> None:
    """A quota whose status has been calculated."""
    body = named("ResourceQuota", name, namespace, spec={"hard": hard, **spec})
    await stage.client.create(RESOURCEQUOTAS, body)
    await stage.until(
        lambda: hard.keys() <= used(stage, namespace, name).keys(), "the quota's status"
    )


def used(stage: Stage, namespace: str, name: str = "q") -> Object:
    found = stage.get(RESOURCEQUOTAS, f"{namespace}/{name}") or {}
    amounts: Object = dig(found, "status", "used", default={})
    return amounts


async def until_used(stage: Stage, namespace: str, name: str = "q", **amounts: str) -> None:
    await until_all_used(stage, namespace, amounts, name)


async def until_all_used(stage: Stage, namespace: str, wanted: Object, name: str = "q") -> None:
    await stage.until(
        lambda: wanted.items() <= used(stage, namespace, name).items(),
        f"{name} uses {wanted}, not {used(stage, namespace, name)}",
    )


@pytest.mark.conformance(
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and ensure its status "
    "is promptly calculated. [Conformance]",
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of "
    "a configMap. [Conformance]",
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of "
    "a replica set. [Conformance]",
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of "
    "a replication controller. [Conformance]",
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of "
    "a secret. [Conformance]",
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of "
    "a service. [Conformance]",
)
async def test_should_create_a_resource_quota_and_capture_the_life_of_objects(
    stage: Stage,
) -> None:
    namespace = await stage.namespace("lives")
    client = stage.client
    counts = {
        "count/replicasets.apps": "5", "replicationcontrollers": "5", "secrets": "5",
        "configmaps": "5", "services": "5", "services.nodeports": "1", "resourcequotas": "1",
    }  # fmt: skip
    # The cluster's own is made at the same time, by somebody who may not know of the quota yet.
    own = f"{namespace}/kube-root-ca.crt"
    await stage.until(lambda: stage.get(CONFIGMAPS, own), "the cluster's own config map")
    await make_quota(stage, namespace, counts)
    status = dig(stage.get(RESOURCEQUOTAS, f"{namespace}/q") or {}, "status", default={})
    assert status["hard"] == counts
    assert status["used"]["resourcequotas"] == "1"
    await until_used(stage, namespace, configmaps="1")
    before = used(stage, namespace)
    node_port = {"type": "NodePort", "ports": [{"port": 80}]}
    lives: list[tuple[Resource, Object, Object]] = [
        (CONFIGMAPS, named("ConfigMap", "one", namespace), {"configmaps": 1}),
        (SECRETS, named("Secret", "one", namespace), {"secrets": 1}),
        (
            SERVICES,
            named("Service", "one", namespace, spec=node_port),
            {"services": 1, "services.nodeports": 1},
        ),
        (
            REPLICATIONCONTROLLERS,
            replicas("ReplicationController", namespace, "v1", {"app": "none"}),
            {"replicationcontrollers": 1},
        ),
        (
            REPLICASETS,
            replicas("ReplicaSet", namespace, "apps/v1", {"matchLabels": {"app": "none"}}),
            {"count/replicasets.apps": 1},
        ),
    ]
    for resource, obj, counted in lives:
        await client.create(resource, obj)
        more = {name: str(int(before[name]) + n) for name, n in counted.items()}
        await until_all_used(stage, namespace, more)
    second = named("Service", "two", namespace, spec=node_port)
    with pytest.raises(Forbidden, match=r"exceeded quota: q, requested: services\.nodeports=1"):
        await client.create(SERVICES, second)
    for resource, _, _ in lives:
        await client.delete(resource, "one", namespace)
    await stage.until(lambda: used(stage, namespace) == before, "nothing used any more")


@pytest.mark.conformance(
    "[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of "
    "a pod. [Conformance]",
)
async def test_should_capture_the_life_of_a_pod_and_verify_its_scopes(stage: Stage) -> None:
    namespace = await stage.namespace("pods-lives")
    compute = {"pods": "3", "cpu": "1", "memory": "500Mi"}
    await make_quota(stage, namespace, compute)
    await make_quota(stage, namespace, {"pods": "9"}, "terminating", scopes=["Terminating"])
    best_effort = {"scopeName": "BestEffort", "operator": "Exists"}
    selector = {"matchExpressions": [best_effort]}
    await make_quota(stage, namespace, {"pods": "9"}, "best-effort", scopeSelector=selector)
    await stage.client.create(PODS, pod("one", namespace))
    await until_used(stage, namespace, pods="1", cpu="500m", memory="252Mi")
    with pytest.raises(Forbidden, match="exceeded quota: q, requested: memory=252Mi"):
        await stage.client.create(PODS, pod("two", namespace))
    small = {"cpu": "100m", "memory": "1Mi"}
    await stage.client.create(
        PODS, pod("ends", namespace, requests=small, activeDeadlineSeconds=3600)
    )
    await until_used(stage, namespace, pods="2", cpu="600m", memory="253Mi")
    await until_used(stage, namespace, "terminating", pods="1")
    await until_used(stage, namespace, "best-effort", pods="0")
    await stage.until(
        lambda: dig(stage.get(PODS, f"{namespace}/ends") or {}, "status", "podIP"),
        "the kubelet's status, which comes but once",
    )
    ended = {"status": {"phase": "Succeeded"}}
    await stage.client.patch(PODS, "ends", ended, namespace, subresource="status")
    await until_used(stage, namespace, pods="1", cpu="500m", memory="252Mi")
    await until_used(stage, namespace, "terminating", pods="0")
    await stage.client.delete(PODS, "one", namespace)
    await until_used(stage, namespace, pods="0", cpu="0", memory="0")


@pytest.mark.parametrize(
    ("inside", "outside", "spec"),
    [
        pytest.param(
            "BestEffort", "NotBestEffort", {"requests": {}},
            marks=pytest.mark.conformance(
                "[sig-api-machinery] ResourceQuota should verify ResourceQuota with best effort "
                "scope. [Conformance]"
            ),
        ),
        pytest.param(
            "Terminating", "NotTerminating", {"activeDeadlineSeconds": 3600},
            marks=pytest.mark.conformance(
                "[sig-api-machinery] ResourceQuota should verify ResourceQuota with terminating "
                "scopes. [Conformance]"
            ),
        ),
    ],
)  # fmt: skip
async def test_should_verify_resource_quota_with_scopes(
    stage: Stage, inside: str, outside: str, spec: Object
) -> None:
    namespace = await stage.namespace(f"scopes-{inside.lower()}")
    for name, scope in (("inside", inside), ("outside", outside)):
        await make_quota(stage, namespace, {"pods": "5"}, name, scopes=[scope])
    for body, counts, other in (
        (pod("one", namespace, **spec), "inside", "outside"),
        (pod("two", namespace), "outside", "inside"),
    ):
        await stage.client.create(PODS, body)
        await until_used(stage, namespace, counts, pods="1")
        await until_used(stage, namespace, other, pods="0")
        await stage.client.delete(PODS, body["metadata"]["name"], namespace)
        await until_used(stage, namespace, counts, pods="0")


@pytest.mark.conformance(
    "[sig-api-machinery] ResourceQuota should be able to update and delete ResourceQuota. "
    "[Conformance]",
)
async def test_should_be_able_to_update_and_delete_resource_quota(stage: Stage) -> None:
    namespace = await stage.namespace("quotas")
    await make_quota(stage, namespace, {"cpu": "1"})
    changed = {"spec": {"hard": {"cpu": "2", "memory": "1Gi"}}}
    await stage.client.patch(RESOURCEQUOTAS, "q", changed, namespace)
    await until_used(stage, namespace, cpu="0", memory="0")
    status = {"status": {"hard": {"cpu": "7"}, "used": {"cpu": "3"}}}
    patched = await stage.client.patch(RESOURCEQUOTAS, "q", status, namespace, subresource="status")
    assert patched["status"]["used"]["cpu"] == "3"
    await stage.client.delete(RESOURCEQUOTAS, "q", namespace)
    await stage.until(
        lambda: stage.get(RESOURCEQUOTAS, f"{namespace}/q") is None, "the quota's end"
    )


def test_what_a_quota_counts_is_found_among_the_resources() -> None:
    names = ["pods", "requests.cpu", "count/widgets.example.com", "secrets", "limits.memory"]
    rows, custom = counted_resources(names)
    assert sorted(row.plural for row in rows) == ["pods", "secrets"]
    assert custom == [("example.com", "widgets")]
    assert counted_resources(["count/customresourcedefinitions.apiextensions.k8s.io"])[0] == []
    assert not CUSTOMRESOURCEDEFINITIONS.namespaced


async def test_what_a_server_had_charged_that_died_before_it_stored_anything_is_counted_no_more(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = await stage.namespace("died")
    await make_quota(stage, namespace, {"pods": "3"})
    await stage.client.create(PODS, pod("one", namespace))
    monkeypatch.setattr(quota_reservations, "LEASE_SECONDS", 2)
    etcd = EtcdClient(stage.server.config.etcd)
    try:
        key = f"/registry/resourcequotas/{namespace}/q".encode()
        stored, _ = await etcd.get(key)
        assert stored is not None
        quota = orjson.loads(stored.value)
        quota["status"]["used"] = {"pods": "3"}
        made = await QuotaReservations(etcd, "/registry", time.monotonic).made(namespace)
        assert (await etcd.change(
            KeyChange(key, orjson.dumps(quota), stored.mod_revision), made
        )).succeeded  # fmt: skip
    finally:
        await etcd.close()
    with pytest.raises(Forbidden):
        await stage.client.create(PODS, pod("two", namespace))
    await stage.client.delete(PODS, "one", namespace, options={"gracePeriodSeconds": 0})
    await until_used(stage, namespace, pods="0")
