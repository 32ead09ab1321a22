"""PATCH over HTTP: the three formats, what they refuse, and how they meet other writers."""

from typing import Any

import pytest

from tests.control_plane.apiserver.objects import config_map, deployment
from tests.support.raw_api import RawApi


@pytest.fixture
def path(api: RawApi, namespace: str) -> str:
    collection = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    assert api.post(collection, deployment("d")).code == 201
    return f"{collection}/d"


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", {"spec": {"replicas": 4}}),
        ("strategic", {"spec": {"replicas": 4}}),
        ("json", [{"op": "replace", "path": "/spec/replicas", "value": 4}]),
    ],
)
def test_each_format_changes_the_object(api: RawApi, path: str, kind: str, patch: Any) -> None:
    answer = api.patch(path, patch, kind)
    assert answer.code == 200, answer.text
    assert answer.json["spec"]["replicas"] == 4
    assert answer.json["metadata"]["generation"] == 2


def test_strategic_merge_merges_containers_by_name(api: RawApi, path: str) -> None:
    sidecar = {"name": "s", "image": "busybox"}
    patch = {"spec": {"template": {"spec": {"containers": [sidecar]}}}}
    containers = api.patch(path, patch, "strategic").json["spec"]["template"]["spec"]["containers"]
    assert sorted(container["name"] for container in containers) == ["c", "s"]
    replaced = api.patch(path, patch, "merge").json["spec"]["template"]["spec"]["containers"]
    assert [container["name"] for container in replaced] == ["s"]


@pytest.mark.parametrize(
    ("kind", "patch", "code"),
    [
        ("json", {"op": "add"}, 400),
        ("json", [{"op": "bogus", "path": "/a"}], 422),
        ("json", [{"op": "test", "path": "/spec/replicas", "value": 99}], 422),
        ("json", [{"op": "remove", "path": "/nothing"}], 422),
        ("json", [{"op": "replace", "path": "/spec", "value": 7}], 422),
        ("merge", [], 400),
        ("merge", {"spec": 7}, 422),
        ("merge", {"spec": {"replicas": -1}}, 422),
        ("merge", {"metadata": {"resourceVersion": "1"}}, 409),
        ("merge", {"metadata": {"name": "other"}}, 400),
        ("merge", b"{", 400),
        ("strategic", {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}, 400),
        ("strategic", {"metadata": {"uid": "other"}}, 409),
    ],
)
def test_patches_that_are_refused(api: RawApi, path: str, kind: str, patch: Any, code: int) -> None:
    before = api.get(path).json
    answer = api.patch(path, patch, kind)
    assert answer.code == code, answer.text
    assert answer.json["kind"] == "Status"
    assert api.get(path).json == before


def test_force_is_for_apply(api: RawApi, path: str) -> None:
    answer = api.patch(f"{path}?force=true", {})
    assert answer.code == 422
    assert "force: Forbidden: may not be specified for non-apply patch" in answer.message


def test_patch_of_nothing(api: RawApi, namespace: str) -> None:
    answer = api.patch(f"/api/v1/namespaces/{namespace}/configmaps/none", {"data": {}})
    assert (answer.code, answer.message) == (404, 'configmaps "none" not found')


def test_a_patch_that_changes_nothing_writes_nothing(api: RawApi, namespace: str) -> None:
    collection = f"/api/v1/namespaces/{namespace}/configmaps"
    made = api.post(collection, config_map("a", x="1")).json
    assert api.patch(f"{collection}/a", {"data": {"x": "1"}}).json == made


@pytest.mark.parametrize(
    ("kind", "body", "objection"),
    [
        ("merge", b'{"data":{"x":"1","x":"2"}}', 'duplicate field "data.x"'),
        ("strategic", b'{"data":{"x":"1","x":"2"}}', 'duplicate field "data.x"'),
        (
            "json",
            b'[{"op":"add","path":"/data/x","value":"1","value":"2"}]',
            'json patch duplicate field "[0].value"',
        ),
    ],
)
def test_repeated_keys_of_a_patch_are_found(
    api: RawApi, namespace: str, kind: str, body: bytes, objection: str
) -> None:
    collection = f"/api/v1/namespaces/{namespace}/configmaps"
    api.post(collection, config_map("twice", x="0"))
    path = f"{collection}/twice"

    refused = api.patch(f"{path}?fieldValidation=Strict", body, kind)
    assert refused.code == 422
    assert f"strict decoding error: {objection}" in refused.message
    assert api.get(path).json["data"] == {"x": "0"}

    silent = api.patch(f"{path}?fieldValidation=Ignore", body, kind)
    assert (silent.json["data"], silent.headers.get("Warning")) == ({"x": "2"}, None)
    warned = api.patch(path, body, kind)
    shown = objection.replace('"', r"\"")
    assert warned.headers["Warning"] == f'299 - "{shown}"'
