"""Metadata: the rules every kind shares, with upstream's paths and texts."""

from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.errors import Invalid
from control_plane.api.field_error import aggregate
from control_plane.api.resources import (
    CONFIGMAPS,
    NAMESPACES,
    NODES,
    OFF_BY_DEFAULT,
    PODS,
    RESOURCES,
    SERVICES,
)
from control_plane.api.validation import VALIDATORS, validate_create
from control_plane.api.validation.metadata import validate_field_manager
from tests.control_plane.api.valid_objects import create_errors, named, shown, update_errors

LABEL = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": True}


def with_metadata(**metadata: Any) -> dict[str, Any]:
    obj = named(CONFIGMAPS)
    obj["metadata"] |= metadata
    return obj


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"name": ""}, "metadata.name: Required value: name or generateName is required"),
        ({"namespace": ""}, "metadata.namespace: Required value"),
        ({"labels": {"a": "a b"}}, f'metadata.labels: Invalid value: "a b": {LABEL}'),
        (
            {"labels": {"/a": "b"}},
            'metadata.labels: Invalid value: "/a": prefix part must be non-empty',
        ),
        (
            {"annotations": {"a": "x" * 262144}},
            "metadata.annotations: Too long: may not be more than 262144 bytes",
        ),
        (
            {"finalizers": ["mine"]},
            'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer '
            "name nor is it fully qualified",
        ),
        (
            {"finalizers": ["orphan", "foregroundDeletion"]},
            'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan '
            "and foregroundDeletion cannot be both set",
        ),
        (
            {"ownerReferences": [{**OWNER, "uid": ""}]},
            'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
        ),
        (
            {"ownerReferences": [{**OWNER, "apiVersion": ""}]},
            'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
        ),
    ],
)
def test_a_broken_field_is_named(metadata: dict[str, Any], message: str) -> None:
    assert message in create_errors(CONFIGMAPS, with_metadata(**metadata))


def test_only_one_owner_controls() -> None:
    errors = create_errors(
        CONFIGMAPS, with_metadata(ownerReferences=[OWNER, {**OWNER, "name": "q"}])
    )
    assert errors[0].endswith(
        ': Only one reference can have Controller set to true. Found "true" in references for '
        "Pod/p and Pod/q"
    )


def test_cluster_scoped_objects_have_no_namespace() -> None:
    node = named(NODES)
    node["metadata"]["namespace"] = "default"
    assert create_errors(NODES, node) == ["metadata.namespace: Forbidden: not allowed on this type"]


@pytest.mark.parametrize(
    ("resource", "name", "good"),
    [
        (CONFIGMAPS, "a.b", True),
        (CONFIGMAPS, "a_b", False),
        (CONFIGMAPS, "a" * 254, False),
        (NAMESPACES, "a.b", False),
        (SERVICES, "1a", False),
        (PODS, "1a", True),
    ],
)
def test_names_follow_their_kinds_rule(resource: Any, name: str, good: bool) -> None:
    obj = named(resource)
    obj["metadata"]["name"] = name
    errors = [error for error in validate_create(resource, obj) if error.field == "metadata.name"]
    assert bool(errors) is not good


def test_generate_name_may_end_in_a_dash() -> None:
    assert create_errors(CONFIGMAPS, with_metadata(generateName="x-")) == []
    assert create_errors(CONFIGMAPS, with_metadata(generateName="Xy-")) != []


def test_identity_cannot_be_updated() -> None:
    assert update_errors(CONFIGMAPS, with_metadata(uid="2"), with_metadata()) == [
        'metadata.uid: Invalid value: "2": field is immutable'
    ]


def test_an_object_being_deleted_gets_no_new_finalizers() -> None:
    old = with_metadata(deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["a.io/a"])
    new = with_metadata(deletionTimestamp="2026-01-01T00:00:00Z", finalizers=["a.io/a", "x.io/x"])
    assert update_errors(CONFIGMAPS, new, old) == [
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being "
        'deleted, found new finalizers []string{"x.io/x"}'
    ]


def test_field_managers_are_short_and_printable() -> None:
    assert shown(list(validate_field_manager("a\nb"))) == [
        'fieldManager: Invalid value: "a\\nb": invalid character U+000A (at position 1)'
    ]
    assert shown(list(validate_field_manager("a" * 129))) == [
        "fieldManager: Too long: may not be more than 128 bytes"
    ]


def test_the_whole_answer_reads_like_upstreams() -> None:
    obj = named(PODS, spec={"containers": []})
    obj["metadata"]["name"] = "p"
    apply_defaults(PODS, obj)
    errors = validate_create(PODS, obj)
    assert Invalid.of(PODS, "p", errors).status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'Pod "p" is invalid: spec.containers: Required value',
        "reason": "Invalid",
        "details": {
            "name": "p",
            "kind": "Pod",
            "causes": [
                {
                    "reason": "FieldValueRequired",
                    "message": "Required value",
                    "field": "spec.containers",
                }
            ],
        },
        "code": 422,
    }
    assert aggregate(errors) == "spec.containers: Required value"


def test_every_row_of_the_table_names_a_served_kind() -> None:
    served = {(resource.group, resource.kind) for resource in (*RESOURCES, *OFF_BY_DEFAULT)}
    assert {key[:2] for key in VALIDATORS} <= served
