"""Defaults: what a minimal object becomes, compared whole with what upstream stores."""

import copy
from typing import Any

import pytest

from control_plane.api.defaults import DEFAULTS, apply_defaults
from control_plane.api.defaults.image_names import pull_policy
from control_plane.api.resources import (
    DEPLOYMENTS,
    ENDPOINTS,
    ENDPOINTSLICES,
    NAMESPACES,
    NODES,
    OFF_BY_DEFAULT,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    RESOURCES,
    SECRETS,
    SERVICES,
    Resource,
)

CONTAINER = {
    "name": "c",
    "image": "nginx",
    "imagePullPolicy": "Always",
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
POD_SPEC = {
    "containers": [CONTAINER],
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}
TEMPLATE = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {"containers": [{"name": "c", "image": "nginx"}]},
}
FULL_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": POD_SPEC}

GOLDEN: list[tuple[str, Resource, dict[str, Any], dict[str, Any]]] = [
    (
        "pod",
        PODS,
        {"spec": {"containers": [{"name": "c", "image": "nginx"}]}},
        {"spec": {**POD_SPEC, "enableServiceLinks": True}},
    ),
    (
        "deployment",
        DEPLOYMENTS,
        {"spec": {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}},
        {
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"a": "b"}},
                "strategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
                },
                "revisionHistoryLimit": 10,
                "progressDeadlineSeconds": 600,
                "template": FULL_TEMPLATE,
            }
        },
    ),
    (
        "deployment that recreates, with explicit zeroes",
        DEPLOYMENTS,
        {"spec": {"replicas": 0, "revisionHistoryLimit": 0, "strategy": {"type": "Recreate"}}},
        {
            "spec": {
                "replicas": 0,
                "revisionHistoryLimit": 0,
                "strategy": {"type": "Recreate"},
                "progressDeadlineSeconds": 600,
                "template": {
                    "spec": {key: POD_SPEC[key] for key in POD_SPEC if key != "containers"}
                },
            }
        },
    ),
    (
        "replica set",
        REPLICASETS,
        {"spec": {"template": TEMPLATE}},
        {"spec": {"replicas": 1, "template": FULL_TEMPLATE}},
    ),
    (
        "replication controller takes labels and selector from its template",
        REPLICATIONCONTROLLERS,
        {"spec": {"template": TEMPLATE}},
        {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"replicas": 1, "selector": {"a": "b"}, "template": FULL_TEMPLATE},
        },
    ),
    (
        "service",
        SERVICES,
        {"spec": {"ports": [{"port": 80}]}},
        {
            "spec": {
                "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
                "sessionAffinity": "None",
                "type": "ClusterIP",
                "internalTrafficPolicy": "Cluster",
            },
            "status": {"loadBalancer": {}},
        },
    ),
    (
        "service of a port without a number, which is refused as 0",
        SERVICES,
        {"spec": {"clusterIP": "None", "ports": [{"name": "a"}]}},
        {
            "spec": {
                "clusterIP": "None",
                "ports": [{"name": "a", "protocol": "TCP", "targetPort": 0}],
                "sessionAffinity": "None",
                "type": "ClusterIP",
                "internalTrafficPolicy": "Cluster",
            },
            "status": {"loadBalancer": {}},
        },
    ),
    (
        "load balancer with affinity",
        SERVICES,
        {
            "spec": {"type": "LoadBalancer", "sessionAffinity": "ClientIP", "ports": []},
            "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "h"}]}},
        },
        {
            "spec": {
                "type": "LoadBalancer",
                "sessionAffinity": "ClientIP",
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}},
                "ports": [],
                "externalTrafficPolicy": "Cluster",
                "internalTrafficPolicy": "Cluster",
                "allocateLoadBalancerNodePorts": True,
            },
            "status": {
                "loadBalancer": {"ingress": [{"ip": "1.2.3.4", "ipMode": "VIP"}, {"hostname": "h"}]}
            },
        },
    ),
    (
        "external name",
        SERVICES,
        {"spec": {"type": "ExternalName", "externalName": "x.y"}},
        {
            "spec": {"type": "ExternalName", "externalName": "x.y", "sessionAffinity": "None"},
            "status": {"loadBalancer": {}},
        },
    ),
    (
        "secret",
        SECRETS,
        {"data": {"a": "b2xk", "k": "a2VwdA=="}, "stringData": {"a": "new"}},
        {"data": {"a": "bmV3", "k": "a2VwdA=="}, "type": "Opaque"},
    ),
    (
        "namespace",
        NAMESPACES,
        {"metadata": {"name": "n", "labels": {"kubernetes.io/metadata.name": "wrong"}}},
        {
            "metadata": {"name": "n", "labels": {"kubernetes.io/metadata.name": "n"}},
            "status": {"phase": "Active"},
        },
    ),
    (
        "node",
        NODES,
        {
            "spec": {"podCIDR": "10.0.0.0/24"},
            "status": {"capacity": {"cpu": "2000m", "memory": "1024Mi"}},
        },
        {
            "spec": {"podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24"]},
            "status": {
                "capacity": {"cpu": "2", "memory": "1Gi"},
                "allocatable": {"cpu": "2", "memory": "1Gi"},
            },
        },
    ),
    (
        "persistent volume",
        PERSISTENTVOLUMES,
        {"spec": {"capacity": {"storage": "1Gi"}, "hostPath": {"path": "/x"}}},
        {
            "spec": {
                "capacity": {"storage": "1Gi"},
                "hostPath": {"path": "/x", "type": ""},
                "persistentVolumeReclaimPolicy": "Retain",
                "volumeMode": "Filesystem",
            },
            "status": {"phase": "Pending"},
        },
    ),
    (
        "persistent volume claim",
        PERSISTENTVOLUMECLAIMS,
        {"spec": {"resources": {"requests": {"storage": "1024Mi"}}}},
        {
            "spec": {"resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Filesystem"},
            "status": {"phase": "Pending"},
        },
    ),
    (
        "endpoints",
        ENDPOINTS,
        {"subsets": [{"ports": [{"port": 1}]}]},
        {"subsets": [{"ports": [{"port": 1, "protocol": "TCP"}]}]},
    ),
    (
        "endpoint slice",
        ENDPOINTSLICES,
        {"ports": [{"port": 1}]},
        {"ports": [{"port": 1, "name": "", "protocol": "TCP"}]},
    ),
]


@pytest.mark.parametrize(
    ("resource", "given", "expected"),
    [pytest.param(*row[1:], id=row[0]) for row in GOLDEN],
)
def test_a_minimal_object_is_completed(
    resource: Resource, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    obj = copy.deepcopy(given)
    apply_defaults(resource, obj)
    assert obj == expected
    apply_defaults(resource, obj)
    assert obj == expected, "defaulting twice must change nothing"


def default_pod(spec: dict[str, Any]) -> dict[str, Any]:
    pod = {"spec": copy.deepcopy(spec)}
    apply_defaults(PODS, pod)
    return pod["spec"]


def default_container(**fields: Any) -> dict[str, Any]:
    container: dict[str, Any] = default_pod({"containers": [{"name": "c", **fields}]})[
        "containers"
    ][0]
    return container


def test_requests_follow_limits() -> None:
    resources = {"limits": {"cpu": "1.5", "memory": "64Mi"}, "requests": {"cpu": "0.25"}}
    assert default_container(resources=resources)["resources"] == {
        "limits": {"cpu": "1500m", "memory": "64Mi"},
        "requests": {"cpu": "250m", "memory": "64Mi"},
    }


def test_quantities_finer_than_a_thousandth_are_rounded_up() -> None:
    assert default_container(resources={"requests": {"cpu": "100u"}})["resources"]["requests"] == {
        "cpu": "1m"
    }


def test_templates_do_not_copy_limits() -> None:
    template = copy.deepcopy(TEMPLATE)
    template["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1"}}  # type: ignore[index]
    deployment = {"spec": {"template": template}}
    apply_defaults(DEPLOYMENTS, deployment)
    containers: Any = deployment["spec"]["template"]["spec"]["containers"]  # type: ignore[index]
    assert containers[0]["resources"] == {"limits": {"cpu": "1"}}


def test_probes_are_completed() -> None:
    probes = {"livenessProbe": {"httpGet": {"port": 80}}, "readinessProbe": {"grpc": {"port": 1}}}
    numbers = {
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    container = default_container(**probes)
    assert container["livenessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        **numbers,
    }
    assert container["readinessProbe"] == {"grpc": {"port": 1, "service": ""}, **numbers}


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        ({}, {"emptyDir": {}}),
        ({"secret": {"secretName": "s"}}, {"secret": {"secretName": "s", "defaultMode": 420}}),
        (
            {"configMap": {"name": "c", "defaultMode": 0}},
            {"configMap": {"name": "c", "defaultMode": 0}},
        ),
        ({"hostPath": {"path": "/"}}, {"hostPath": {"path": "/", "type": ""}}),
        (
            {
                "projected": {
                    "sources": [
                        {"serviceAccountToken": {"path": "t"}},
                        {"downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "x"}}]}},
                    ]
                }
            },
            {
                "projected": {
                    "defaultMode": 420,
                    "sources": [
                        {"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}},
                        {
                            "downwardAPI": {
                                "items": [
                                    {
                                        "path": "n",
                                        "fieldRef": {"fieldPath": "x", "apiVersion": "v1"},
                                    }
                                ]
                            }
                        },
                    ],
                }
            },
        ),
    ],
)
def test_volume_sources_are_completed(volume: dict[str, Any], expected: dict[str, Any]) -> None:
    spec = default_pod({"containers": [], "volumes": [{"name": "v", **volume}]})
    assert spec["volumes"] == [{"name": "v", **expected}]


def test_host_network_sets_host_ports() -> None:
    spec = default_pod(
        {"hostNetwork": True, "containers": [{"name": "c", "ports": [{"containerPort": 80}]}]}
    )
    assert spec["containers"][0]["ports"] == [
        {"containerPort": 80, "hostPort": 80, "protocol": "TCP"}
    ]


@pytest.mark.parametrize("field", ["serviceAccount", "serviceAccountName"])
def test_both_names_of_the_service_account_are_set(field: str) -> None:
    spec = default_pod({"containers": [], field: "robot"})
    assert (spec["serviceAccount"], spec["serviceAccountName"]) == ("robot", "robot")


def test_pod_level_requests_are_the_containers_or_the_limits() -> None:
    containers = [{"name": n, "resources": {"requests": {"cpu": "100m"}}} for n in ("a", "b")]
    limits = {"cpu": "1", "memory": "1Gi"}
    spec = default_pod({"containers": containers, "resources": {"limits": limits}})
    assert spec["resources"] == {"limits": limits, "requests": {"cpu": "200m", "memory": "1Gi"}}


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.2", "IfNotPresent"),
        ("registry:5000/team/nginx", "Always"),
        ("registry:5000/team/nginx:1", "IfNotPresent"),
        (f"nginx@sha256:{'0' * 64}", "IfNotPresent"),
        (f"nginx:latest@sha256:{'0' * 64}", "Always"),
        ("not an image", "IfNotPresent"),
        ("UPPER", "IfNotPresent"),
        ("", "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


def test_every_row_of_the_table_names_a_served_kind() -> None:
    rows = (*RESOURCES, *OFF_BY_DEFAULT)
    assert set(DEFAULTS) <= {(resource.group, resource.kind) for resource in rows}
