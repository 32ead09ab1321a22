"""Discovery documents have upstream's shape, order and hashes."""

import pytest

from control_plane.api import discovery
from control_plane.api.api_groups import ordered_groups, ordered_versions
from control_plane.api.resources import BUILT_IN, RESOURCES, Resource

HASHES = {
    "configmaps": "qFsyl6wFWjQ=", "endpoints": "fWeeMqaN/OA=", "events": "r2yiGXH7wu8=",
    "namespaces": "Q3oi5N2YM8M=", "nodes": "XwShjMxG9Fs=", "pods": "xPOwRZ+Yhw8=",
    "persistentvolumeclaims": "QWTyNDq0dC4=", "persistentvolumes": "HN/zwEC+JgM=",
    "replicationcontrollers": "Jond2If31h0=", "secrets": "S6u1pOWzb84=",
    "serviceaccounts": "pbx9ZvyFpBE=", "services": "0/CO1lhkEBI=", "deployments": "8aSe+NMegvE=",
    "controllerrevisions": "85nkx63pcBU=", "daemonsets": "dd7pWHUlMKQ=",
    "statefulsets": "H+vl74LkKdo=", "cronjobs": "sd5LIXh4Fjs=", "jobs": "mudhfqk/qZY=",
    "horizontalpodautoscalers": "qwQve8ut294=", "ingresses": "39NQlfNR+bo=",
    "networkpolicies": "YpfwF18m1G8=", "ingressclasses": "l/iqIbDgFyQ=",
    "certificatesigningrequests": "95fRKMXA+00=", "limitranges": "EBKMFVe6cwo=",
    "podtemplates": "LIXB2x4IFpk=", "resourcequotas": "8uhSgffRX6w=",
    "clusterroles": "bYE5ZWDrJ44=", "clusterrolebindings": "48tpQ8gZHFc=",
    "roles": "7FuwZcIIItM=", "rolebindings": "eGsCzGH6b1g=", "priorityclasses": "1QwjyaZjj3Y=",
    "storageclasses": "K+m6uJwbjGY=", "csidrivers": "hL6j/rwBV5w=", "csinodes": "Pe62DkZtjuo=",
    "csistoragecapacities": "xeVl+2Ly1kE=", "volumeattachments": "tJx/ezt6UDU=",
    "runtimeclasses": "WQTu1GL3T2Q=", "poddisruptionbudgets": "EVWiDmWqyJw=",
    "mutatingwebhookconfigurations": "Sqi0GUgDaX0=", "flowschemas": "GJVAJZSZBIw=",
    "validatingwebhookconfigurations": "B0wHjQmsGNk=",
    "replicasets": "P1RzHs8/mWQ=", "leases": "gqkMMb/YqFM=", "endpointslices": "qgS0xkrxYAI=",
}  # fmt: skip

WIDGETS = Resource("example.com", "v1", "Widget", "widgets", True, ("wd",), storage="example.com/w")
OLD_WIDGETS = Resource("example.com", "v1beta1", "Widget", "widgets", True, storage="example.com/w")


@pytest.mark.parametrize(
    "row", [row for row in RESOURCES if row.plural in HASHES], ids=lambda row: row.plural
)
def test_the_storage_version_hash_is_upstreams(row: Resource) -> None:
    # HASHES has the values that real servers show; for the rest none has been recorded.
    assert discovery.storage_version_hash(row) == HASHES[row.plural]


def test_core_versions() -> None:
    assert discovery.core_versions("10.0.0.1:6443") == {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [
            {"clientCIDR": "0.0.0.0/0", "serverAddress": "10.0.0.1:6443"}
        ],
    }


def test_groups_by_priority_and_versions_by_maturity() -> None:
    listed = discovery.group_list(BUILT_IN.extended(OLD_WIDGETS, WIDGETS))
    names = [group["name"] for group in listed["groups"]]
    assert names == [*ordered_groups({row.group for row in RESOURCES if row.group}), "example.com"]
    widgets = listed["groups"][-1]
    assert [version["version"] for version in widgets["versions"]] == ["v1", "v1beta1"]
    assert widgets["preferredVersion"] == {"groupVersion": "example.com/v1", "version": "v1"}
    assert "kind" not in widgets


def test_order_of_groups_and_versions() -> None:
    assert ordered_groups(["b.example", "apps", "a.example", "", "batch"]) == [
        "", "apps", "batch", "a.example", "b.example",
    ]  # fmt: skip
    assert ordered_versions(["foo", "v1alpha1", "v2beta1", "v1", "v10", "v2beta2", "v2"]) == [
        "v10", "v2", "v1", "v2beta2", "v2beta1", "v1alpha1", "foo",
    ]  # fmt: skip


def test_one_group() -> None:
    group = discovery.group(BUILT_IN, "apps")
    assert group is not None
    assert (group["kind"], group["apiVersion"], group["name"]) == ("APIGroup", "v1", "apps")
    assert discovery.group(BUILT_IN, "nonsense") is None
    assert discovery.group(BUILT_IN, "") is None


def test_the_core_list_has_no_api_version_and_others_have() -> None:
    core = discovery.resource_list(BUILT_IN, "", "v1")
    apps = discovery.resource_list(BUILT_IN, "apps", "v1")
    assert core is not None
    assert apps is not None
    assert "apiVersion" not in core
    assert (apps["apiVersion"], apps["groupVersion"]) == ("v1", "apps/v1")
    assert discovery.resource_list(BUILT_IN, "apps", "v2") is None


def test_entries_are_sorted_and_subresources_follow_their_parent() -> None:
    core = discovery.resource_list(BUILT_IN, "", "v1")
    assert core is not None
    names = [entry["name"] for entry in core["resources"]]
    assert names == sorted(names)
    entries = {entry["name"]: entry for entry in core["resources"]}
    assert entries["pods"] == {
        "name": "pods",
        "singularName": "pod",
        "namespaced": True,
        "kind": "Pod",
        "verbs": [
            "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
        ],
        "shortNames": ["po"],
        "categories": ["all"],
        "storageVersionHash": "xPOwRZ+Yhw8=",
    }  # fmt: skip
    assert entries["replicationcontrollers/scale"] == {
        "name": "replicationcontrollers/scale",
        "singularName": "",
        "namespaced": True,
        "group": "autoscaling",
        "version": "v1",
        "kind": "Scale",
        "verbs": ["get", "patch", "update"],
    }
    assert "deletecollection" not in entries["namespaces"]["verbs"]


def test_aggregated_documents() -> None:
    core, groups = discovery.aggregated_core(BUILT_IN), discovery.aggregated_groups(BUILT_IN)
    assert core["kind"] == groups["kind"] == "APIGroupDiscoveryList"
    assert core["items"][0]["metadata"] == {}
    names = [item["metadata"]["name"] for item in groups["items"]]
    assert names == ordered_groups({row.group for row in RESOURCES if row.group})
    assert names[:2] == ["apiregistration.k8s.io", "apps"]
    version = groups["items"][1]["versions"][0]
    assert (version["version"], version["freshness"]) == ("v1", "Current")
    resources = {entry["resource"]: entry for entry in version["resources"]}
    deployments = resources["deployments"]
    assert deployments["scope"] == "Namespaced"
    assert deployments["responseKind"] == {"group": "", "version": "", "kind": "Deployment"}
    assert deployments["subresources"][0] == {
        "subresource": "scale",
        "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
        "verbs": ["get", "patch", "update"],
    }
