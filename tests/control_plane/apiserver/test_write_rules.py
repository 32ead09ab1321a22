"""What upstream's handlers say to writes that are not as they should be, in every format."""

from typing import Any

import pytest

from tests.control_plane.apiserver.objects import config_map, deployment, pod
from tests.support.raw_api import Answer, RawApi

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "u"}
REPEATED = (
    "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; "
    "please fix your requests; duplicate UID(s) observed: u"
)
BAD_QUANTITY = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)


@pytest.fixture
def path(api: RawApi, namespace: str) -> str:
    collection = f"/api/v1/namespaces/{namespace}/configmaps"
    assert api.post(collection, config_map("a", x="1")).code == 201
    return f"{collection}/a"


def patch(api: RawApi, path: str, media_type: str, body: Any) -> Answer:
    return api.request("PATCH", path, body, {"Content-Type": media_type})


@pytest.mark.parametrize(
    ("query", "causes"),
    [
        ("force=false", ["force: Forbidden: may not be specified for non-apply patch"]),
        (
            "dryRun=y&fieldValidation=x&fieldManager=" + "a" * 129,
            [
                'dryRun: Unsupported value: ["y"]: supported values: "All"',
                "fieldManager: Too long: may not be more than 128 bytes",
                'fieldValidation: Unsupported value: "x": supported values: "", "Ignore", '
                '"Strict", "Warn"',
            ],
        ),
    ],
)
def test_options_of_a_patch(api: RawApi, path: str, query: str, causes: list[str]) -> None:
    answer = patch(api, f"{path}?{query}", MERGE, {})
    shown = causes[0] if len(causes) == 1 else f"[{', '.join(causes)}]"
    assert (answer.code, answer.message) == (
        422, f'PatchOptions.meta.k8s.io "" is invalid: {shown}',
    )  # fmt: skip


@pytest.mark.parametrize("media_type", ["application/json", "application/apply-patch+cbor", ""])
def test_formats_that_are_no_patch(api: RawApi, path: str, media_type: str) -> None:
    answer = patch(api, path, media_type, b"{}")
    assert (answer.code, answer.reason, answer.message) == (
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: "
        f"{JSON}, {MERGE}, {STRATEGIC}, {APPLY}",
    )
    assert "details" not in answer.json


@pytest.mark.parametrize("media_type", [MERGE, STRATEGIC])
@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"name": "b"}, 400, "the name of the object (b) does not match the name on the URL (a)"),
        ({"namespace": "b"}, 400, "the namespace of the provided object does not match the "
         "namespace sent on the request"),
        ({"uid": "b"}, 409, "Precondition failed: UID in precondition: b, UID in object meta: "),
        ({"resourceVersion": "1"}, 409, "the object has been modified; please apply your changes "
         "to the latest version and try again"),
        ({"resourceVersion": "abc"}, 400, 'strconv.ParseUint: parsing "abc": invalid syntax'),
    ],
)  # fmt: skip
def test_patches_of_what_says_which_object_it_is(
    api: RawApi, path: str, media_type: str, change: Any, code: int, text: str
) -> None:
    answer = patch(api, path, media_type, {"metadata": change})
    assert answer.code == code
    assert text in answer.message


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"kind": "Secret"}, "converting (v1.Secret) to (core.ConfigMap): unknown conversion"),
        ({"apiVersion": "v9"}, 'no kind "ConfigMap" is registered for version "v9"'),
    ],
)
def test_a_patch_cannot_make_an_object_of_another_kind(
    api: RawApi, path: str, change: Any, text: str
) -> None:
    answer = patch(api, path, MERGE, change)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.message.startswith(' "" is invalid: patch: Invalid value: ')
    assert text in answer.message


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (b"", 400, "invalid object type: /, Kind="),
        (b"null", 400, "invalid object type: /, Kind="),
        (b"a: 1\n---\nb: 2\n", 400, "error decoding YAML: "),
        ({"metadata": {"name": "a", "managedFields": [{}]}}, 400,
         "metadata.managedFields must be nil"),
        ({"metadata": {"name": "a", "uid": "z"}}, 409, "Precondition failed: UID in precondition"),
        ({"metadata": {"name": "a", "namespace": "z"}}, 400, "does not match the namespace"),
        ({"metadata": {"name": "a", "resourceVersion": "1"}}, 409, "the object has been modified"),
        ({"metadata": {"name": "a", "managedFields": None}}, 200, ""),
        ({}, 200, ""),
    ],
)  # fmt: skip
def test_configurations(api: RawApi, path: str, body: Any, code: int, text: str) -> None:
    if isinstance(body, dict):
        body = {"apiVersion": "v1", "kind": "ConfigMap", **body}
    answer = api.apply(path, body)
    assert answer.code == code, answer.text
    assert text in answer.text


def test_an_apply_that_creates_names_what_it_creates(api: RawApi, path: str) -> None:
    collection = path.rpartition("/")[0]
    answer = api.apply(f"{collection}/new", {"apiVersion": "v1", "kind": "ConfigMap"})
    assert (answer.code, answer.message) == (
        400,
        "the name of the object (new based on URL) was undeterminable: name must be provided",
    )


def test_a_value_that_cannot_be_converted_is_the_clients_fault(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    obj = pod("p")
    obj["spec"]["containers"][0]["resources"] = {"limits": {"memory": "1x"}}
    made = api.post(path, obj)
    assert (made.code, made.message) == (
        400, f'Pod in version "v1" cannot be handled as a Pod: {BAD_QUANTITY}',
    )  # fmt: skip
    applied = api.apply(f"{path}/p", obj)
    assert (applied.code, applied.message) == (
        400,
        "failed to convert new object (/p; /v1, Kind=Pod) to proper version: "
        f"unable to convert unstructured object to /v1, Kind=Pod: {BAD_QUANTITY}",
    )
    api.post(path, pod("p"))
    assert BAD_QUANTITY in api.put(f"{path}/p", obj).message
    for media_type in (MERGE, STRATEGIC):
        patched = patch(api, f"{path}/p", media_type, {"spec": obj["spec"]})
        assert patched.code == 422
        assert BAD_QUANTITY in patched.message


def test_owner_references_are_kept_once(api: RawApi, path: str) -> None:
    owners = {"ownerReferences": [OWNER, OWNER]}
    collection = path.rpartition("/")[0]
    made = api.post(collection, {"metadata": {"name": "b", **owners}})
    assert made.json["metadata"]["ownerReferences"] == [OWNER]
    assert made.headers["Warning"] == (
        f'299 - ".metadata.ownerReferences contains duplicate entries; {REPEATED}"'
    )
    patched = patch(api, path, MERGE, {"metadata": owners})
    assert patched.json["metadata"]["ownerReferences"] == [OWNER]
    assert patched.headers["Warning"] == (
        '299 - ".metadata.ownerReferences contains duplicate entries after mutating admission '
        f'happens; {REPEATED}"'
    )


@pytest.mark.parametrize("where", ["query", "body"])
def test_dry_runs_of_every_verb(api: RawApi, path: str, where: str) -> None:
    collection = path.rpartition("/")[0]
    before = api.get(path).json
    if where == "query":
        query, options = "?dryRun=All", None
        assert api.post(f"{collection}{query}", config_map("b")).code == 201
        assert api.put(f"{path}{query}", config_map("a", x="2")).json["data"] == {"x": "2"}
        assert patch(api, f"{path}{query}", MERGE, {"data": {"x": "3"}}).json["data"]["x"] == "3"
        assert api.apply(f"{collection}/c", config_map("c"), query="&dryRun=All").code == 201
    else:
        query, options = "", {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]}
    assert api.delete(f"{path}{query}", options).code == 200
    assert api.delete(f"{collection}{query}", options).code == 200
    assert [item["metadata"]["name"] for item in api.get(collection).json["items"]] == ["a"]
    assert api.get(path).json == before
    bad = api.delete(f"{path}?dryRun=x")
    assert bad.message == (
        'DeleteOptions.meta.k8s.io "" is invalid: '
        'dryRun: Unsupported value: ["x"]: supported values: "All"'
    )


def test_many_warnings_are_cut(api: RawApi, namespace: str) -> None:
    obj = deployment("d")
    obj["spec"] |= {f"unknown{n}" + "x" * 300: 1 for n in range(30)}
    answer = api.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", obj)
    warnings = answer.headers["Warning"].split(", ")
    assert len(warnings) == 16
    # 256 characters, and what is around them, quoted
    assert {len(text) for text in warnings} == {len('299 - ""') + 256 + 1}
