"""Whatever a client sends: an answer, and never anything but an object or an API error."""

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.api.apply import Applier, apply, endpoint_of, track
from control_plane.api.apply.comparison import compare
from control_plane.api.apply.owned import owned_fields
from control_plane.api.apply.removal import pruned
from control_plane.api.apply.shapes import FREE, STRING, ListShape, MapShape, ShapeError
from control_plane.api.errors import ApiError
from control_plane.api.objects import deep_copy
from control_plane.api.resources import CONFIGMAPS, SERVICES
from control_plane.api.typed_json import read_typed
from tests.control_plane.api.apply_objects import NOW, applied, config_map, created, service

LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "TCP"])
NAMES = st.sampled_from(["name", "port", "protocol", "labels", "finalizers", "x", "a/b", "."])
VALUES = st.recursive(
    LEAVES, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(NAMES, inside, max_size=3)
)
ELEMENTS = st.sampled_from(
    [
        "f:data",
        "f:a",
        "f:metadata",
        'k:{"port":80}',
        "k:{}",
        "k:1",
        "v:1",
        "i:x",
        ".",
        "",
        "x",
        "zz:",
    ]
)
FIELDS: st.SearchStrategy[Any] = st.recursive(
    st.just({}) | LEAVES, lambda inside: st.dictionaries(ELEMENTS, inside, max_size=3)
)


@settings(max_examples=200, deadline=None)
@given(metadata=VALUES, spec=VALUES)
def test_any_configuration(metadata: Any, spec: Any) -> None:
    config = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    applier = Applier("m", False, NOW)
    for live in ({}, created(service({"port": 80, "name": "a"}))):
        with contextlib.suppress(ApiError):
            once = apply(endpoint_of(SERVICES), live, config, applier)
            assert apply(endpoint_of(SERVICES), once, config, applier)


@settings(max_examples=200, deadline=None)
@given(fields=FIELDS, operation=st.sampled_from(["Apply", "Update", "Foo"]))
def test_any_managed_fields(fields: Any, operation: str) -> None:
    entry = {"manager": "m", "operation": operation, "apiVersion": "v1",
             "fieldsType": "FieldsV1", "fieldsV1": fields}  # fmt: skip
    live = created(config_map(a="1"))
    new = deep_copy(live)
    new["metadata"]["managedFields"] = [entry]
    new["data"] = {"a": "2"}
    assert track(endpoint_of(CONFIGMAPS), live, new, "w", NOW)
    assert read_typed(new, "io.k8s.api.core.v1.ConfigMap").value == new
    new["metadata"]["uid"] = "1"
    with contextlib.suppress(ApiError):
        applied(new, config_map(b="1"), "m")


@settings(max_examples=300, deadline=None)
@given(old=VALUES, new=VALUES)
def test_any_values_of_a_custom_resource(old: Any, new: Any) -> None:
    values = MapShape({"a": STRING, "name": FREE}, element=STRING)
    shape = MapShape({"x": values, "items": ListShape(STRING, "set"),
                      "ports": ListShape(values, "map", ("port",))})  # fmt: skip
    for name in shape.fields:
        with contextlib.suppress(ShapeError):
            compare(shape, {name: old}, {name: new})
        with contextlib.suppress(ShapeError):
            compare(shape, {}, {name: new})
        with contextlib.suppress(ShapeError):
            fields = owned_fields(shape, {name: new})
            pruned(shape, {name: old}, fields, [])
