"""Sets of fields: FieldsV1 in and out, the operations, and paths as messages print them."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.api.apply.field_path import FieldPathError
from control_plane.api.apply.field_set import (
    FieldSet,
    difference,
    has_path,
    intersection,
    is_member,
    matching,
    paths,
    read_fields,
    recursive_difference,
    set_of,
    union,
    written,
)

Path = tuple[str, ...]
ELEMENTS = st.sampled_from(["f:a", "f:b", 'k:{"n":1}', 'v:"x"'])
PATHS = st.frozensets(st.lists(ELEMENTS, min_size=1, max_size=3).map(tuple), max_size=8)


def members(fields: FieldSet, above: Path = ()) -> set[Path]:
    found: set[Path] = set()
    for element, node in fields.items():
        if element != ".":
            found |= members(node, (*above, element))
            if is_member(node):
                found.add((*above, element))
    return found


@given(PATHS, PATHS)
def test_operations_are_those_of_sets_of_paths(
    left: frozenset[Path], right: frozenset[Path]
) -> None:
    a, b = set_of(*left), set_of(*right)
    assert members(union(a, b)) == left | right
    assert members(difference(a, b)) == left - right
    assert members(intersection(a, b)) == left & right
    below = {path for path in left if any(path[: len(one)] == one for one in right)}
    assert members(recursive_difference(a, b)) == left - below
    assert all(has_path(a, path) for path in left)
    assert members(a) == left  # nothing was changed in place


@given(PATHS)
def test_a_set_is_read_as_it_was_written(found: frozenset[Path]) -> None:
    fields = set_of(*found)
    assert written(read_fields(written(fields))) == written(fields)


def test_elements_are_written_in_order() -> None:
    fields = read_fields(
        {
            'k:{"port":443}': {},
            'k:{"port":80}': {"f:z": {}, ".": {}, "f:a": {}},
            "i:2": {},
            "v:10": {},
            "v:9": {},
            "f:b": {},
            "f:a": {},
        }
    )
    ordered = written(fields)
    assert list(ordered) == [
        "f:a", "f:b", 'k:{"port":80}', 'k:{"port":443}', "v:9", "v:10", "i:2",
    ]  # fmt: skip
    assert list(ordered['k:{"port":80}']) == [".", "f:a", "f:z"]


def test_spellings_of_one_element_are_one() -> None:
    assert read_fields({'k:{"b": 1.0, "a":"x"}': {}}) == {'k:{"a":"x","b":1}': {}}
    assert read_fields({"f:a": {".": {}}}) == {"f:a": {}}
    assert read_fields({"x:unknown": {}, "f:a": None}) == {"f:a": {}}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"f": {}}, "key must be 2 characters long:"),
        ({"field": {}}, "missing colon: field"),
        ({"k:{": {}}, "k:{"),
        ({"k:3": {}}, "the keys of an item are a JSON object"),
        ({"f:a": 3}, "fieldsV1 must be an object"),
        ([], "fieldsV1 must be an object"),
    ],
)
def test_what_is_no_set(fields: Any, text: str) -> None:
    with pytest.raises(FieldPathError, match=re.escape(text)):
        read_fields(fields)


def test_paths_as_messages_print_them() -> None:
    fields = read_fields(
        {
            "f:spec": {
                "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:name": {}}},
                "f:zone": {},
            },
            "f:metadata": {"f:finalizers": {'v:"a/b"': {}}, "f:labels": {"f:x.io/y": {}}},
        }
    )
    assert list(paths(fields)) == [
        '.metadata.finalizers[="a/b"]',
        ".metadata.labels.x.io/y",
        ".spec.zone",
        '.spec.ports[port=80,protocol="TCP"]',
        '.spec.ports[port=80,protocol="TCP"].name',
    ]


def test_members_on_a_pattern_and_below_it() -> None:
    container: FieldSet = {".": {}, "f:image": {}, "f:resources": {"f:limits": {"f:cpu": {}}}}
    fields = {"f:spec": {"f:containers": {'k:{"name":"c"}': container}, "f:nodeName": {}}}
    found = matching(fields, ("f:spec", "f:containers", "*", "f:resources"))
    assert members(found) == {
        ("f:spec", "f:containers", 'k:{"name":"c"}'),
        ("f:spec", "f:containers", 'k:{"name":"c"}', "f:resources", "f:limits", "f:cpu"),
    }
