"""What an update of a custom resource is not blamed for: what its other half or its past did wrong.

Each is what apiextensions v1.35 says of the same objects.
"""

from typing import Any

import orjson

from control_plane.api.custom.definition import Definition
from control_plane.api.custom.kind import CustomKind
from tests.control_plane.api.custom_resource_cases import GROUP, Object, definition

TEXT: Object = {"type": "string"}
SCALE: Object = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}


def widgets(schema: Object, **version: Any) -> CustomKind:
    entry = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}}
    made = definition(versions=[{**entry, **version, "schema": {"openAPIV3Schema": schema}}])
    return Definition(orjson.dumps(made)).kinds["v1"]


def widget(**fields: Any) -> Object:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": "w"}, **fields}


def errors(kind: CustomKind, new: Object, old: Object, subresource: str = "") -> list[str]:
    return [str(error) for error in kind.validator(subresource).on_update(new, old)]


def test_a_status_is_written_though_the_object_lacks_what_its_schema_requires_now() -> None:
    status = {"type": "object", "required": ["phase"], "properties": {"phase": TEXT}}
    kind = widgets(
        {"type": "object", "required": ["spec"], "properties": {"spec": TEXT, "status": status}}
    )
    old = widget()
    assert errors(kind, widget(status={"phase": "Ready"}), old, "status") == []
    assert errors(kind, widget(status={}), old, "status") == ["status.phase: Required value"]
    assert errors(kind, widget(status={"phase": 1}), old, "status") == [
        'status.phase: Invalid value: "integer": status.phase in body must be of type string: '
        '"integer"'
    ]
    labelled = {**old, "metadata": {"name": "w", "labels": {"a": "b"}}}
    assert errors(kind, labelled, old) == ["spec: Required value"]


def test_a_status_is_written_though_the_scale_of_the_spec_is_wrong() -> None:
    numbers = {"type": "object", "properties": {"replicas": {"type": "integer"}}}
    kind = widgets(
        {"type": "object", "properties": {"spec": numbers, "status": numbers}},
        subresources={"status": {}, "scale": SCALE},
    )
    old = widget(spec={"replicas": -1})
    assert errors(kind, {**old, "status": {"replicas": 2}}, old, "status") == []
    assert errors(kind, {**old, "status": {"replicas": -2}}, old, "status") == [
        ".status.replicas: Invalid value: -2: should be a non-negative integer"
    ]
    assert len(errors(kind, {**old, "status": {"replicas": -2}}, old)) == 2


def test_lists_that_repeated_items_may_go_on_to_do_so() -> None:
    listed = {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}
    kind = widgets({"type": "object", "properties": {"a": listed, "b": listed}})
    old = widget(a=["x", "x"])
    assert errors(kind, widget(a=["x", "x", "y", "y"], b=["z", "z"]), old) == []
    assert errors(kind, widget(a=["x"], b=["z", "z"]), widget(a=["x"])) == [
        'b[1]: Duplicate value: "z"'
    ]


def ruled(rule: str, **more: Any) -> Object:
    entry = {"rule": rule, "message": f"not: {rule}"}
    return {"type": "object", "x-kubernetes-validations": [entry], **more}


def test_rules_warn_of_items_of_a_list_that_is_as_it_was() -> None:
    item = ruled("self.a != 'bad'", properties={"a": TEXT})
    listed = {"type": "array", "items": item}
    kind = widgets({"type": "object", "properties": {"items": listed, "note": TEXT}})
    old = widget(items=[{"a": "good"}, {"a": "bad"}])
    noted = {**old, "note": "more"}
    wrong = "items[1]: Invalid value: not: self.a != 'bad'"
    assert errors(kind, noted, old) == []
    assert kind.warnings_on_update(noted, old) == [wrong]
    assert errors(kind, noted, old, "status") == []
    assert errors(kind, widget(items=[{"a": "new"}, {"a": "bad"}]), old) == [wrong]


def test_a_rule_that_cannot_be_evaluated_is_an_error_though_nothing_has_changed() -> None:
    place = ruled("self.a == 'b'", properties={"a": TEXT})
    kind = widgets({"type": "object", "properties": {"x": place, "note": TEXT}})
    old = widget(x={})
    assert errors(kind, {**old, "note": "more"}, old) == [
        "x: Invalid value: \"object\": no such key: a evaluating rule: not: self.a == 'b'"
    ]


def test_rules_about_a_change_see_what_stood_in_an_atomic_map() -> None:
    rule = [{"rule": "self == oldSelf", "message": "stays"}]
    member = {**TEXT, "x-kubernetes-validations": rule}
    place = {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": member}}
    kind = widgets({"type": "object", "properties": {"x": place}})
    old = widget(x={"a": "one"})
    assert errors(kind, widget(x={"a": "two"}), old) == ['x.a: Invalid value: "two": stays']
