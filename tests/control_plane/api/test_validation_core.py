"""Config maps, secrets, volumes, claims, nodes, namespaces, leases and events."""

import base64
from typing import Any

import pytest

from control_plane.api.resources import (
    CONFIGMAPS,
    EVENTS,
    LEASES,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    SECRETS,
    Resource,
)
from tests.control_plane.api.valid_objects import Obj, create_errors, named, update_errors

KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    "'key.name',  "
    "or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def volume(**spec: Any) -> Obj:
    base = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/x"},
    }
    return named(PERSISTENTVOLUMES, spec={**base, **spec})


def on_node(name: str) -> Obj:
    expression = {"key": "n", "operator": "In", "values": [name]}
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}


def claim(**spec: Any) -> Obj:
    base = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return named(PERSISTENTVOLUMECLAIMS, spec={**base, **spec})


def event(**fields: Any) -> Obj:
    return named(EVENTS, **{"involvedObject": {"namespace": "default"}, **fields})


@pytest.mark.parametrize(
    ("resource", "obj"),
    [
        (CONFIGMAPS, named(CONFIGMAPS, data={"a.b_c-D": "x"})),
        (SECRETS, named(SECRETS, type="kubernetes.io/tls", data={"tls.crt": "", "tls.key": ""})),
        (PERSISTENTVOLUMES, volume()),
        (PERSISTENTVOLUMECLAIMS, claim()),
        (NODES, named(NODES, spec={"taints": [{"key": "a", "effect": "NoSchedule"}]})),
        (NAMESPACES, named(NAMESPACES)),
        (LEASES, named(LEASES, spec={"leaseDurationSeconds": 1, "holderIdentity": "me"})),
        (EVENTS, event()),
    ],
)
def test_sound_objects_are_valid(resource: Resource, obj: Obj) -> None:
    assert create_errors(resource, obj) == []


TAINT = {"key": "a", "effect": "NoSchedule"}
BROKEN: list[tuple[Resource, Obj, str]] = [
    (
        CONFIGMAPS,
        named(CONFIGMAPS, data={"a b": ""}),
        f'data[a b]: Invalid value: "a b": {KEY_RULE}',
    ),
    (
        CONFIGMAPS,
        named(CONFIGMAPS, data={"..": ""}),
        "data[..]: Invalid value: \"..\": must not be '..'",
    ),
    (
        CONFIGMAPS,
        named(CONFIGMAPS, data={"a": ""}, binaryData={"a": ""}),
        'data[a]: Invalid value: "a": duplicate of key present in binaryData',
    ),
    (
        CONFIGMAPS,
        named(CONFIGMAPS, data={"a": "x" * (1 << 20), "b": "x"}),
        "[]: Too long: may not be more than 1048576 bytes",
    ),
    (
        SECRETS,
        named(SECRETS, data={"a": encoded("x" * ((1 << 20) + 1))}),
        "data: Too long: may not be more than 1048576 bytes",
    ),
    (
        SECRETS,
        named(
            SECRETS,
            type="kubernetes.io/dockerconfigjson",
            data={".dockerconfigjson": encoded("[]")},
        ),
        'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": json: cannot '
        "unmarshal array into Go value of type map[string]interface {}",
    ),
    (
        SECRETS,
        named(SECRETS, type="kubernetes.io/dockercfg", data={".dockercfg": encoded("a")}),
        "data[.dockercfg]: Invalid value: \"<secret contents redacted>\": invalid character 'a' "
        "looking for beginning of value",
    ),
    (
        SECRETS,
        named(SECRETS, type="kubernetes.io/basic-auth"),
        "data[username]: Required value",
    ),
    (
        SECRETS,
        named(SECRETS, type="kubernetes.io/service-account-token"),
        "metadata.annotations[kubernetes.io/service-account.name]: Required value",
    ),
    (SECRETS, named(SECRETS, type="kubernetes.io/tls"), "data[tls.crt]: Required value"),
    (PERSISTENTVOLUMES, volume(accessModes=[]), "spec.accessModes: Required value"),
    (PERSISTENTVOLUMES, volume(hostPath=None), "spec: Required value: must specify a volume type"),
    (
        PERSISTENTVOLUMES,
        volume(nfs={"server": "s", "path": "/"}),
        "spec.nfs: Forbidden: may not specify more than 1 volume type",
    ),
    (
        PERSISTENTVOLUMES,
        volume(hostPath=None, local={"path": "/x"}),
        "spec.nodeAffinity: Required value: Local volume requires node affinity",
    ),
    (
        PERSISTENTVOLUMES,
        volume(hostPath={"path": "/a/.."}, persistentVolumeReclaimPolicy="Recycle"),
        "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount "
        "of '/'",
    ),
    (
        PERSISTENTVOLUMECLAIMS,
        claim(accessModes=[]),
        "spec.accessModes: Required value: at least 1 access mode is required",
    ),
    (
        PERSISTENTVOLUMECLAIMS,
        claim(accessModes=["ReadWriteOncePod", "ReadWriteOnce"]),
        "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
    ),
    (PERSISTENTVOLUMECLAIMS, claim(resources={}), "spec.resources[storage]: Required value"),
    (
        PERSISTENTVOLUMECLAIMS,
        claim(resources={"requests": {"storage": "0"}}),
        'spec.resources[storage]: Invalid value: "0": must be greater than zero',
    ),
    (
        NODES,
        named(NODES, spec={"taints": [{"key": "a", "effect": "NoSchedule"}] * 2}),
        'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"","Effect":"NoSchedule",'
        '"TimeAdded":null}: taints must be unique by key and effect pair',
    ),
    (
        NODES,
        named(NODES, spec={"taints": [{"key": "a", "effect": "Never"}]}),
        'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", '
        '"PreferNoSchedule", "NoExecute"',
    ),
    (
        NODES,
        named(NODES, spec={"podCIDRs": ["10.0.0.0/24", "10.0.1.0/24"]}),
        'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one '
        "CIDR for each IP family",
    ),
    (
        LEASES,
        named(LEASES, spec={"leaseDurationSeconds": 0}),
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
    ),
    (
        EVENTS,
        event(involvedObject={"namespace": "other"}),
        'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    ),
    (EVENTS, event(eventTime="2026-01-01T00:00:00.000000Z"), "reportingComponent: Required value"),
]


@pytest.mark.parametrize(("resource", "obj", "message"), BROKEN)
def test_a_broken_field_is_named(resource: Resource, obj: Obj, message: str) -> None:
    assert message in create_errors(resource, obj)


BOUND = {**claim(), "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}
UPDATES: list[tuple[Resource, Obj, Obj, list[str]]] = [
    (
        CONFIGMAPS,
        named(CONFIGMAPS, data={"a": "2"}),
        named(CONFIGMAPS, data={"a": "1"}, immutable=True),
        [
            "immutable: Forbidden: field is immutable when `immutable` is set",
            "data: Forbidden: field is immutable when `immutable` is set",
        ],
    ),
    (
        SECRETS,
        named(SECRETS, type="x"),
        named(SECRETS),
        ['type: Invalid value: "x": field is immutable'],
    ),
    (
        PERSISTENTVOLUMES,
        volume(hostPath={"path": "/y"}),
        volume(),
        [
            "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable "
            "after creation\n"
            '@@ -2,7 +2,7 @@\n  "GCEPersistentDisk": null,\n  "AWSElasticBlockStore": null,\n'
            '  "HostPath": {\n-  "Path": "/x",\n+  "Path": "/y",\n   "Type": ""\n  },\n'
            '  "Glusterfs": null,\n'
        ],
    ),
    (
        PERSISTENTVOLUMES,
        volume(nodeAffinity=on_node("b")),
        volume(nodeAffinity=on_node("a")),
        [
            'nodeAffinity: Invalid value: {"Required":{"NodeSelectorTerms":[{"MatchExpressions":'
            '[{"Key":"n","Operator":"In","Values":["b"]}],"MatchFields":null}]}}: field is '
            "immutable, except for updating from beta label to GA"
        ],
    ),
    (PERSISTENTVOLUMECLAIMS, claim(volumeName="v"), claim(), []),
    (
        PERSISTENTVOLUMECLAIMS,
        claim(resources={"requests": {"storage": "2Gi"}}),
        claim(),
        [
            "spec: Forbidden: spec is immutable after creation except resources.requests and "
            "volumeAttributesClassName for bound claims\n"
            '@@ -6,7 +6,7 @@\n  "Resources": {\n   "Limits": null,\n   "Requests": {\n'
            '-   "storage": "1Gi"\n+   "storage": "2Gi"\n   }\n  },\n  "VolumeName": "",\n'
        ],
    ),
    (
        NODES,
        named(NODES, spec={"providerID": "b"}),
        named(NODES, spec={"providerID": "a"}),
        [
            'spec.providerID: Forbidden: node updates may not change providerID except from "" '
            "to valid"
        ],
    ),
]


@pytest.mark.parametrize(("resource", "new", "old", "errors"), UPDATES)
def test_updates(resource: Resource, new: Obj, old: Obj, errors: list[str]) -> None:
    assert update_errors(resource, new, old) == errors


def test_a_namespace_is_active_until_deleted() -> None:
    terminating = {**named(NAMESPACES), "status": {"phase": "Terminating"}}
    assert update_errors(NAMESPACES, terminating, named(NAMESPACES), "status") == [
        "status.Phase: Invalid value: \"Terminating\": may only be 'Active' if "
        "`deletionTimestamp` is empty"
    ]


@pytest.mark.parametrize(
    ("status", "errors"),
    [
        ({"capacity": {"storage": "1Gi"}, "allocatedResources": {"storage": "2Gi"}}, []),
        ({"allocatedResourceStatuses": {"storage": "NodeResizePending", "a.example/x": ""}},
         ['status.allocatedResourceStatus: Unsupported value: "a.example/x": supported values: '
          '"ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", '
          '"NodeResizeInfeasible", "NodeResizePending"']),
        ({"capacity": {"storage": "-1500m"}},
         ["status.capacity[storage]: Invalid value: -1: must be a valid resource quantity"]),
        ({"allocatedResources": {"cpu": "-1", "a.example/x": "1"}},
         ['status.allocatedResources: Unsupported value: "cpu": supported values: "storage"']),
    ],
)  # fmt: skip
def test_status_of_claims(status: Obj, errors: list[str]) -> None:
    new, old = {**claim(), "status": status}, claim()
    assert update_errors(PERSISTENTVOLUMECLAIMS, new, old, "status") == errors
