"""[sig-api-machinery] Servers with support for API chunking and Table transformation.

Each test does what the conformance test of its name does, or what its documents say of lists.
"""

import asyncio
from typing import Any

import pytest

from control_plane.apiserver.etcd.client import EtcdClient
from control_plane.apiserver.etcd.endpoints import EtcdEndpoints
from tests.control_plane.apiserver.objects import config_map
from tests.support.datastore import Datastore
from tests.support.etcd import Etcd
from tests.support.raw_api import Answer, RawApi

pytestmark = pytest.mark.every_store

Object = dict[str, Any]
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
NUMBER = 40
TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)


@pytest.fixture
def path(api: RawApi, namespace: str) -> str:
    collection = f"/api/v1/namespaces/{namespace}/podtemplates"
    for number in range(NUMBER):
        template = {
            "metadata": {"name": f"template-{number:04}"},
            "template": {"spec": {"containers": [{"name": "c", "image": "i"}]}},
        }
        assert api.post(collection, template).code == 201
    return collection


def names(answer: Answer) -> list[str]:
    return [item["metadata"]["name"] for item in answer.json["items"]]


def compact(store: Etcd | Datastore, version: str) -> None:
    async def run() -> None:
        client = EtcdClient(EtcdEndpoints((store.endpoint,)))
        await client.compact(int(version))
        await client.close()

    asyncio.run(run())


@pytest.mark.conformance(
    "[sig-api-machinery] Servers with support for API chunking should return chunks of "
    "results for list calls [Conformance]",
)
@pytest.mark.parametrize("limit", [1, 7, 39, 40, 41])
def test_should_return_chunks_of_results_for_list_calls(api: RawApi, path: str, limit: int) -> None:
    found: list[str] = []
    versions = set()
    token = ""
    while True:
        chunk = api.get(f"{path}?limit={limit}&continue={token}")
        assert chunk.code == 200, chunk.text
        metadata = chunk.json["metadata"]
        assert len(chunk.json["items"]) <= limit
        found += names(chunk)
        versions.add(metadata["resourceVersion"])
        token = metadata.get("continue", "")
        left = NUMBER - len(found)
        assert metadata.get("remainingItemCount") == (left or None)
        if not token:
            break
    assert found == [f"template-{number:04}" for number in range(NUMBER)]
    assert len(versions) == 1
    whole = api.get(path)
    assert names(whole) == found
    assert not {"continue", "remainingItemCount"} & whole.json["metadata"].keys()


@pytest.mark.conformance(
    "[sig-api-machinery] Servers with support for API chunking should support continue "
    "listing from the last key if the original version has been compacted away, though the "
    "list is inconsistent [Slow] [Conformance]",
)
def test_should_support_continue_listing_if_the_original_version_has_been_compacted_away(
    api: RawApi, path: str, store: Etcd | Datastore
) -> None:
    first = api.get(f"{path}?limit=15")
    token = first.json["metadata"]["continue"]
    api.delete(f"{path}/template-0020")
    later = api.patch(f"{path}/template-0021", {"metadata": {"labels": {"a": "b"}}}).json
    compact(store, later["metadata"]["resourceVersion"])
    expired = api.get(f"{path}?limit=15&continue={token}")
    assert (expired.code, expired.reason, expired.message) == (410, "Expired", TOO_OLD)
    fresh = expired.json["metadata"]["continue"]
    second = api.get(f"{path}?limit=15&continue={fresh}")
    assert second.code == 200, second.text
    metadata = second.json["metadata"]
    assert int(metadata["resourceVersion"]) >= int(later["metadata"]["resourceVersion"])
    assert metadata["remainingItemCount"] == 9
    third = api.get(f"{path}?limit=15&continue={metadata['continue']}")
    assert third.json["metadata"]["resourceVersion"] == metadata["resourceVersion"]
    numbers = [number for number in range(NUMBER) if number != 20]
    assert names(first) + names(second) + names(third) == [
        f"template-{number:04}" for number in numbers
    ]


def test_versions_that_were_compacted_away(
    api: RawApi, namespace: str, store: Etcd | Datastore
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    old = api.post(path, config_map("a")).json["metadata"]["resourceVersion"]
    new = api.post(path, config_map("b")).json["metadata"]["resourceVersion"]
    compact(store, new)
    for query in ("resourceVersionMatch=Exact", "limit=1"):
        answer = api.get(f"{path}?resourceVersion={old}&{query}")
        assert (answer.code, answer.reason) == (410, "Expired")
        assert answer.message == "The resourceVersion for the provided list is too old."
    any_newer = api.get(f"{path}?resourceVersion={old}&resourceVersionMatch=NotOlderThan")
    assert names(any_newer) == ["a", "b"]


@pytest.mark.parametrize(
    ("query", "count", "is_cut"),
    [
        ("resourceVersion=0&limit=1", 3, False),
        ("resourceVersion=0&resourceVersionMatch=NotOlderThan&limit=1", 3, False),
        ("resourceVersion={v}&resourceVersionMatch=NotOlderThan&limit=1", 1, True),
        ("resourceVersion={v}&resourceVersionMatch=NotOlderThan", 3, False),
        ("resourceVersion={v}&resourceVersionMatch=Exact&limit=1", 1, True),
        ("resourceVersion={v}&resourceVersionMatch=Exact", 3, False),
        ("resourceVersion={v}&limit=2", 2, True),
        ("resourceVersion={v}", 3, False),
        ("limit=3", 3, False),
        ("limit=-1", 3, False),
        ("", 3, False),
    ],
)
def test_what_limits_and_versions_mean_together(
    api: RawApi, namespace: str, query: str, count: int, is_cut: bool
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for name in "abc":
        version = api.post(path, config_map(name)).json["metadata"]["resourceVersion"]
    at_least = f"{path}?resourceVersion={version}&resourceVersionMatch=NotOlderThan"
    assert len(names(api.get(at_least))) == 3  # now the cache has them
    answer = api.get(f"{path}?{query.format(v=version)}")
    metadata = answer.json["metadata"]
    assert len(answer.json["items"]) == count
    assert ("continue" in metadata) is is_cut
    exactly = "Exact" in query or query.endswith("&limit=2")
    assert (metadata["resourceVersion"] == version) or not exactly
    if is_cut:
        assert metadata["remainingItemCount"] == 3 - count
        rest = api.get(f"{path}?continue={metadata['continue']}&resourceVersion=0")
        assert names(answer) + names(rest) == ["a", "b", "c"]
        refused = api.get(f"{path}?continue={metadata['continue']}&resourceVersion={version}")
        assert (refused.code, refused.message) == (
            400,
            "specifying resource version is not allowed when using continue",
        )


def test_a_chunk_with_a_selector_is_full_or_the_last(api: RawApi, path: str) -> None:
    for number in range(0, NUMBER, 10):
        api.patch(f"{path}/template-{number:04}", {"metadata": {"labels": {"ten": "yes"}}})
    chunk = api.get(f"{path}?limit=3&labelSelector=ten%3Dyes")
    assert names(chunk) == ["template-0000", "template-0010", "template-0020"]
    metadata = chunk.json["metadata"]
    assert "remainingItemCount" not in metadata
    rest = api.get(f"{path}?limit=3&labelSelector=ten%3Dyes&continue={metadata['continue']}")
    assert names(rest) == ["template-0030"]
    assert "continue" not in rest.json["metadata"]


def test_an_empty_list_has_items(api: RawApi, namespace: str) -> None:
    answer = api.get(f"/api/v1/namespaces/{namespace}/podtemplates")
    assert answer.json["items"] == []


def test_should_return_pod_details(api: RawApi, namespace: str) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    assert api.post(pods, pod).code == 201
    table = api.get(f"{pods}/p", TABLE).json
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert len(table["columnDefinitions"]) > 2
    (row,) = table["rows"]
    assert row["cells"][0] == "p"
    assert row["object"]["kind"] == "PartialObjectMetadata"


def test_should_return_chunks_of_table_results_for_list_calls(api: RawApi, path: str) -> None:
    first = api.get(f"{path}?limit=2", TABLE).json
    assert len(first["rows"]) == 2
    token = first["metadata"]["continue"]
    rest = api.get(f"{path}?continue={token}", TABLE).json
    assert len(rest["rows"]) == NUMBER - 2
    assert first["metadata"]["resourceVersion"] == rest["metadata"]["resourceVersion"]


def test_should_return_generic_metadata_details_across_all_namespaces_for_nodes(
    api: RawApi,
) -> None:
    table = api.get("/api/v1/nodes", TABLE).json
    assert table["kind"] == "Table"
    assert len(table["columnDefinitions"]) >= 2
    assert table["metadata"]["resourceVersion"]


def test_should_return_a_406_for_a_backend_which_does_not_implement_metadata(api: RawApi) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = api.request("POST", path, review, {"Accept": TABLE})
    assert (answer.code, answer.reason) == (406, "NotAcceptable")
