"""Accessors tolerate whatever part an object lacks, and never change it."""

from typing import Any

import pytest

from control_plane.api import objects

POD: objects.Object = {
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "ownerReferences": [{"name": "other"}, {"name": "rs", "controller": True}],
        "deletionTimestamp": "2026-01-01T00:00:00Z",
    },
    "status": {"conditions": [{"type": "Ready", "status": "True"}], "podIPs": [{"ip": "10.0.0.1"}]},
}


def test_identity() -> None:
    assert objects.key_of(POD) == "shop/web"
    assert objects.split_key("shop/web") == ("shop", "web")
    assert objects.split_key("node-1") == ("", "node-1")
    assert objects.key_of({"metadata": {"name": "node-1"}}) == "node-1"


@pytest.mark.parametrize("empty", [{}, {"metadata": None}, {"metadata": {"labels": None}}])
def test_missing_and_null_parts_count_as_empty(empty: objects.Object) -> None:
    assert objects.name_of(empty) == objects.namespace_of(empty) == objects.uid_of(empty) == ""
    assert objects.labels_of(empty) == objects.annotations_of(empty) == {}
    assert objects.owner_references(empty) == []
    assert objects.finalizers_of(empty) == []
    assert objects.controller_of(empty) is None
    assert not objects.is_terminating(empty)
    assert objects.find_condition(empty, "Ready") is None


def test_owner_condition_and_deletion_are_found() -> None:
    assert objects.controller_of(POD) == {"name": "rs", "controller": True}
    assert objects.find_condition(POD, "Ready") == {"type": "Ready", "status": "True"}
    assert objects.is_terminating(POD)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (("status", "podIPs", 0, "ip"), "10.0.0.1"),
        (("status", "podIPs", 1, "ip"), "none"),
        (("status", "podIPs", "ip"), "none"),
        (("spec", "replicas"), "none"),
        (("metadata", "name", "first"), "none"),
    ],
)
def test_dig(path: tuple[str | int, ...], found: Any) -> None:
    assert objects.dig(POD, *path, default="none") == found


def test_a_falsy_value_is_found_and_null_is_not() -> None:
    assert objects.dig({"spec": {"replicas": 0}}, "spec", "replicas", default=1) == 0
    assert objects.dig({"spec": {"replicas": None}}, "spec", "replicas", default=1) == 1


def test_deep_copy_shares_nothing() -> None:
    copied = objects.deep_copy(POD)
    assert copied == POD
    copied["status"]["podIPs"][0]["ip"] = "changed"
    assert objects.dig(POD, "status", "podIPs", 0, "ip") == "10.0.0.1"
