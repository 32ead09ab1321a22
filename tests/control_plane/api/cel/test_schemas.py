"""Types that schemas give: which fields expressions may name, and what their values are."""

from typing import Any

import pytest

from control_plane.api.cel import CompileError, Environment, type_of_schema

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "ratio": {"type": "number"},
        "when": {"type": "string", "format": "date-time"},
        "data": {"type": "string", "format": "byte"},
        "port": {"x-kubernetes-int-or-string": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "x-y.z/a": {"type": "integer"},
        "namespace": {"type": "string"},
        "2nd": {"type": "string"},
        "maybe": {"type": "integer", "nullable": True},
        "set": {
            "type": "array",
            "items": {"type": "string"},
            "x-kubernetes-list-type": "set",
        },
        "items": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["key"],
            "items": {
                "type": "object",
                "properties": {"key": {"type": "string"}, "value": {"type": "number"}},
            },
        },
        "matrix": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
    },
}
VALUE: dict[str, Any] = {
    "apiVersion": "ex.io/v1",
    "kind": "Foo",
    "metadata": {"name": "foo"},
    "name": "foo",
    "ratio": 1,
    "when": "2020-01-01T00:00:00Z",
    "data": "YWJj",
    "port": "http",
    "labels": {"a/b": "c"},
    "x-y.z/a": 4,
    "namespace": "n",
    "maybe": None,
    "set": ["a", "b"],
    "items": [{"key": "a", "value": 1}, {"key": "b", "value": 2}],
    "matrix": [[1, 2], [3]],
}
TYPE = type_of_schema(SCHEMA, is_resource=True)
assert TYPE is not None
ENVIRONMENT = Environment({"self": TYPE})


@pytest.mark.parametrize(
    "text",
    [
        "self.name == 'foo' && self.metadata.name == 'foo' && self.kind == 'Foo'",
        "self.ratio == 1.0",
        "self.when.getFullYear() == 2020",
        "self.data == b'abc'",
        "type(self.port) == string",
        "self.labels['a/b'] == 'c'",
        "self.x__dash__y__dot__z__slash__a == 4",
        "self.__namespace__ == 'n'",
        "self.maybe == null && has(self.maybe)",
        "self.set == ['b', 'a']",
        "self.set + ['b', 'c'] == ['a', 'b', 'c']",
        "self.items + self.items.filter(i, i.key == 'b') == self.items",
        "self.items.all(i, i.value > 0.5)",
        "self.matrix[0][1] == 2.0 && self.matrix.map(row, row.sum()).sum() == 6.0",
        "!has(self.free)",
    ],
)
def test_an_expression_on_a_schema_is_true(text: str) -> None:
    assert ENVIRONMENT.compile(text).evaluate({"self": VALUE}) is True


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("self.zzz > 1", "ERROR: <input>:1:5: undefined field 'zzz'\n | self.zzz > 1\n | ....^"),
        ("self.metadata.labels", "undefined field 'labels'"),
        ("self.free.b", "undefined field 'b'"),
        ("self['name']", "found no matching overload for '_[_]' applied to '(object, string)'"),
        ("self.name == 1", "found no matching overload for '_==_' applied to '(string, int)'"),
    ],
)
def test_an_expression_does_not_fit_a_schema(text: str, mistake: str) -> None:
    with pytest.raises(CompileError) as caught:
        ENVIRONMENT.compile(text)

    assert mistake in str(caught.value)


def test_what_has_no_type_has_no_type() -> None:
    assert type_of_schema({}) is None
    assert type_of_schema({"type": "array"}) is None
    assert (
        type_of_schema({"type": "object", "additionalProperties": {"description": "any"}}) is None
    )
