"""Strategic merge patches give what kubectl gives for the same object and patch."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from control_plane.api.errors import ApiError
from control_plane.api.patch import PATCHES, PLAIN, STRATEGIC, object_type
from tests.control_plane.api.kubectl_patch import kubectl_patch
from tests.control_plane.api.strategic_merge_cases import CASES, DEPLOYMENT, OBJECTS, POD, REFUSED

Patch = dict[str, Any]


def ours(obj: Patch, patch: Patch) -> Patch:
    """Return our merge, having checked that neither argument was touched."""
    before = copy.deepcopy((obj, patch))
    merged = PATCHES[STRATEGIC].apply(obj, patch, object_type(obj["apiVersion"], obj["kind"]))
    assert (obj, patch) == before
    return merged


@pytest.mark.parametrize(("kind", "patch"), [pytest.param(*c[1:], id=c[0]) for c in CASES])
def test_the_result_is_kubectls(tmp_path: Path, kind: str, patch: Patch) -> None:
    answer = kubectl_patch(tmp_path, OBJECTS[kind], patch)
    assert answer.returncode == 0, answer.stderr
    assert ours(OBJECTS[kind], patch) == json.loads(answer.stdout)


@pytest.mark.parametrize(
    ("kind", "patch", "code", "message"), [pytest.param(*c[1:], id=c[0]) for c in REFUSED]
)
def test_a_bad_patch_is_refused_in_kubectls_words(
    tmp_path: Path, kind: str, patch: Patch, code: int, message: str
) -> None:
    with pytest.raises(ApiError) as caught:
        ours(OBJECTS[kind], patch)
    assert (caught.value.code, caught.value.message) == (code, message)
    assert (
        kubectl_patch(tmp_path, OBJECTS[kind], patch).stderr.strip() == f"error: {message}".strip()
    )


def test_lists_of_lists_are_unprocessable() -> None:
    with pytest.raises(ApiError) as caught:
        ours(POD, {"metadata": {"finalizers": [["a"]]}})
    assert caught.value.code == 422
    assert caught.value.message.startswith("the server rejected our request")


def test_unknown_fields_merge_as_plain_json() -> None:
    known = {"apiVersion": "v1", "kind": "Pod", "spec": {"new": {"a": 1, "l": [{"name": "x"}]}}}
    assert ours(known, {"spec": {"new": {"b": 2, "l": [{"name": "y"}]}}})["spec"] == {
        "new": {"a": 1, "b": 2, "l": [{"name": "y"}]}
    }


def test_a_kind_without_definition_merges_as_plain_json() -> None:
    assert object_type("example.com/v1", "Thing") is PLAIN
    thing = {"apiVersion": "example.com/v1", "kind": "Thing", "spec": {"a": [1], "b": 2}}
    assert ours(thing, {"spec": {"a": [2], "b": None}})["spec"] == {"a": [2]}


def test_a_rollout_restart_touches_only_the_template() -> None:
    stamp = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    merged = ours(DEPLOYMENT, {"spec": {"template": {"metadata": {"annotations": stamp}}}})
    expected = copy.deepcopy(DEPLOYMENT)
    expected["spec"]["template"]["metadata"]["annotations"] = stamp
    assert merged == expected
