"""JSON patches and merge patches, with the API's extensions, limits and refusals."""

import copy
import json
from typing import Any

import pytest

from control_plane.api.errors import ApiError
from control_plane.api.patch import APPLY, JSON, MERGE, PATCHES, PLAIN, STRATEGIC, patch_for

OBJECT: dict[str, Any] = {"a": {"b": [1, 2, 3]}, "k/e~y": "v", "n": None, "t": True}


def apply(kind: str, patch: Any) -> dict[str, Any]:
    before = copy.deepcopy(OBJECT)
    decoded = PATCHES[kind].decode(json.dumps(patch).encode())
    result = PATCHES[kind].apply(OBJECT, decoded, PLAIN)
    assert before == OBJECT
    return result


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ({"op": "add", "path": "/a/b/-", "value": 4}, {"a": {"b": [1, 2, 3, 4]}}),
        ({"op": "add", "path": "/a/b/3", "value": 4}, {"a": {"b": [1, 2, 3, 4]}}),
        ({"op": "add", "path": "/a/b/0", "value": 0}, {"a": {"b": [0, 1, 2, 3]}}),
        ({"op": "add", "path": "/a", "value": 1}, {"a": 1}),
        ({"op": "add", "path": "/new", "value": None}, {"new": None}),
        ({"op": "remove", "path": "/a/b/-1"}, {"a": {"b": [1, 2]}}),
        ({"op": "replace", "path": "/a/b/-3", "value": 9}, {"a": {"b": [9, 2, 3]}}),
        ({"op": "replace", "path": "/k~1e~0y", "value": "w"}, {"k/e~y": "w"}),
        ({"op": "copy", "from": "/a/b/0", "path": "/c"}, {"c": 1}),
        ({"op": "move", "from": "/a/b/0", "path": "/a/b/2"}, {"a": {"b": [2, 3, 1]}}),
        ({"op": "test", "path": "/a/b", "value": [1, 2, 3]}, {}),
        ({"op": "test", "path": "/missing", "value": None}, {}),
    ],
)
def test_an_operation_is_applied(operation: dict[str, Any], changed: dict[str, Any]) -> None:
    assert apply(JSON, [operation]) == {**OBJECT, **changed}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a/b/0", "value": 2},
        {"op": "test", "path": "/t", "value": 1},
        {"op": "test", "path": "/missing", "value": 1},
        {"op": "remove", "path": "/missing"},
        {"op": "replace", "path": "/missing", "value": 1},
        {"op": "remove", "path": "/a/b/3"},
        {"op": "remove", "path": "/a/b/-4"},
        {"op": "add", "path": "/a/b/9", "value": 1},
        {"op": "add", "path": "/x/y", "value": 1},
        {"op": "add", "path": "/a/b/x", "value": 1},
        {"op": "add", "path": "no-slash", "value": 1},
        {"op": "copy", "from": "/missing", "path": "/c"},
        {"op": "move", "from": "/a", "path": "/a/b/0"},
        {"op": "add", "path": "/t/x", "value": 1},
        {"op": "remove", "path": "/a/b/\u00b2"},
        {"op": "remove", "path": "/a/b/-\u00b2"},
        {"op": "remove", "path": f"/a/b/{'1' * 5000}"},
        {"op": "remove", "path": f"/a/b/-{'1' * 5000}"},
    ],
)
def test_what_cannot_be_applied_is_unprocessable(operation: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        apply(JSON, [operation])
    assert (caught.value.code, caught.value.reason) == (422, "Invalid")
    assert caught.value.message == (
        "the server rejected our request due to an error in our request"
    )
    assert caught.value.status()["details"] == {}


def test_operations_cannot_nest_deeper_than_a_body_may() -> None:
    inner: dict[str, Any] = {}
    for _ in range(150):
        inner = {"n": inner}
    bottom = "/x" + "/n" * 150
    for operations in (
        [
            {"op": "add", "path": "/x", "value": inner},
            {"op": "add", "path": bottom, "value": inner},
        ],
        [{"op": "add", "path": "/x" + "/n" * 150 * i, "value": inner} for i in range(20)]
        + [{"op": "copy", "from": "/x", "path": "/y"}],
    ):
        with pytest.raises(ApiError) as caught:
            apply(JSON, operations)
        assert caught.value.code == 422


def test_copying_is_bounded() -> None:
    grow = [{"op": "copy", "from": "/a", "path": f"/a/c{i}"} for i in range(40)]
    with pytest.raises(ApiError) as caught:
        apply(JSON, grow)
    assert caught.value.code == 422


@pytest.mark.parametrize(
    ("kind", "body", "code", "message"),
    [
        (
            JSON,
            b"{}",
            400,
            "error decoding patch: json: cannot unmarshal object into Go value of type "
            "[]handlers.jsonPatchOp",
        ),
        (
            JSON,
            b'[{"op":1}]',
            400,
            "error decoding patch: json: cannot unmarshal number into Go struct field "
            "jsonPatchOp.op of type string",
        ),
        (
            JSON,
            b'["x"]',
            400,
            "error decoding patch: json: cannot unmarshal string into Go value of type "
            "handlers.jsonPatchOp",
        ),
        (
            JSON,
            json.dumps([{"op": "remove", "path": "/a"}] * 10_001).encode(),
            413,
            "Request entity too large: The allowed maximum operations in a JSON patch is 10000, "
            "got 10001",
        ),
        (
            MERGE,
            b"[]",
            400,
            "error decoding patch: json: cannot unmarshal array into Go value of type "
            "map[string]interface {}",
        ),
        (
            STRATEGIC,
            b"x",
            400,
            "invalid character 'x' looking for beginning of value",
        ),
        (
            STRATEGIC,
            b"[]",
            400,
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        (MERGE, b"null", 400, "Invalid JSON Patch"),
    ],
)
def test_a_bad_body_is_refused(kind: str, body: bytes, code: int, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        PATCHES[kind].decode(body)
    assert (caught.value.code, caught.value.message) == (code, message)


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({}, OBJECT),
        ({"a": None}, {"k/e~y": "v", "n": None, "t": True}),
        ({"a": {"b": [9]}}, {**OBJECT, "a": {"b": [9]}}),
        ({"a": {"c": 1}}, {**OBJECT, "a": {"b": [1, 2, 3], "c": 1}}),
        ({"t": {"x": {"y": None, "z": 1}}}, {**OBJECT, "t": {"x": {"z": 1}}}),
        ({"new": [None]}, {**OBJECT, "new": [None]}),
    ],
)
def test_a_merge_patch_merges(patch: dict[str, Any], expected: dict[str, Any]) -> None:
    assert apply(MERGE, patch) == expected


@pytest.mark.parametrize(
    ("kind", "body", "objections"),
    [
        (JSON, b'[{"op":"add","path":"/a","value":{"x":1,"x":2}}]', ()),
        (
            JSON,
            b'[{"op":"add","foo":1,"op":"remove","path":"/a"}]',
            ('json patch unknown field "[0].foo"', 'json patch duplicate field "[0].op"'),
        ),
        (
            MERGE,
            b'{"spec":{"req":1,"req":2},"l":[{"a":1,"a":2}]}',
            ('duplicate field "spec.req"', 'duplicate field "l[0].a"'),
        ),
        (STRATEGIC, b'{"a":1}', ()),
    ],
)
def test_strict_decoding_objects_to_repeats(
    kind: str, body: bytes, objections: tuple[str, ...]
) -> None:
    assert PATCHES[kind].objections(body) == objections


def test_parameters_of_the_content_type_do_not_count() -> None:
    assert patch_for(f"{MERGE}; charset=utf-8") is PATCHES[MERGE]


@pytest.mark.parametrize("content_type", [APPLY, "application/json", ""])
def test_other_formats_are_refused_by_name(content_type: str) -> None:
    with pytest.raises(ApiError) as caught:
        patch_for(content_type)
    assert caught.value.code == 415
    assert caught.value.message == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, "
        "application/strategic-merge-patch+json, application/apply-patch+yaml"
    )


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        (JSON, b"{}", "json: cannot unmarshal object into Go value of type jsonpatch.Patch"),
        (JSON, b"[1]", "json: cannot unmarshal number into Go value of type jsonpatch.Operation"),
        (JSON, b"x", "invalid character 'x' looking for beginning of value"),
        (MERGE, b"x", "Invalid JSON Patch"),
        (MERGE, b"1", "Invalid JSON Patch"),
    ],
)
def test_a_body_that_is_not_checked_meets_the_library_alone(
    kind: str, body: bytes, message: str
) -> None:
    with pytest.raises(ApiError) as caught:
        PATCHES[kind].decode(body, is_checked=False)
    assert (caught.value.code, caught.value.message) == (400, message)


@pytest.mark.parametrize("kind", [JSON, STRATEGIC])
def test_null_changes_nothing(kind: str) -> None:
    patch = PATCHES[kind]
    assert patch.apply({"a": 1}, patch.decode(b"null"), PLAIN) == {"a": 1}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "bogus", "path": "/a", "value": 1},
        {"path": "/a", "value": 1},
        {"op": "add", "value": 1},
        {"op": "move", "path": "/b"},
        {},
        None,
    ],
)
def test_an_operation_that_is_none_cannot_be_applied(operation: Any) -> None:
    with pytest.raises(ApiError) as caught:
        apply(JSON, [operation])
    assert caught.value.code == 422
