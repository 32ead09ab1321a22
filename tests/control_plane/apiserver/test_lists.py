"""Lists: selectors, chunks, and what resourceVersion means."""

import base64
import json

import pytest

from control_plane.apiserver.storage.object_store import ObjectStore
from tests.control_plane.apiserver.objects import config_map, pod
from tests.support.raw_api import RawApi

pytestmark = pytest.mark.every_store


@pytest.fixture
def path(api: RawApi, namespace: str) -> str:
    """A collection of ten config maps, of which the odd ones say so."""
    collection = f"/api/v1/namespaces/{namespace}/configmaps"
    for number in range(10):
        labels = {"n": str(number), "odd": str(number % 2)}
        assert api.post(collection, config_map(f"c{number}", labels)).code == 201
    return collection


def _names(answer: object) -> list[str]:
    return [item["metadata"]["name"] for item in answer.json["items"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("labelSelector=odd%3D1", ["c1", "c3", "c5", "c7", "c9"]),
        ("labelSelector=n+in+(2,3)", ["c2", "c3"]),
        ("labelSelector=n+notin+(0,1,2,3,4,5,6,7)", ["c8", "c9"]),
        ("labelSelector=odd%3D1,n!%3D1&limit=500", ["c3", "c5", "c7", "c9"]),
        ("labelSelector=!n", []),
        ("fieldSelector=metadata.name%3Dc4", ["c4"]),
        ("fieldSelector=metadata.name!%3Dc4,metadata.name!%3Dc5&labelSelector=odd%3D0",
         ["c0", "c2", "c6", "c8"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", ["", "&resourceVersion=0"])
def test_selectors(
    api: RawApi, path: str, selector: str, expected: list[str], version: str
) -> None:
    if version:
        newest = api.get(path).json["metadata"]["resourceVersion"]
        version = f"&resourceVersion={newest}&resourceVersionMatch=NotOlderThan"
    answer = api.get(f"{path}?{selector}{version}")
    assert answer.code == 200, answer.text
    assert _names(answer) == expected


def test_pods_by_node_and_phase(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    api.post(path, pod("a", node="n1"))
    api.post(path, pod("b"))
    assert _names(api.get(f"{path}?fieldSelector=spec.nodeName%3Dn1")) == ["a"]
    assert _names(api.get(f"{path}?fieldSelector=spec.host%3Dn1")) == ["a"]
    assert _names(api.get(f"{path}?fieldSelector=spec.nodeName%3D")) == ["b"]
    assert _names(api.get(f"{path}?fieldSelector=status.phase!%3DPending")) == []


@pytest.mark.parametrize("selector", ["", "&labelSelector=odd%3D1"])
def test_chunks_make_the_whole_list_of_one_moment(api: RawApi, path: str, selector: str) -> None:
    first = api.get(f"{path}?limit=3{selector}")
    metadata = first.json["metadata"]
    names = _names(first)
    assert metadata.get("remainingItemCount") == (None if selector else 7)
    api.delete(f"{path}/c9")
    api.post(path, config_map("c95", {"odd": "1"}))
    while metadata.get("continue"):
        chunk = api.get(f"{path}?limit=3{selector}&continue={metadata['continue']}")
        assert chunk.json["metadata"]["resourceVersion"] == metadata["resourceVersion"]
        metadata = chunk.json["metadata"]
        names += _names(chunk)
    expected = range(1, 10, 2) if selector else range(10)
    assert names == [f"c{number}" for number in expected]


def test_continue_token_has_upstreams_form(api: RawApi, path: str) -> None:
    token = api.get(f"{path}?limit=2").json["metadata"]["continue"]
    assert "=" not in token
    document = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    assert document["v"] == "meta.k8s.io/v1"
    assert document["start"] == "c1\0"


def test_exact_version_shows_the_past(api: RawApi, path: str) -> None:
    version = api.get(path).json["metadata"]["resourceVersion"]
    api.delete(f"{path}/c0")
    past = api.get(f"{path}?resourceVersion={version}&resourceVersionMatch=Exact")
    assert len(past.json["items"]) == 10
    assert past.json["metadata"]["resourceVersion"] == version
    legacy = api.get(f"{path}?resourceVersion={version}&limit=4")
    assert legacy.json["metadata"]["resourceVersion"] == version
    assert len(legacy.json["items"]) == 4


def test_newest_list_sees_every_acknowledged_write(api: RawApi, path: str) -> None:
    for number in range(20):
        version = api.patch(f"{path}/c0", {"data": {"n": str(number)}}).json["metadata"]
        listed = api.get(path).json
        mine = next(item for item in listed["items"] if item["metadata"]["name"] == "c0")
        assert mine["data"] == {"n": str(number)}
        assert int(listed["metadata"]["resourceVersion"]) >= int(version["resourceVersion"])


@pytest.mark.parametrize("query", ["", "limit=3", "limit=3&labelSelector=odd%3D1"])
def test_newest_lists_come_from_the_cache(
    api: RawApi, path: str, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.patch(f"{path}/c1", {"data": {"n": "1"}})
    with monkeypatch.context() as patched:
        patched.setattr(ObjectStore, "page", None)
        first = api.get(f"{path}?{query}")
    assert first.code == 200, first.text
    items, token = first.json["items"], first.json["metadata"].get("continue", "")
    assert len(items) == (3 if query else 10)
    if token:
        rest = f"{path}?{query.replace('limit=3', 'limit=30')}&continue={token}"
        items = items + api.get(rest).json["items"]
    expected = range(1, 10, 2) if "odd" in query else range(10)
    assert [item["metadata"]["name"] for item in items] == [f"c{number}" for number in expected]
    changed = next(item for item in items if item["metadata"]["name"] == "c1")
    assert changed["data"] == {"n": "1"}


def test_future_version_times_out(api: RawApi, path: str) -> None:
    answer = api.get(f"{path}?resourceVersion=99999999999")
    assert (answer.code, answer.reason) == (504, "Timeout")
    assert answer.message.startswith("Timeout: Too large resource version: 99999999999, current: ")
    assert answer.json["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    exact = api.get(f"{path}?resourceVersion=99999999999&resourceVersionMatch=Exact")
    assert exact.code == 504


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        (
            "resourceVersion=x",
            400,
            'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: '
            'parsing "x": invalid syntax',
        ),
        ("limit=x", 400, "strconv.ParseInt"),
        ("labelSelector=a+b", 400, "unable to parse requirement"),
        ("fieldSelector=data.x%3D1", 400, '"data.x" is not a known field selector'),
        ("continue=!!", 400, "invalid continue token"),
        ("continue=e30", 400, "does not recognize this encoded version"),
        ("resourceVersionMatch=Exact", 422, "unless resourceVersion is provided"),
        ("resourceVersionMatch=Odd&resourceVersion=1", 422, 'Unsupported value: "Odd"'),
        ("resourceVersionMatch=Exact&resourceVersion=0", 422, 'forbidden for resourceVersion "0"'),
        ("sendInitialEvents=true", 422, "sendInitialEvents is forbidden for list"),
        ("watch=1&resourceVersion=x", 422, 'resourceVersion: Invalid value: "x"'),
        ("watch=1&sendInitialEvents=true", 422, "requires setting resourceVersionMatch"),
    ],
)
def test_bad_options(api: RawApi, path: str, query: str, code: int, message: str) -> None:
    answer = api.get(f"{path}?{query}")
    assert answer.code == code, answer.text
    assert message in answer.message


def test_tables_and_metadata(api: RawApi, path: str) -> None:
    table = api.get(f"{path}?limit=2", "application/json;as=Table;v=v1;g=meta.k8s.io").json
    assert table["kind"] == "Table"
    assert [row["cells"][0] for row in table["rows"]] == ["c0", "c1"]
    assert table["metadata"]["continue"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    whole = api.get(
        f"{path}/c0?includeObject=Object", "application/json;as=Table;v=v1;g=meta.k8s.io"
    ).json
    assert whole["rows"][0]["object"]["kind"] == "ConfigMap"
    partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    listed = api.get(path, partial).json
    assert listed["kind"] == "PartialObjectMetadataList"
    assert set(listed["items"][0]) == {"kind", "apiVersion", "metadata"}


def test_yaml_and_refused_media_types(api: RawApi, path: str) -> None:
    answer = api.get(f"{path}/c0", "application/yaml")
    assert answer.headers["Content-Type"] == "application/yaml"
    assert "kind: ConfigMap" in answer.text
    refused = api.get(f"{path}/c0", "image/png")
    assert (refused.code, refused.reason) == (406, "NotAcceptable")


def test_large_lists_are_compressed(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    api.post(path, config_map("big", x="y" * 200_000))
    answer = api.get(path)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.json["items"][0]["data"]["x"] == "y" * 200_000
    for encodings in ("identity", "gzip;q=0", "deflate"):
        plain = api.request("GET", path, headers={"Accept-Encoding": encodings})
        assert "Content-Encoding" not in plain.headers
    small = api.get(f"{path}?fieldSelector=metadata.name%3Dnone")
    assert "Content-Encoding" not in small.headers


def test_a_list_that_is_sent_in_pieces_arrives_whole(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    values = [letter * 800_000 for letter in "xyz"]
    for value in values:
        assert api.post(path, config_map(f"big-{value[0]}", v=value)).code == 201
    plain = api.request("GET", path, headers={"Accept-Encoding": "identity"})
    assert [item["data"]["v"] for item in plain.json["items"]] == values
    assert plain.text.endswith("]}\n")
    head = api.request("HEAD", path, headers={"Accept-Encoding": "identity"})
    assert (head.code, head.text) == (200, "")
    assert head.headers["Content-Length"] == plain.headers["Content-Length"]
