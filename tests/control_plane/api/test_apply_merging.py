"""A configuration merged into an object: maps, lists by key and by value, atomic values, nulls."""

from typing import Any

import pytest

from control_plane.api.apply.conformity import findings
from control_plane.api.apply.merging import merged
from control_plane.api.apply.shapes import STRING, ListShape, shape_for
from tests.control_plane.api.apply_objects import config_map, deployment, service

SET = ListShape(STRING, "set")


@pytest.mark.parametrize(
    ("live", "config", "result"),
    [
        ([1, 2, 3, 4, 5], [4, 9, 2], [1, 3, 4, 5, 9, 2]),
        ([1, 3, 4, 5, 9, 2], [8, 4, 2, 9, 7], [1, 3, 8, 4, 5, 2, 9, 7]),
        ([1, 2], [], [1, 2]),
        ([], [2, 1], [2, 1]),
        ([1, 1, 2], [2], [1, 1, 2]),
        ([1, 1, 2], [1], [1, 2]),
    ],
)
def test_order_of_items(live: list[int], config: list[int], result: list[int]) -> None:
    assert merged(SET, live, config) == result


def test_items_are_merged_by_their_keys() -> None:
    live = service({"port": 80, "protocol": "TCP", "name": "http"}, {"port": 53, "protocol": "UDP"})
    config = service({"port": 80, "targetPort": 8080})
    shape = shape_for("v1", "Service")
    assert merged(shape, live, config)["spec"]["ports"] == [
        {"port": 80, "protocol": "TCP", "name": "http", "targetPort": 8080},
        {"port": 53, "protocol": "UDP"},
    ]


def test_atomic_values_are_replaced_and_maps_are_not() -> None:
    live = deployment(selector={"matchLabels": {"a": "1"}})
    live["metadata"]["annotations"] = {"x": "1"}
    config = deployment(selector={"matchLabels": {"b": "2"}})
    config["metadata"]["annotations"] = {"y": "2"}
    result = merged(shape_for("apps/v1", "Deployment"), live, config)
    assert result["spec"]["selector"] == {"matchLabels": {"b": "2"}}
    assert result["metadata"]["annotations"] == {"x": "1", "y": "2"}


def test_a_null_clears_a_leaf_and_keeps_a_map() -> None:
    live = deployment(replicas=3)
    config = {"spec": {"replicas": None}, "metadata": {"labels": None}}
    result = merged(shape_for("apps/v1", "Deployment"), live, config)
    assert result["spec"]["replicas"] is None
    assert result["metadata"]["labels"] == {"app": "web"}


def test_neither_side_is_changed() -> None:
    live, config = config_map(a="1"), config_map(b="2")
    assert merged(shape_for("v1", "ConfigMap"), live, config)["data"] == {"a": "1", "b": "2"}
    assert (live, config) == (config_map(a="1"), config_map(b="2"))


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (config_map(a=5), ".data.a: expected string, got &value.valueUnstructured{Value:5}"),
        (
            config_map(a=[True, {"b": "c"}]),
            ".data.a: expected string, got &value.valueUnstructured{Value:"
            '[]interface {}{true, map[string]interface {}{"b":"c"}}}',
        ),
        ({"data": [1]}, ".data: expected map, got &{[1]}"),
        ({"immutable": "yes"}, ".immutable: expected boolean, got &{yes}"),
        ({"nope": 1, "nor": 2}, ".nope: field not declared in schema"),
        ({"metadata": {"nope": 1}, "data": 1}, "errors:\n"
         "  .metadata.nope: field not declared in schema\n  .data: expected map, got &{1}"),
        ({"metadata": {"finalizers": [{}]}}, ".metadata.finalizers: element 0: associative list "
         "without keys has an element that's a map type"),
        ({"metadata": {"finalizers": [None]}}, ".metadata.finalizers: element 0: associative list "
         "without keys has an element that's an explicit null"),
        ({"metadata": {"finalizers": ["a", "a"]}},
         '.metadata.finalizers: duplicate entries for key [="a"]'),
        ({"metadata": None, "data": None}, ""),
    ],
)  # fmt: skip
def test_what_a_config_map_may_say(config: Any, text: str) -> None:
    assert findings(shape_for("v1", "ConfigMap"), config) == text


@pytest.mark.parametrize(
    ("ports", "text"),
    [
        ([{"port": "80"}], '.spec.ports[port="80",protocol="TCP"].port: '
         "expected numeric (int or float), got string"),
        ([{"port": 1}, {"port": 1, "protocol": "TCP"}],
         '.spec.ports: duplicate entries for key [port=1,protocol="TCP"]'),
        ([{"port": 1}, {"port": 1, "protocol": "UDP"}], ""),
        ([None], ".spec.ports: element 0: associative list with keys may not have a null element"),
        (["80"], ".spec.ports: element 0: associative list with keys may not have non-map "
         "elements"),
        ({}, ".spec.ports: expected list, got &{map[]}"),
        ([{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8081}], ""),
        ([{"port": 80, "targetPort": {}}],
         '.spec.ports[port=80,protocol="TCP"].targetPort: expected any scalar, got &{map[]}'),
    ],
)  # fmt: skip
def test_what_a_service_may_say(ports: Any, text: str) -> None:
    assert findings(shape_for("v1", "Service"), {"spec": {"ports": ports}}) == text


def test_an_item_must_have_one_of_its_keys() -> None:
    account = {"secrets": [{"namespace": "x"}]}
    assert findings(shape_for("v1", "ServiceAccount"), account) == (
        ".secrets: element 0: associative list with keys has an element that omits all key fields "
        '["name"] (and doesn\'t have default values for any key fields)'
    )
