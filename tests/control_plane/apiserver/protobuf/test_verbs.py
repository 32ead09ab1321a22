"""Protobuf over HTTP: every verb of every resource answers in it what it answers in JSON."""

from typing import Any

import pytest
import yaml

from control_plane.api.resources import RESOURCES, Resource
from control_plane.apiserver.protobuf import envelope
from tests.control_plane.apiserver.minimal_objects import (
    JUDGED,
    minimal_object,
    settled,
    unused_name,
)
from tests.control_plane.apiserver.objects import config_map, deployment, pod
from tests.control_plane.apiserver.protobuf.client import PROTOBUF, ProtobufApi, content, watched
from tests.control_plane.apiserver.protobuf.recorded import without_nulls
from tests.support.apiserver import ThreadedApiServer
from tests.support.raw_api import RawApi

STORED = [row for row in RESOURCES if row.is_stored]
META = "g=meta.k8s.io;v=v1"


@pytest.fixture
def protobuf(api: RawApi) -> ProtobufApi:
    return ProtobufApi(api)


def go_zeros(value: Any) -> Any:
    """The value without the zeroes that are always there in protobuf."""
    if isinstance(value, dict):
        shown = {k: go_zeros(v) for k, v in without_nulls(value).items()}
        return {k: v for k, v in shown.items() if v not in ({}, [], None, 0, "")}
    return [go_zeros(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("resource", STORED, ids=lambda row: f"{row.plural}-{row.version}")
def test_every_resource_lives_through_all_verbs(
    api: RawApi, protobuf: ProtobufApi, namespace: str, resource: Resource
) -> None:
    name = unused_name(resource)
    obj = minimal_object(resource, name, namespace)
    obj |= {"kind": resource.kind, "apiVersion": resource.api_version}
    created = protobuf.send("POST", resource.path(namespace), obj)
    assert created.code == 201, created.content
    one = resource.path(namespace, name)
    in_json = settled(api, resource, one, api.get(one)).json
    if resource not in JUDGED:  # whose status the server has written meanwhile
        assert go_zeros(content(created)) == go_zeros(in_json)
    assert go_zeros(protobuf.get(one)) == go_zeros(in_json)
    query = f"?labelSelector=mine%3Dyes&fieldSelector=metadata.name%3D{name}"
    listed = protobuf.get(resource.path(namespace) + query)
    assert listed["kind"] == resource.list_kind_name
    assert [go_zeros({**item, "kind": resource.kind, "apiVersion": resource.api_version})
            for item in listed["items"]] == [go_zeros(in_json)]  # fmt: skip
    changed = {**in_json, "metadata": {**in_json["metadata"], "annotations": {"a": "1"}}}
    updated = protobuf.send("PUT", one, changed)
    assert updated.code == 200, updated.content
    assert content(updated)["metadata"]["annotations"]["a"] == "1"
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0,
               "propagationPolicy": "Background"}  # fmt: skip
    deleted = protobuf.send("DELETE", one, options)
    assert deleted.code == 200, deleted.content
    assert content(deleted)["kind"] in ("Status", resource.kind)


def test_a_patch_answers_in_protobuf(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    api.post(path, config_map("a", x="1"))
    headers = {"Content-Type": "application/merge-patch+json", "Accept": PROTOBUF}
    answer = api.request("PATCH", f"{path}/a", {"data": {"y": "2"}}, headers)
    assert content(answer)["data"] == {"x": "1", "y": "2"}


def test_a_list_in_pieces(api: RawApi, protobuf: ProtobufApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for name in "abc":
        api.post(path, config_map(name))
    first = protobuf.get(f"{path}?limit=2")
    assert [item["metadata"]["name"] for item in first["items"]] == ["a", "b"]
    rest = protobuf.get(f"{path}?limit=2&continue={first['metadata']['continue']}")
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c"]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_an_error_is_a_status_in_protobuf(protobuf: ProtobufApi, namespace: str) -> None:
    answer = protobuf.send("GET", f"/api/v1/namespaces/{namespace}/pods/none")
    assert answer.code == 404
    assert content(answer) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'pods "none" not found',
        "reason": "NotFound",
        "details": {"name": "none", "kind": "pods"},
        "code": 404,
    }


def test_subresources(api: RawApi, protobuf: ProtobufApi, namespace: str) -> None:
    base = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    api.post(base, deployment("d", 2))
    scale = protobuf.get(f"{base}/d/scale")
    assert (scale["kind"], scale["spec"]) == ("Scale", {"replicas": 2})
    scale["spec"]["replicas"] = 5
    assert content(protobuf.send("PUT", f"{base}/d/scale", scale))["spec"]["replicas"] == 5
    core = f"/api/v1/namespaces/{namespace}"
    token = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": {}}
    answer = protobuf.send("POST", f"{core}/serviceaccounts/default/token", token)
    assert content(answer)["status"]["token"]
    for name in ("bound", "evicted"):
        api.post(f"{core}/pods", pod(name))
    target = {"kind": "Binding", "apiVersion": "v1", "metadata": {"name": "bound"},
              "target": {"kind": "Node", "name": "n"}}  # fmt: skip
    answer = protobuf.send("POST", f"{core}/pods/bound/binding", target)
    assert (answer.code, content(answer)["status"]) == (201, "Success")
    eviction = {"kind": "Eviction", "apiVersion": "policy/v1", "metadata": {"name": "evicted"}}
    answer = protobuf.send("POST", f"{core}/pods/evicted/eviction", eviction)
    assert (answer.code, content(answer)["status"]) == (201, "Success")


def test_metadata_only(api: RawApi, protobuf: ProtobufApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    created = api.post(path, config_map("a", {"x": "1"}, key="value")).json
    one = protobuf.get(f"{path}/a", f"{PROTOBUF};as=PartialObjectMetadata;{META}")
    assert (one["kind"], one["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert one["metadata"] == created["metadata"]
    many = protobuf.get(path, f"{PROTOBUF};as=PartialObjectMetadataList;{META}")
    assert (many["kind"], many["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
    assert [item["metadata"] for item in many["items"]] == [created["metadata"]]
    assert all("data" not in item for item in many["items"])


def test_there_is_no_table_in_protobuf(api: RawApi, protobuf: ProtobufApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    table = f"as=Table;{META}"
    refused = protobuf.send("GET", path, accept=f"{PROTOBUF};{table}")
    assert (refused.code, refused.reason) == (406, "NotAcceptable")
    assert refused.message == (
        "only the following media types are accepted: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )
    answer = api.get(path, f"{PROTOBUF};{table}, application/json;{table}")
    assert answer.json["kind"] == "Table"


def test_a_watch_comes_in_frames(api: RawApi, server: ThreadedApiServer, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    created = api.post(path, config_map("a", x="1")).json
    version = created["metadata"]["resourceVersion"]
    api.patch(f"{path}/a", {"data": {"x": "2"}})
    api.delete(f"{path}/a")
    start = int(version) - 1
    query = f"?watch=1&resourceVersion={start}&timeoutSeconds=2&allowWatchBookmarks=true"
    events = list(watched(server, path + query))
    assert [event["type"] for event in events[:3]] == ["ADDED", "MODIFIED", "DELETED"]
    assert go_zeros(events[0]["object"]) == go_zeros(created)
    assert [event["object"]["data"] for event in events[:3]] == [{"x": x} for x in "122"]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == sorted(versions)


def test_a_watch_of_metadata_and_of_the_present(
    api: RawApi, server: ThreadedApiServer, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    created = api.post(path, config_map("a", x="1")).json
    query = "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    form = f"{PROTOBUF};as=PartialObjectMetadata;{META}"
    events = watched(server, f"{path}{query}&allowWatchBookmarks=true&timeoutSeconds=1", form)
    added, bookmark, *_ = events
    assert added["object"]["kind"] == "PartialObjectMetadata"
    assert added["object"]["metadata"] == created["metadata"]
    assert bookmark["type"] == "BOOKMARK"
    marks = bookmark["object"]["metadata"]["annotations"]
    assert marks == {"k8s.io/initial-events-end": "true"}


def test_a_watch_is_never_yaml(api: RawApi) -> None:
    answer = api.get("/api/v1/pods?watch=1", "application/yaml, application/json")
    assert answer.code == 406
    assert yaml.safe_load(answer.text)["message"] == (
        "only the following media types are accepted: "
        "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
    )


def test_a_body_in_another_format_is_refused(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    answer = api.request("POST", path, b"x", {"Content-Type": "application/cbor"})
    assert (answer.code, answer.reason) == (415, "UnsupportedMediaType")
    assert answer.message == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )


@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_aggregated_discovery_in_protobuf(api: RawApi, protobuf: ProtobufApi, path: str) -> None:
    form = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    answer = protobuf.send("GET", path, accept=PROTOBUF + form)
    assert answer.headers["Content-Type"] == PROTOBUF + form
    in_json = api.get(path, "application/json" + form)
    assert go_zeros(envelope.decode(answer.content)) == go_zeros(in_json.json)
    assert answer.headers["ETag"] == in_json.headers["ETag"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api", "APIVersions"),
        ("/apis", "APIGroupList"),
        ("/apis/apps", "APIGroup"),
        ("/apis/apps/v1", "APIResourceList"),
    ],
)
def test_discovery_in_protobuf(api: RawApi, protobuf: ProtobufApi, path: str, kind: str) -> None:
    found = protobuf.get(path)
    assert found["kind"] == kind
    assert go_zeros(found) == go_zeros({"apiVersion": "v1", **api.get(path).json})
