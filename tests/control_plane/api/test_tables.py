"""The tables of the other resources: columns, and the cells of an example."""

from datetime import UTC, datetime
from typing import Any

import pytest

from control_plane.api.objects import Object
from control_plane.api.resources import RESOURCES, Resource, resource_named
from control_plane.api.tables import TABLES, view_for
from control_plane.api.tables.columns import View
from control_plane.api.tables.rendering import human_duration

NOW = datetime(2026, 1, 3, 0, 0, 0, tzinfo=UTC)
META = {"name": "x", "creationTimestamp": "2026-01-01T00:00:00Z"}
TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "j"}]}}


def shown(view: View, obj: Object) -> list[tuple[str, Any]]:
    """Return (heading, cell) pairs; columns of -o wide end in "*"."""
    cells = view.cells({"metadata": META, **obj}, NOW)
    headings = [column.name + "*" * column.priority for column in view.columns]
    return list(zip(headings, cells, strict=True))


SERVICE = {
    "type": "NodePort", "clusterIPs": ["10.0.0.1"], "selector": {"b": "2", "a": "1"},
    "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
}  # fmt: skip

CASES: list[tuple[str, str, Object, list[tuple[str, Any]]]] = [
    ("", "namespaces", {"status": {"phase": "Active"}},
     [("Name", "x"), ("Status", "Active"), ("Age", "2d")]),
    ("", "configmaps", {"data": {"a": ""}, "binaryData": {"b": ""}},
     [("Name", "x"), ("Data", 2), ("Age", "2d")]),
    ("", "secrets", {"type": "Opaque", "data": {"a": ""}},
     [("Name", "x"), ("Type", "Opaque"), ("Data", 1), ("Age", "2d")]),
    ("", "serviceaccounts", {}, [("Name", "x"), ("Age", "2d")]),
    ("coordination.k8s.io", "leases", {"spec": {"holderIdentity": "n1"}},
     [("Name", "x"), ("Holder", "n1"), ("Age", "2d")]),
    ("apps", "deployments",
     {"spec": {"replicas": 3, "template": TEMPLATE, "selector": {"matchLabels": {"app": "x"}}},
      "status": {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}},
     [("Name", "x"), ("Ready", "1/3"), ("Up-to-date", 2), ("Available", 1), ("Age", "2d"),
      ("Containers*", "a,b"), ("Images*", "i,j"), ("Selector*", "app=x")]),
    ("apps", "replicasets",
     {"spec": {"replicas": 3, "template": TEMPLATE, "selector": {"matchExpressions": [
         {"key": "k", "operator": "In", "values": ["b", "a"]}]}},
      "status": {"replicas": 2, "readyReplicas": 1}},
     [("Name", "x"), ("Desired", 3), ("Current", 2), ("Ready", 1), ("Age", "2d"),
      ("Containers*", "a,b"), ("Images*", "i,j"), ("Selector*", "k in (a,b)")]),
    ("", "replicationcontrollers", {"spec": {"template": TEMPLATE}},
     [("Name", "x"), ("Desired", 0), ("Current", 0), ("Ready", 0), ("Age", "2d"),
      ("Containers*", "a,b"), ("Images*", "i,j"), ("Selector*", "<none>")]),
    ("", "services", {"spec": SERVICE},
     [("Name", "x"), ("Type", "NodePort"), ("Cluster-IP", "10.0.0.1"), ("External-IP", "<none>"),
      ("Port(s)", "80:30080/TCP,53/UDP"), ("Age", "2d"), ("Selector*", "a=1,b=2")]),
    ("", "endpoints",
     {"subsets": [{"addresses": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}], "ports": [{"port": 80}]},
                  {"addresses": [{"ip": "10.0.0.2"}, {"ip": "10.0.0.3"}]}]},
     [("Name", "x"), ("Endpoints", "10.0.0.1:80,[fd00::1]:80,10.0.0.2 + 1 more..."),
      ("Age", "2d")]),
    ("discovery.k8s.io", "endpointslices",
     {"addressType": "IPv4", "ports": [{"port": 80}, {"name": "p"}, {}],
      "endpoints": [{"addresses": ["a", "b"]}, {"addresses": ["c", "d"]}]},
     [("Name", "x"), ("AddressType", "IPv4"), ("Ports", "80,p,*"),
      ("Endpoints", "a,b,c + 1 more..."), ("Age", "2d")]),
    ("", "nodes",
     {"metadata": {**META, "labels": {"node-role.kubernetes.io/worker": "",
                                      "kubernetes.io/role": "agent"}},
      "spec": {"unschedulable": True},
      "status": {"conditions": [{"type": "Ready", "status": "True"}],
                 "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
                 "nodeInfo": {"kubeletVersion": "v1.35.0", "osImage": "Debian"}}},
     [("Name", "x"), ("Status", "Ready,SchedulingDisabled"), ("Roles", "agent,worker"),
      ("Age", "2d"), ("Version", "v1.35.0"), ("Internal-IP*", "10.0.0.1"),
      ("External-IP*", "<none>"), ("OS-Image*", "Debian"), ("Kernel-Version*", "<unknown>"),
      ("Container-Runtime*", "<unknown>")]),
    ("", "events",
     {"type": "Normal", "reason": "Started", "message": " up \n", "count": 4,
      "involvedObject": {"kind": "Pod", "name": "web", "fieldPath": "spec.containers{a}"},
      "source": {"component": "kubelet", "host": "n1"},
      "firstTimestamp": "2026-01-02T23:00:00Z", "lastTimestamp": "2026-01-02T23:59:00Z"},
     [("Last Seen", "60s"), ("Type", "Normal"), ("Reason", "Started"), ("Object", "pod/web"),
      ("Subobject*", "spec.containers{a}"), ("Source*", "kubelet, n1"), ("Message", "up"),
      ("First Seen*", "60m"), ("Count*", 4), ("Name*", "x")]),
    ("", "persistentvolumes",
     {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
               "persistentVolumeReclaimPolicy": "Retain", "storageClassName": "fast",
               "claimRef": {"namespace": "n", "name": "c"}, "volumeMode": "Filesystem"},
      "status": {"phase": "Bound"}},
     [("Name", "x"), ("Capacity", "1Gi"), ("Access Modes", "RWO,RWX"),
      ("Reclaim Policy", "Retain"), ("Status", "Bound"), ("Claim", "n/c"),
      ("StorageClass", "fast"), ("VolumeAttributesClass", "<unset>"), ("Reason", ""),
      ("Age", "2d"), ("VolumeMode*", "Filesystem")]),
    ("", "persistentvolumeclaims",
     {"spec": {"accessModes": ["ReadWriteOnce"]}, "status": {"phase": "Pending"}},
     [("Name", "x"), ("Status", "Pending"), ("Volume", ""), ("Capacity", ""),
      ("Access Modes", ""), ("StorageClass", ""), ("VolumeAttributesClass", "<unset>"),
      ("Age", "2d"), ("VolumeMode*", "<unset>")]),
]  # fmt: skip


def row_of(group: str, plural: str) -> Resource:
    found = resource_named(group, "v1", plural)
    assert found is not None
    return found


@pytest.mark.parametrize(("group", "plural", "obj", "expected"), CASES, ids=lambda v: str(v)[:20])
def test_cells(group: str, plural: str, obj: Object, expected: list[tuple[str, Any]]) -> None:
    assert shown(view_for(row_of(group, plural)), obj) == expected


@pytest.mark.parametrize(
    ("spec", "ingress", "expected"),
    [
        ({"type": "ClusterIP", "externalIPs": ["1.2.3.4"]}, [], "1.2.3.4"),
        ({"type": "LoadBalancer"}, [], "<pending>"),
        ({"type": "LoadBalancer", "externalIPs": ["9.9.9.9"]}, [], "9.9.9.9"),
        ({"type": "LoadBalancer"}, [{"hostname": "b"}, {"ip": "a"}, {"ip": "a"}], "a,b"),
        ({"type": "ExternalName", "externalName": "example.com"}, [], "example.com"),
        ({}, [], "<unknown>"),
    ],
)
def test_external_ip(spec: Object, ingress: list[Object], expected: str) -> None:
    service = {"spec": spec, "status": {"loadBalancer": {"ingress": ingress}}}
    assert dict(shown(TABLES["", "services"], service))["External-IP"] == expected


def test_events_of_the_newer_form() -> None:
    event = {
        "eventTime": "2026-01-02T23:00:00.000000Z",
        "series": {"count": 9, "lastObservedTime": "2026-01-02T23:58:00.000000Z"},
        "reportingComponent": "scheduler",
        "reportingInstance": "host",
        "involvedObject": {"kind": "Node"},
    }
    cells = dict(shown(TABLES["", "events"], event))
    assert cells["Last Seen"] == "2m"
    assert cells["First Seen*"] == "60m"
    assert (cells["Count*"], cells["Source*"], cells["Object"]) == (9, "scheduler, host", "node")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [([], "Unknown"), ([{"type": "Ready", "status": "Unknown"}], "NotReady")],
)
def test_nodes_that_are_not_ready(conditions: list[Object], expected: str) -> None:
    node = {"status": {"conditions": conditions}}
    assert dict(shown(TABLES["", "nodes"], node))["Status"] == expected


def test_a_terminating_volume_and_the_class_annotation() -> None:
    metadata = {
        **META,
        "deletionTimestamp": "2026-01-02T00:00:00Z",
        "annotations": {"volume.beta.kubernetes.io/storage-class": "old"},
    }
    cells = dict(shown(TABLES["", "persistentvolumes"], {"metadata": metadata}))
    assert (cells["Status"], cells["StorageClass"]) == ("Terminating", "old")


def test_types_without_a_table_show_name_and_creation() -> None:
    widgets = Resource("example.com", "v1", "Widget", "widgets", True)
    assert shown(view_for(widgets), {}) == [
        ("Name", "x"),
        ("Created At", "2026-01-01T00:00:00Z"),
    ]
    assert view_for(widgets).columns[1].type == "date"


def test_scale() -> None:
    scale = Resource("autoscaling", "v1", "Scale", "scales", True, storage="")
    assert shown(view_for(scale), {"spec": {"replicas": 3}, "status": {"replicas": 2}}) == [
        ("Name", "x"), ("Desired", 3), ("Available", 2), ("Age", "2d"),
    ]  # fmt: skip


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: row.plural)
def test_every_table_survives_an_empty_object_and_describes_its_columns(row: Resource) -> None:
    view = view_for(row)
    assert len(view.cells({}, NOW)) == len(view.columns)
    for column in view.columns:
        definition = column.definition()
        assert set(definition) == {"name", "type", "format", "description", "priority"}
        assert definition["description"], column.name


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"), (-1, "0s"), (0.9, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"),
        (599, "9m59s"), (600, "10m"), (10799, "179m"), (10800, "3h"), (11100, "3h5m"),
        (28800, "8h"), (172799, "47h"), (172800, "2d"), (180000, "2d2h"), (691200, "8d"),
        (63071999, "729d"), (63072000, "2y"), (67392000, "2y50d"), (252288000, "8y"),
    ],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text
