"""Create, get, list, update, delete: for every resource, and what is special about each verb."""

from typing import Any

import pytest

from control_plane.api.resources import (
    ENDPOINTSLICES,
    JOBS,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    PODTEMPLATES,
    REPLICATIONCONTROLLERS,
    RESOURCECLAIMS,
    RESOURCEQUOTAS,
    RESOURCES,
    SERVICES,
    STORAGECLASSES,
    VOLUMEATTACHMENTS,
    Resource,
)
from tests.control_plane.apiserver.minimal_objects import minimal_object, settled, unused_name
from tests.control_plane.apiserver.objects import config_map, deployment, service
from tests.support.raw_api import RawApi

Object = dict[str, Any]


STORED = [row for row in RESOURCES if row.is_stored]


@pytest.mark.parametrize("resource", STORED, ids=lambda row: f"{row.plural}-{row.version}")
def test_every_resource_lives_through_all_verbs(
    api: RawApi, namespace: str, resource: Resource
) -> None:
    name = unused_name(resource)
    obj = minimal_object(resource, name, namespace)
    collection = resource.path(namespace)
    created = api.post(collection, obj)
    assert created.code == 201, created.text
    assert created.json["metadata"]["uid"]
    assert created.json["metadata"]["creationTimestamp"]
    one = resource.path(namespace, name)
    created = settled(api, resource, one, created)
    got = api.get(one)
    assert got.code == 200
    assert got.json == created.json
    listed = api.get(f"{collection}?labelSelector=mine%3Dyes&fieldSelector=metadata.name%3D{name}")
    assert [item["metadata"]["name"] for item in listed.json["items"]] == [name]
    assert listed.json["kind"] == resource.list_kind_name
    assert "kind" not in listed.json["items"][0]
    changed = got.json
    changed["metadata"]["annotations"] = {"a": "1"}
    updated = api.put(one, changed)
    assert updated.code == 200, updated.text
    assert updated.json["metadata"]["annotations"]["a"] == "1"
    assert int(updated.json["metadata"]["resourceVersion"]) > int(
        created.json["metadata"]["resourceVersion"]
    )
    patched = api.patch(one, {"metadata": {"annotations": {"a": None, "b": "2"}}})
    assert "a" not in patched.json["metadata"]["annotations"]
    assert patched.json["metadata"]["annotations"]["b"] == "2"
    deleted = api.delete(one, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
    assert deleted.code == 200, deleted.text


def test_create_refuses_a_name_that_is_taken(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    api.post(path, config_map("a"))
    again = api.post(path, config_map("a"))
    assert (again.code, again.reason) == (409, "AlreadyExists")
    assert again.message == 'configmaps "a" already exists'


def test_generate_name_makes_names(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    names = {
        api.post(path, {"metadata": {"generateName": "g-"}}).json["metadata"]["name"]
        for _ in range(5)
    }
    assert len(names) == 5
    assert all(name.startswith("g-") and len(name) == 7 for name in names)


def test_update_of_an_old_version_conflicts(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    old = api.post(path, config_map("a", x="1")).json
    api.patch(f"{path}/a", {"data": {"x": "2"}})
    answer = api.put(f"{path}/a", old)
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.message == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_update_without_a_version_is_unconditional(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    api.post(path, config_map("a", x="1"))
    assert api.put(f"{path}/a", config_map("a", x="3")).json["data"] == {"x": "3"}


def test_update_that_changes_nothing_keeps_the_version(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    created = api.post(path, config_map("a", x="1")).json
    assert api.put(f"{path}/a", created).json == created


def test_put_creates_only_where_upstream_does(api: RawApi, namespace: str) -> None:
    base = f"/api/v1/namespaces/{namespace}"
    assert api.put(f"{base}/configmaps/new", config_map("new")).code == 404
    assert api.put(f"{base}/services/new", service("new")).code == 201


def test_generation_counts_spec_changes(api: RawApi, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    made = api.post(path, deployment("d")).json
    assert made["metadata"]["generation"] == 1
    labelled = api.patch(f"{path}/d", {"metadata": {"labels": {"a": "b"}}}).json
    assert labelled["metadata"]["generation"] == 1
    scaled = api.patch(f"{path}/d", {"spec": {"replicas": 3}}).json
    assert scaled["metadata"]["generation"] == 2


def test_dry_run_writes_nothing(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/services"
    answer = api.post(f"{path}?dryRun=All", service("s", type="NodePort"))
    assert answer.code == 201
    assert answer.json["spec"]["clusterIP"]
    assert api.get(f"{path}/s").code == 404
    made = api.post(path, service("s")).json
    api.request("DELETE", f"{path}/s?dryRun=All")
    api.patch(f"{path}/s?dryRun=All", {"metadata": {"labels": {"a": "b"}}})
    assert api.get(f"{path}/s").json == made


def test_deletecollection_deletes_what_is_selected(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for name in ("a", "b", "c"):
        api.post(path, config_map(name, {"kind": "odd" if name != "b" else "even"}))
    listed = api.get(path).json["items"]
    answer = api.delete(f"{path}?labelSelector=kind%3Dodd")
    assert answer.code == 200
    assert answer.json["kind"] == "ConfigMapList"
    assert [item["metadata"]["name"] for item in answer.json["items"]] == ["a", "c"]
    assert answer.json["items"] == [item for item in listed if item["metadata"]["name"] != "b"]
    left = [item["metadata"]["name"] for item in api.get(path).json["items"]]
    assert left == ["b"]
    table = api.request(
        "DELETE", path, headers={"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"}
    )
    assert [row["cells"][0] for row in table.json["rows"]] == ["b"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "deletecollection"])
def test_who_takes_no_answer_changes_nothing(api: RawApi, namespace: str, method: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    before = api.post(path, config_map("a", x="1")).json
    media_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
    sent = {"Accept": "text/html", "Content-Type": media_type}
    where = path if method in ("POST", "deletecollection") else f"{path}/a"
    body = config_map("b" if method == "POST" else "a", x="2")
    method = method.replace("deletecollection", "DELETE")
    refused = api.request(method, where, None if method == "DELETE" else body, sent)
    assert (refused.code, refused.reason) == (406, "NotAcceptable")
    assert api.get(f"{path}/a").json == before
    assert api.get(f"{path}/b").code == 404


@pytest.mark.parametrize(
    ("resource", "has_object"),
    [
        (PODS, True),
        (SERVICES, True),
        (PERSISTENTVOLUMECLAIMS, True),
        (RESOURCEQUOTAS, True),
        (PODTEMPLATES, True),
        (RESOURCECLAIMS, True),
        (STORAGECLASSES, True),
        (VOLUMEATTACHMENTS, True),
        (JOBS, False),
        (ENDPOINTSLICES, False),
        (REPLICATIONCONTROLLERS, False),
    ],
    ids=lambda value: getattr(value, "plural", ""),
)
def test_delete_answers_the_object_or_a_status(
    api: RawApi, namespace: str, resource: Resource, has_object: bool
) -> None:
    name = unused_name(resource)
    api.post(resource.path(namespace), minimal_object(resource, name, namespace))
    one = resource.path(namespace, name)
    if resource is PERSISTENTVOLUMECLAIMS:
        api.patch(one, {"metadata": {"finalizers": None}})
    answer = api.delete(one, {"propagationPolicy": "Background"})
    assert answer.json["kind"] == (resource.kind if has_object else "Status")
    assert api.get(one).code == 404


def test_cluster_scoped_resources_have_no_namespace() -> None:
    assert not any(row.namespaced for row in (NAMESPACES, NODES, PERSISTENTVOLUMES))
