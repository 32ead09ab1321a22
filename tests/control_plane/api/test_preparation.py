"""What the server sets, keeps and clears on a write: status and spec apart, generation,
services.
"""

import copy
from typing import Any

import pytest

from control_plane.api.preparation import (
    STRATEGIES,
    clear_system_metadata,
    prepare_for_create,
    prepare_for_update,
    strategy_for,
)
from control_plane.api.preparation.qos_class import qos_class
from control_plane.api.resources import (
    DEPLOYMENTS,
    ENDPOINTSLICES,
    EVENTS,
    LEASES,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODDISRUPTIONBUDGETS,
    PODS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    RESOURCES,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    Resource,
)

NOW = "2026-01-01T00:00:00Z"
Obj = dict[str, Any]


def created(resource: Resource, **fields: Any) -> Obj:
    obj = {"metadata": {"name": "x"}, **copy.deepcopy(fields)}
    prepare_for_create(resource, obj, now=NOW)
    return obj


def updated(resource: Resource, new: Obj, old: Obj, subresource: str = "") -> Obj:
    before = copy.deepcopy(old)
    result = {"metadata": {}, **copy.deepcopy(new)}
    prepare_for_update(resource, result, old, now=NOW, subresource=subresource)
    assert old == before, "the stored object must stay as it is"
    return result


@pytest.mark.parametrize(
    ("resource", "given", "expected"),
    [
        (PODS, {"spec": {}}, {"phase": "Pending", "qosClass": "BestEffort"}),
        (DEPLOYMENTS, {"status": {"replicas": 9}}, {}),
        (REPLICASETS, {"status": {"replicas": 9}}, {"replicas": 0}),
        (SERVICES, {"spec": {}, "status": {"x": 1}}, {"loadBalancer": {}}),
        (NAMESPACES, {"status": {"phase": "Terminating"}}, {"phase": "Active"}),
        (
            PODDISRUPTIONBUDGETS,
            {},
            {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0},
        ),
        (PERSISTENTVOLUMES, {}, {"phase": "Pending", "lastPhaseTransitionTime": NOW}),
        (PERSISTENTVOLUMECLAIMS, {"status": {"phase": "Bound"}}, {"phase": "Pending"}),
    ],
)
def test_the_status_of_a_new_object(resource: Resource, given: Obj, expected: Obj) -> None:
    assert created(resource, **given)["status"] == expected


def test_structs_within_a_status_are_always_there() -> None:
    status = created(NODES, status={"capacity": {"cpu": "1"}, "nodeInfo": {"machineID": "m"}})
    found = status["status"]
    assert found["capacity"] == {"cpu": "1"}
    assert found["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 0}}
    assert (found["nodeInfo"]["machineID"], found["nodeInfo"]["bootID"]) == ("m", "")
    changed = updated(NODES, {"status": {}}, status, "status")
    assert changed["status"]["nodeInfo"]["machineID"] == ""


@pytest.mark.parametrize(
    ("resource", "generation"),
    [
        (PODS, 1),
        (DEPLOYMENTS, 1),
        (REPLICASETS, 1),
        (REPLICATIONCONTROLLERS, 1),
        (ENDPOINTSLICES, 1),
        (SERVICES, None),
        (NODES, None),
    ],
)
def test_the_generation_of_a_new_object(resource: Resource, generation: int | None) -> None:
    assert created(resource)["metadata"].get("generation") == generation


STORED: Obj = {
    "metadata": {
        "name": "x",
        "uid": "u",
        "generation": 3,
        "creationTimestamp": "t",
        "labels": {"a": "b"},
    },
    "spec": {"replicas": 1},
    "status": {"replicas": 1},
}


@pytest.mark.parametrize("resource", [PODS, DEPLOYMENTS, REPLICASETS, REPLICATIONCONTROLLERS])
def test_the_main_endpoint_keeps_the_status_and_counts_specs(resource: Resource) -> None:
    new = updated(resource, {"spec": {"replicas": 2}, "status": {"replicas": 7}}, STORED)
    assert new["status"] == STORED["status"]
    assert new["spec"] == {"replicas": 2}
    assert new["metadata"]["generation"] == 4
    same = {"metadata": {"generation": 9}, "spec": {"replicas": 1, "selector": {}}}
    assert updated(resource, same, STORED)["metadata"]["generation"] == 3


@pytest.mark.parametrize("resource", [PODS, DEPLOYMENTS, REPLICASETS, NODES, SERVICES])
def test_the_status_endpoint_keeps_the_spec(resource: Resource) -> None:
    new = updated(resource, {"spec": {"replicas": 2}, "status": {"replicas": 7}}, STORED, "status")
    assert new["spec"] == STORED["spec"]
    assert new["status"]["replicas"] == 7
    assert new["metadata"]["generation"] == 3


def test_annotations_make_a_generation_of_a_deployment_only() -> None:
    new = {**STORED, "metadata": {**STORED["metadata"], "annotations": {"a": "b"}}}
    assert updated(DEPLOYMENTS, new, STORED)["metadata"]["generation"] == 4
    assert updated(REPLICASETS, new, STORED)["metadata"]["generation"] == 3


def test_a_deployments_status_keeps_its_labels() -> None:
    new = updated(DEPLOYMENTS, {"metadata": {"labels": {"x": "y"}}}, STORED, "status")
    assert new["metadata"]["labels"] == {"a": "b"}


def test_scale_writes_as_the_main_endpoint_does() -> None:
    assert strategy_for(DEPLOYMENTS, "scale") is strategy_for(DEPLOYMENTS)


def test_labels_make_a_generation_of_an_endpoint_slice() -> None:
    old = {"metadata": {"generation": 1}, "endpoints": []}
    relabelled = {"metadata": {"labels": {"a": "b"}}, "endpoints": []}
    assert updated(ENDPOINTSLICES, relabelled, old)["metadata"]["generation"] == 2
    annotated = {"metadata": {"annotations": {"a": "b"}}, "endpoints": []}
    assert updated(ENDPOINTSLICES, annotated, old)["metadata"]["generation"] == 1


def test_identity_is_carried_over() -> None:
    old = {
        "metadata": {
            "uid": "u",
            "creationTimestamp": "t",
            "deletionTimestamp": "d",
            "deletionGracePeriodSeconds": 5,
        }
    }
    assert updated(SECRETS, {"type": "Opaque"}, old)["metadata"] == old["metadata"]


def test_system_metadata_of_a_new_object_is_cleared() -> None:
    obj = {"metadata": {"name": "x", "uid": "u", "deletionTimestamp": "t"}}
    clear_system_metadata(obj)
    assert obj == {"metadata": {"name": "x"}}


def test_a_generation_that_nobody_counts_is_the_clients() -> None:
    for resource, generation in ((SECRETS, 5), (DEPLOYMENTS, 1)):
        obj: Obj = {"metadata": {"generation": 5}, "spec": {"template": {}}}
        clear_system_metadata(obj)
        prepare_for_create(resource, obj, now=NOW)
        assert obj["metadata"]["generation"] == generation


def test_a_namespace_waits_for_its_content() -> None:
    assert created(NAMESPACES)["spec"] == {"finalizers": ["kubernetes"]}
    old = {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Terminating"}}
    emptied: Obj = {"spec": {"finalizers": []}, "status": {"phase": "Active"}}
    assert updated(NAMESPACES, emptied, old)["spec"] == old["spec"]
    finalized = updated(NAMESPACES, emptied, old, "finalize")
    assert (finalized["spec"], finalized["status"]) == ({"finalizers": []}, old["status"])


def test_a_gated_pod_says_so() -> None:
    (condition,) = created(PODS, spec={"schedulingGates": [{"name": "g"}]})["status"]["conditions"]
    assert (condition["type"], condition["reason"]) == ("PodScheduled", "SchedulingGated")


def test_match_label_keys_complete_the_selector() -> None:
    obj: Obj = {
        "metadata": {"labels": {"hash": "1"}},
        "spec": {
            "topologySpreadConstraints": [{"matchLabelKeys": ["hash", "no"], "labelSelector": {}}]
        },
    }
    prepare_for_create(PODS, obj, now=NOW)
    (constraint,) = obj["spec"]["topologySpreadConstraints"]
    assert constraint["labelSelector"] == {
        "matchExpressions": [{"key": "hash", "operator": "In", "values": ["1"]}]
    }


def test_fields_of_features_that_are_off_are_dropped_unless_in_use() -> None:
    spec = {
        "workloadRef": {"name": "w"},
        "containers": [
            {"name": "c", "lifecycle": {"stopSignal": "SIGINT"}},
            {"name": "d", "lifecycle": {"stopSignal": "SIGINT", "preStop": {}}},
            {"name": "e", "lifecycle": {}},
        ],
        "volumes": [{"name": "v", "projected": {"sources": [{"podCertificate": {}}]}}],
    }
    left = {
        "containers": [
            {"name": "c"},
            {"name": "d", "lifecycle": {"preStop": {}}},
            {"name": "e", "lifecycle": {}},
        ],
        "volumes": [{"name": "v", "projected": {"sources": [{}]}}],
    }
    assert created(PODS, spec=spec)["spec"] == left
    assert updated(PODS, {"spec": spec}, {"spec": left})["spec"] == left
    assert updated(PODS, {"spec": spec}, {"spec": spec})["spec"] == spec
    deployment = created(DEPLOYMENTS, spec={"template": {"spec": spec}})
    assert deployment["spec"]["template"]["spec"] == left


def test_a_status_of_features_that_are_off_is_dropped_unless_in_use() -> None:
    health = [{"name": "c", "allocatedResourcesStatus": [{"name": "claim:a"}]}]
    status = {
        "phase": "Running",
        "resources": {"limits": {"cpu": "1"}},
        "allocatedResources": {"cpu": "1"},
        "extendedResourceClaimStatus": {"resourceClaimName": "a"},
        "containerStatuses": health,
    }
    left = {"phase": "Running", "containerStatuses": [{"name": "c"}]}
    kept = {**status, "containerStatuses": [{"name": "c"}]}
    assert updated(PODS, {"status": status}, {"status": left}, "status")["status"] == left
    assert updated(PODS, {"status": status}, {"status": status}, "status")["status"] == kept


def test_armor_annotations_become_fields() -> None:
    prefix = "container.apparmor.security.beta.kubernetes.io"
    annotations = {f"{prefix}/a": "localhost/p", f"{prefix}/b": "nonsense"}
    pod: Obj = {
        "metadata": {"annotations": annotations},
        "spec": {"containers": [{"name": "a"}, {"name": "b"}]},
    }
    prepare_for_create(PODS, pod, now=NOW)
    profile = {"type": "Localhost", "localhostProfile": "p"}
    assert pod["spec"]["containers"] == [
        {"name": "a", "securityContext": {"appArmorProfile": profile}},
        {"name": "b"},
    ]


def resources(requests: Obj | None = None, limits: Obj | None = None) -> Obj:
    found = {"requests": requests, "limits": limits}
    return {"resources": {key: value for key, value in found.items() if value}}


BOTH = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        ([resources()], "BestEffort"),
        ([resources({"example.com/gpu": "1"})], "BestEffort"),
        ([resources({"cpu": "1"})], "Burstable"),
        ([resources(BOTH, BOTH)], "Guaranteed"),
        ([resources(BOTH, BOTH), resources()], "Burstable"),
        ([resources({**BOTH, "cpu": "500m"}, BOTH)], "Burstable"),
        ([resources({**BOTH, "cpu": "1000m"}, BOTH)], "Guaranteed"),
    ],
)
def test_the_qos_class(containers: list[Obj], expected: str) -> None:
    assert qos_class({"containers": containers}) == expected


def service(**spec: Any) -> Obj:
    return {"metadata": {}, "spec": {"type": "ClusterIP", **spec}, "status": {"loadBalancer": {}}}


ALLOCATED = {
    "clusterIP": "10.0.0.1",
    "clusterIPs": ["10.0.0.1"],
    "ipFamilies": ["IPv4"],
    "ipFamilyPolicy": "SingleStack",
}


def test_a_given_cluster_ip_is_the_first_of_the_list() -> None:
    assert created(SERVICES, spec={"clusterIP": "None"})["spec"]["clusterIPs"] == ["None"]


def test_an_update_without_addresses_keeps_them() -> None:
    spec = updated(SERVICES, service(), service(**ALLOCATED))["spec"]
    assert (spec["clusterIP"], spec["clusterIPs"]) == ("10.0.0.1", ["10.0.0.1"])


def test_node_ports_are_kept_by_port_name() -> None:
    old = service(type="NodePort", ports=[{"name": "a", "port": 1, "nodePort": 30001}])
    new = service(type="NodePort", ports=[{"name": "a", "port": 2}, {"name": "b", "port": 3}])
    assert updated(SERVICES, new, old)["spec"]["ports"] == [
        {"name": "a", "port": 2, "nodePort": 30001},
        {"name": "b", "port": 3},
    ]


def test_fields_of_the_old_type_are_dropped_unless_touched() -> None:
    ports = [{"port": 1, "nodePort": 30001}]
    old = service(**ALLOCATED, ports=ports)
    old["spec"] |= {
        "type": "LoadBalancer",
        "externalTrafficPolicy": "Local",
        "healthCheckNodePort": 1,
    }
    old["spec"] |= {"allocateLoadBalancerNodePorts": True, "loadBalancerClass": "a/b"}
    old["status"] = {"loadBalancer": {"ingress": [{"ip": "1.1.1.1"}]}}
    new = copy.deepcopy(old)
    new["spec"]["type"] = "ClusterIP"
    result = updated(SERVICES, new, old)
    assert result["spec"] == {"type": "ClusterIP", **ALLOCATED, "ports": [{"port": 1}]}
    assert result["status"] == {"loadBalancer": {}}
    external = copy.deepcopy(old)
    external["spec"]["type"] = "ExternalName"
    assert updated(SERVICES, external, old)["spec"] == {
        "type": "ExternalName",
        "ports": [{"port": 1}],
    }


def test_a_volumes_phase_change_is_dated() -> None:
    old = {"status": {"phase": "Pending", "lastPhaseTransitionTime": "t"}}
    same = updated(PERSISTENTVOLUMES, {"status": {"phase": "Pending"}}, old, "status")
    assert same["status"]["lastPhaseTransitionTime"] == "t"
    bound = updated(PERSISTENTVOLUMES, {"status": {"phase": "Bound"}}, old, "status")
    assert bound["status"]["lastPhaseTransitionTime"] == NOW


def test_a_claims_data_sources_are_kept_in_step() -> None:
    source = {"kind": "PersistentVolumeClaim", "name": "s"}
    spec = created(PERSISTENTVOLUMECLAIMS, spec={"dataSource": source})["spec"]
    assert spec == {"dataSource": source, "dataSourceRef": source}
    unknown = {"kind": "Thing", "name": "s", "apiGroup": "x.io"}
    assert created(PERSISTENTVOLUMECLAIMS, spec={"dataSource": unknown})["spec"] == {}


def test_small_objects_lose_what_they_may_not_hold() -> None:
    account = created(SERVICEACCOUNTS, secrets=[{"name": "s", "namespace": "n"}])
    assert account["secrets"] == [{"name": "s"}]
    assert created(LEASES, spec={"strategy": "x", "holderIdentity": "me"})["spec"] == {
        "holderIdentity": "me"
    }


def test_how_each_resource_may_be_written() -> None:
    by_put = {r.plural for r in RESOURCES if strategy_for(r).create_on_update}
    assert by_put == {
        "endpoints", "events", "leases", "services", "limitranges", "runtimeclasses", "roles",
        "rolebindings", "clusterroles", "clusterrolebindings",
    }  # fmt: skip
    assert {r.plural for r in RESOURCES if not strategy_for(r).unconditional_update} == {
        "leases", "poddisruptionbudgets", "runtimeclasses", "csidrivers", "csinodes",
        "csistoragecapacities", "volumeattachments", "validatingadmissionpolicies",
        "validatingadmissionpolicybindings", "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations", "apiservices",
        "customresourcedefinitions",
    }  # fmt: skip
    assert strategy_for(REPLICATIONCONTROLLERS).default_propagation == "Orphan"
    assert strategy_for(EVENTS).default_propagation == ""
    assert strategy_for(DEPLOYMENTS).default_propagation == "Background"


def test_every_served_kind_has_a_row() -> None:
    assert {(r.group, r.kind, "") for r in RESOURCES if r.is_stored} <= STRATEGIES.keys()
