"""Values of custom resources: what apiextensions v1.35 says of each.

Found with the definitions of CloudNativePG, MetalLB, Istio and the Gateway API.
"""

import copy
from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.preparation import prepare_for_create
from control_plane.api.resources import CUSTOMRESOURCEDEFINITIONS
from control_plane.api.validation import validate_create
from tests.control_plane.api.custom_resource_cases import Object, definition
from tests.control_plane.api.test_custom_resource_updates import widget, widgets

WRONG_TYPE = 'a: Invalid value: "number": a in body must be of type integer: "number"'


@pytest.mark.parametrize(
    ("said", "value", "expected"),
    [
        ({"format": "int32", "maximum": 4294967295}, 4200000000, []),
        ({"format": "int32"}, 2**31, []),
        ({}, 2.0, []),
        ({}, 1.5, [WRONG_TYPE]),
        ({"format": "int64"}, 1.5, [WRONG_TYPE]),
        ({}, 1e19, [WRONG_TYPE]),
        (
            {"maximum": 1000000},
            1000001,
            ["a: Invalid value: 1000001: a in body should be less than or equal to 1000000"],
        ),
        ({"minimum": 0.5}, 0, []),
        ({"multipleOf": 2}, 3, ["a: Invalid value: 3: a in body should be a multiple of 2"]),
    ],
)
def test_numbers(said: Object, value: Any, expected: list[str]) -> None:
    kind = widgets({"type": "object", "properties": {"a": {"type": "integer", **said}}})
    found = [str(error) for error in kind.validator("").on_create(widget(a=value))]
    assert found == expected


@pytest.mark.parametrize(
    ("said", "value", "expected"),
    [
        ("date-time", 5, 'a: Invalid value: "int64": a in body must be of type date-time: "int64"'),
        ("byte", 1.5, 'a: Invalid value: "float64": a in body must be of type byte: "float64"'),
        ("date", {}, 'a: Invalid value: "": a in body must be of type date: ""'),
        ("byte", "", 'a: Invalid value: "": a in body must be of type byte: ""'),
        ("zzz", 5, 'a: Invalid value: "integer": a in body must be of type string: "integer"'),
    ],
)
def test_what_cannot_have_a_format(said: str, value: Any, expected: str) -> None:
    text = {"type": "string", "format": said}
    kind = widgets({"type": "object", "properties": {"a": text}})
    assert [str(error) for error in kind.validator("").on_create(widget(a=value))] == [expected]


@pytest.mark.parametrize(("value", "is_taken"), [(2.0, True), (2.5, False), ("2", True)])
def test_a_whole_number_is_one_where_a_text_may_be_too(value: Any, is_taken: bool) -> None:
    either = {"x-kubernetes-int-or-string": True}
    kind = widgets({"type": "object", "properties": {"a": either}})
    assert (not list(kind.validator("").on_create(widget(a=value)))) is is_taken


def test_a_rule_names_the_key_of_a_map() -> None:
    rule = {"rule": "self < 10", "message": "small"}
    port = {"type": "integer", "x-kubernetes-validations": [rule]}
    ports = {"type": "object", "additionalProperties": port}
    kind = widgets({"type": "object", "properties": {"ports": ports}})
    found = [str(error) for error in kind.validator("").on_create(widget(ports={"a.b": 11}))]
    assert found == ["ports[a.b]: Invalid value: 11: small"]


def test_a_member_of_an_atomic_map_may_have_a_rule_about_its_change() -> None:
    rule = {"rule": "self == oldSelf", "message": "major is immutable"}
    major = {"type": "integer", "x-kubernetes-validations": [rule]}
    place = {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"major": major}}
    schema = {"type": "object", "properties": {"catalog": place}}
    version = {"name": "v1", "served": True, "storage": True}
    made = copy.deepcopy(definition(versions=[{**version, "schema": {"openAPIV3Schema": schema}}]))
    apply_defaults(CUSTOMRESOURCEDEFINITIONS, made)
    prepare_for_create(CUSTOMRESOURCEDEFINITIONS, made, now="2026-01-01T00:00:00Z")
    assert list(validate_create(CUSTOMRESOURCEDEFINITIONS, made)) == []
