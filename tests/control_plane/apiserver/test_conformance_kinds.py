"""Conformance: what the API is asked of single kinds, with the official dynamic client.

Every kind of OPERATIONS lives through all verbs, as in the tests of these names; every kind of
STATUSES has its status patched and replaced, which leaves its spec alone. What the same tests ask
of controllers and nodes is in their own directories.
"""

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from kubernetes import client as typed_client
from kubernetes import config as typed_config
from kubernetes import dynamic as typed_dynamic

from control_plane.api.resources import (
    CERTIFICATESIGNINGREQUESTS,
    CONFIGMAPS,
    CONTROLLERREVISIONS,
    CRONJOBS,
    CSIDRIVERS,
    CSINODES,
    CSISTORAGECAPACITIES,
    DAEMONSETS,
    DEPLOYMENTS,
    ENDPOINTS,
    ENDPOINTSLICES,
    EVENTS,
    INGRESSCLASSES,
    INGRESSES,
    JOBS,
    LEASES,
    LIMITRANGES,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    PODTEMPLATES,
    PRIORITYCLASSES,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    RESOURCEQUOTAS,
    RUNTIMECLASSES,
    SECRETS,
    SERVICEACCOUNTS,
    STATEFULSETS,
    STORAGECLASSES,
    VOLUMEATTACHMENTS,
    VOLUMEATTRIBUTESCLASSES,
    Resource,
)
from tests.control_plane.apiserver.minimal_objects import minimal_object, unused_name
from tests.support.apiserver import ThreadedApiServer

# Half of the package is untyped and every field may be None: its types say nothing here.
client: Any = typed_client
config: Any = typed_config
dynamic: Any = typed_dynamic

Object = dict[str, Any]
MERGE = "application/merge-patch+json"
NOW = "2026-01-02T03:04:05Z"
CONDITION = {
    "type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from an e2e test",
    "lastTransitionTime": NOW,
}  # fmt: skip
CONDITIONS = {"conditions": [CONDITION]}

OPERATIONS: list[tuple[Resource, list[str]]] = [
    (CERTIFICATESIGNINGREQUESTS, [
        "[sig-auth] Certificates API [Privileged:ClusterAdmin] should support CSR API operations "
        "[Conformance]"]),
    (CONFIGMAPS, ["[sig-node] ConfigMap should run through a ConfigMap lifecycle [Conformance]"]),
    (CONTROLLERREVISIONS, [
        "[sig-apps] ControllerRevision [Serial] should manage the lifecycle of a "
        "ControllerRevision [Conformance]"]),
    (CRONJOBS, ["[sig-apps] CronJob should support CronJob API operations [Conformance]"]),
    (CSIDRIVERS, [
        "[sig-storage] CSIInlineVolumes should run through the lifecycle of a CSIDriver "
        "[Conformance]"]),
    (CSINODES, [
        "[sig-storage] CSINodes CSI Conformance should run through the lifecycle of a csinode "
        "[Conformance]"]),
    (CSISTORAGECAPACITIES, [
        "[sig-storage] CSIStorageCapacity should support CSIStorageCapacities API operations "
        "[Conformance]"]),
    (ENDPOINTS, [
        "[sig-network] Endpoints should test the lifecycle of an Endpoint [Conformance]"]),
    (ENDPOINTSLICES, [
        "[sig-network] EndpointSlice should support creating EndpointSlice API operations "
        "[Conformance]"]),
    (EVENTS, [
        "[sig-instrumentation] Events should delete a collection of events [Conformance]",
        "[sig-instrumentation] Events should manage the lifecycle of an event [Conformance]"]),
    (INGRESSCLASSES, [
        "[sig-network] IngressClass API should support creating IngressClass API operations "
        "[Conformance]"]),
    (INGRESSES, [
        "[sig-network] Ingress API should support creating Ingress API operations [Conformance]"]),
    (LEASES, ["[sig-node] Lease lease API should be available [Conformance]"]),
    (LIMITRANGES, [
        "[sig-scheduling] LimitRange should list, patch and delete a LimitRange by collection "
        "[Conformance]"]),
    (NODES, [
        "[sig-node] Node Lifecycle should run through the lifecycle of a node [Conformance]"]),
    (PERSISTENTVOLUMECLAIMS, [
        "[sig-storage] PersistentVolumes CSI Conformance should run through the lifecycle of a PV "
        "and a PVC [Conformance]"]),
    (PERSISTENTVOLUMES, [
        "[sig-storage] PersistentVolumes CSI Conformance should run through the lifecycle of a PV "
        "and a PVC [Conformance]"]),
    (PODTEMPLATES, [
        "[sig-node] PodTemplates should delete a collection of pod templates [Conformance]",
        "[sig-node] PodTemplates should replace a pod template [Conformance]",
        "[sig-node] PodTemplates should run the lifecycle of PodTemplates [Conformance]"]),
    (PRIORITYCLASSES, [
        "[sig-scheduling] SchedulerPreemption [Serial] PriorityClass endpoints verify "
        "PriorityClass endpoints can be operated with different HTTP methods [Conformance]"]),
    (RESOURCEQUOTAS, [
        "[sig-api-machinery] ResourceQuota should manage the lifecycle of a ResourceQuota "
        "[Conformance]"]),
    (RUNTIMECLASSES, [
        "[sig-node] RuntimeClass should support RuntimeClasses API operations [Conformance]"]),
    (SECRETS, ["[sig-node] Secrets should patch a secret [Conformance]"]),
    (SERVICEACCOUNTS, [
        "[sig-auth] ServiceAccounts should run through the lifecycle of a ServiceAccount "
        "[Conformance]",
        "[sig-auth] ServiceAccounts should update a ServiceAccount [Conformance]"]),
    (STORAGECLASSES, [
        "[sig-storage] StorageClasses CSI Conformance should run through the lifecycle of a "
        "StorageClass [Conformance]"]),
    (VOLUMEATTACHMENTS, [
        "[sig-storage] VolumeAttachment Conformance should run through the lifecycle of a "
        "VolumeAttachment [Conformance]"]),
    (VOLUMEATTRIBUTESCLASSES, [
        "[sig-storage] VolumeAttributesClass [FeatureGate:VolumeAttributesClass] should run "
        "through the lifecycle of a VolumeAttributesClass [Conformance]"]),
]  # fmt: skip

STATUSES: list[tuple[Resource, Object, str]] = [
    (CERTIFICATESIGNINGREQUESTS, {"conditions": [{**CONDITION, "lastUpdateTime": NOW}]},
     "[sig-auth] Certificates API [Privileged:ClusterAdmin] should support CSR API operations "
     "[Conformance]"),
    (CRONJOBS, {"lastScheduleTime": NOW},
     "[sig-apps] CronJob should support CronJob API operations [Conformance]"),
    (DAEMONSETS, CONDITIONS,
     "[sig-apps] Daemon set [Serial] should verify changes to a daemon set status [Conformance]"),
    (DEPLOYMENTS, CONDITIONS,
     "[sig-apps] Deployment should validate Deployment Status endpoints [Conformance]"),
    (INGRESSES, {"loadBalancer": {"ingress": [{"ip": "169.1.1.1"}]}},
     "[sig-network] Ingress API should support creating Ingress API operations [Conformance]"),
    (JOBS, CONDITIONS, "[sig-apps] Job should apply changes to a job status [Conformance]"),
    (NAMESPACES, CONDITIONS,
     "[sig-api-machinery] Namespaces [Serial] should apply changes to a namespace status "
     "[Conformance]"),
    (NODES, CONDITIONS,
     "[sig-node] Node Lifecycle should run through the lifecycle of a node [Conformance]"),
    (PERSISTENTVOLUMECLAIMS, CONDITIONS,
     "[sig-storage] PersistentVolumes CSI Conformance should apply changes to a pv/pvc status "
     "[Conformance]"),
    (PERSISTENTVOLUMES, {"message": "StatusPatched", "reason": "E2E patchStatus"},
     "[sig-storage] PersistentVolumes CSI Conformance should apply changes to a pv/pvc status "
     "[Conformance]"),
    (PODS, CONDITIONS, "[sig-node] Pods should patch a pod status [Conformance]"),
    (REPLICASETS, CONDITIONS,
     "[sig-apps] ReplicaSet should validate Replicaset Status endpoints [Conformance]"),
    (REPLICATIONCONTROLLERS, CONDITIONS,
     "[sig-apps] ReplicationController should test the lifecycle of a ReplicationController "
     "[Conformance]"),
    (RESOURCEQUOTAS, {"hard": {"cpu": "500m"}},
     "[sig-api-machinery] ResourceQuota should apply changes to a resourcequota status "
     "[Conformance]"),
    (STATEFULSETS, CONDITIONS,
     "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should validate "
     "Statefulset Status endpoints [Conformance]"),
    (VOLUMEATTACHMENTS, {"attached": True},
     "[sig-storage] VolumeAttachment Conformance should apply changes to a volumeattachment "
     "status [Conformance]"),
]  # fmt: skip

# Their status endpoint writes no metadata.
KEEPS_METADATA = (VOLUMEATTACHMENTS,)

SCALED: list[tuple[Resource, str]] = [
    (DEPLOYMENTS,
     "[sig-apps] Deployment Deployment should have a working scale subresource [Conformance]"),
    (REPLICASETS,
     "[sig-apps] ReplicaSet Replicaset should have a working scale subresource [Conformance]"),
    (REPLICATIONCONTROLLERS,
     "[sig-apps] ReplicationController should get and update a ReplicationController scale "
     "[Conformance]"),
    (STATEFULSETS,
     "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should have a "
     "working scale subresource [Conformance]"),
]  # fmt: skip


def case(resource: Resource, *values: Any, names: list[str]) -> Any:
    marks = pytest.mark.conformance(*names)
    return pytest.param(resource, *values, marks=marks, id=resource.plural)


@pytest.fixture(scope="module")
def official(server: ThreadedApiServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    configured = config.new_client_from_config(str(server.kubeconfig))
    cache = tmp_path_factory.mktemp("discovery") / "cache.json"
    yield dynamic.DynamicClient(configured, cache_file=str(cache))
    configured.rest_client.pool_manager.clear()
    configured.close()


class Kind(NamedTuple):
    """One kind through the dynamic client; its objects have a label of their own."""

    resource: Resource
    api: Any
    namespace: str
    label: str

    @property
    def where(self) -> dict[str, str]:
        return {"namespace": self.namespace} if self.resource.namespaced else {}

    @property
    def selector(self) -> str:
        return f"e2e-test={self.label}"

    def create(self, name: str) -> Any:
        body = minimal_object(self.resource, name, self.namespace)
        body["metadata"]["labels"] = {"e2e-test": self.label}
        return self.api.create(body=body, **self.where)

    def patch(self, name: str, body: Object) -> Any:
        return self.api.patch(name=name, body=body, content_type=MERGE, **self.where)

    def names(self, **where: str) -> list[str]:
        found = self.api.get(label_selector=self.selector, **where).items
        return sorted(item.metadata.name for item in found)

    def let_go(self, name: str) -> None:
        """Do what the controllers that hold an object would do."""
        with contextlib.suppress(dynamic.exceptions.NotFoundError):
            self.patch(name, {"metadata": {"finalizers": None}})


def kind(official: Any, resource: Resource, namespace: str) -> Kind:
    api = official.resources.get(api_version=resource.api_version, kind=resource.kind)
    return Kind(resource, api, namespace, uuid.uuid4().hex[:8])


def changes_since(kind: Kind, version: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Types of events and the annotations of their objects, until an object is deleted."""
    events = kind.api.watch(
        label_selector=kind.selector, resource_version=version, timeout=60, **kind.where
    )
    with contextlib.closing(events):
        for event in events:
            yield event["type"], dict(event["object"].metadata.annotations or {})
            if event["type"] == "DELETED":
                return


@pytest.mark.parametrize("resource", [case(row, names=names) for row, names in OPERATIONS])
def test_should_support_api_operations(official: Any, namespace: str, resource: Resource) -> None:
    one = kind(official, resource, namespace)
    name = unused_name(resource)
    made = one.create(name)
    with pytest.raises(dynamic.exceptions.ConflictError):
        one.create(name)
    found = one.api.get(name=name, **one.where)
    assert (found.kind, found.metadata.uid) == (resource.kind, made.metadata.uid)
    assert one.names(**one.where) == one.names() == [name]
    patched = one.patch(name, {"metadata": {"annotations": {"patched": "true"}}})
    assert patched.metadata.annotations["patched"] == "true"
    sent = patched.to_dict()
    sent["metadata"]["annotations"]["updated"] = "true"
    updated = one.api.replace(body=sent, **one.where)
    assert updated.metadata.annotations["updated"] == "true"
    with pytest.raises(dynamic.exceptions.ConflictError):
        one.api.replace(body=made.to_dict(), **one.where)
    one.api.delete(name=name, **one.where)
    one.let_go(name)
    with pytest.raises(dynamic.exceptions.NotFoundError):
        one.api.get(name=name, **one.where)
    seen = list(changes_since(one, made.metadata.resourceVersion))
    assert [kind for kind, _ in seen[:2]] == ["MODIFIED", "MODIFIED"]
    assert "patched" in seen[0][1]
    assert "updated" in seen[1][1]
    assert seen[-1][0] == "DELETED"


@pytest.mark.parametrize("resource", [case(row, names=names) for row, names in OPERATIONS])
def test_should_delete_a_collection(official: Any, namespace: str, resource: Resource) -> None:
    one = kind(official, resource, namespace)
    several = sorted(unused_name(resource) for _ in range(3))
    for name in several:
        one.create(name)
    assert one.names(**one.where) == several
    one.api.delete(label_selector=one.selector, **one.where)
    for name in several:
        one.let_go(name)
    assert one.names(**one.where) == []


@pytest.mark.parametrize(
    ("resource", "status"), [case(row, status, names=[name]) for row, status, name in STATUSES]
)
def test_should_apply_changes_to_a_status(
    official: Any, namespace: str, resource: Resource, status: Object
) -> None:
    one = kind(official, resource, namespace)
    name = unused_name(resource)
    made = one.create(name).to_dict()
    body = {"metadata": {"annotations": {"patchedstatus": "true"}}, "status": status}
    patched = one.api.status.patch(name=name, body=body, content_type=MERGE, **one.where).to_dict()
    assert patched["status"].items() >= status.items()
    annotated = (patched["metadata"].get("annotations") or {}).get("patchedstatus") == "true"
    assert annotated is (resource not in KEEPS_METADATA)
    assert patched.get("spec") == made.get("spec")
    key = next(iter(status))
    patched["status"].pop(key)
    replaced = one.api.status.replace(body=patched, **one.where).to_dict()
    assert replaced.get("status", {}).get(key) != status[key]
    read = one.api.status.get(name=name, **one.where).to_dict()
    assert read["metadata"]["resourceVersion"] == replaced["metadata"]["resourceVersion"]
    one.api.delete(name=name, **one.where)
    one.let_go(name)


@pytest.mark.parametrize("resource", [case(row, names=[name]) for row, name in SCALED])
def test_should_have_a_working_scale_subresource(
    official: Any, namespace: str, resource: Resource
) -> None:
    one = kind(official, resource, namespace)
    one.create("e2e")
    scale = one.api.scale.get(name="e2e", namespace=namespace)
    assert (scale.kind, scale.spec.replicas) == ("Scale", 1)
    sent = scale.to_dict()
    sent["spec"]["replicas"] = 2
    assert one.api.scale.replace(body=sent, namespace=namespace).spec.replicas == 2
    assert one.api.get(name="e2e", namespace=namespace).spec.replicas == 2
    body = {"spec": {"replicas": 4}}
    patched = one.api.scale.patch(name="e2e", body=body, content_type=MERGE, namespace=namespace)
    assert patched.spec.replicas == 4
    assert one.api.get(name="e2e", namespace=namespace).spec.replicas == 4
