"""Whatever a client sends, it is refused with an API error or made into a sound object.

Objects are made at random along the schema, so that every field of every resource is met by the
defaults, the preparation and the rules, in every combination of types that decoding lets through.
"""

import contextlib
import copy
import itertools
import json
import random
from typing import Any

import pytest

from control_plane.api.defaults import apply_defaults
from control_plane.api.errors import ApiError, BadRequest, Invalid
from control_plane.api.field_validation import Directive, Expected, decode_object
from control_plane.api.patch import PATCHES, object_type
from control_plane.api.preparation import prepare_for_create, prepare_for_update
from control_plane.api.resources import RESOURCES, Resource
from control_plane.api.schema import Schema, schema
from control_plane.api.validation import validate_create, validate_update

NOW = "2026-01-01T00:00:00Z"
TEXTS = ["", "a", "A b", "x/y", "10.0.0.1", "None", "..", "50%", "é", "a" * 300, "Localhost", "1Gi"]
TEXTS += [
    "Always",
    "ClusterIP",
    "LoadBalancer",
    "Exists",
    "In",
    "RollingUpdate",
    "metadata.labels['']",
]
SCALARS: dict[str, list[Any]] = {
    "integer": [0, 1, -1, 80, 2**31 - 1],
    "boolean": [True, False],
    "number": [0, 1.5],
}
QUANTITIES = ["1", "0", "-1", "500m", "1Gi", "1.5", 2, 0.25, "1u"]
FORMATS: dict[str, list[Any]] = {
    "int-or-string": [0, 8080, "25%", "http", ""],
    "date-time": [NOW],
    "byte": ["", "YQ==", "e30="],
}


class Maker:
    """Makes values that fit schema nodes, more or less."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._schema: Schema = schema()

    def value(self, node: Any, depth: int = 0) -> Any:
        target = self._schema.resolve(node)
        luck = self._random.random()
        if depth > 9 or luck < 0.03:
            return None
        if luck < 0.0302:
            return self._random.choice([{}, [], "", 0, "text", False])
        kind = target.get("type", "object")
        if kind == "array":
            count = self._random.choice([0, 1, 2])
            return [self.value(target["items"], depth + 1) for _ in range(count)]
        if kind == "object":
            return self.object_of(target, depth)
        return self._random.choice(self._choices(node, target, kind))

    def _choices(self, node: Any, target: Any, kind: str) -> list[Any]:
        if str(node.get("$ref", "")).endswith("Quantity"):
            return QUANTITIES
        if target.get("format") in FORMATS:
            return FORMATS[target["format"]]
        return SCALARS.get(kind, TEXTS)

    def object_of(self, target: Any, depth: int = 0) -> dict[str, Any]:
        values = target.get("additionalProperties")
        if isinstance(values, dict):
            keys = self._random.sample(TEXTS, 2)
            return {key: self.value(values, depth + 1) for key in keys}
        properties = target.get("properties", {})
        chosen = [name for name in properties if self._random.random() < 0.5]
        return {name: self.value(properties[name], depth + 1) for name in chosen}


def decoded(resource: Resource, maker: Maker) -> dict[str, Any] | None:
    """Return a random object as decoding leaves it, None when decoding refuses it."""
    definition = schema().definition_for(resource.api_version, resource.kind)
    assert definition is not None
    body = {
        **maker.object_of(definition),
        "kind": resource.kind,
        "apiVersion": resource.api_version,
    }
    expected = Expected(resource.api_version, resource.kind)
    try:
        return decode_object(json.dumps(body).encode(), expected, Directive.WARN).obj
    except BadRequest:
        return None


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.plural)
def test_nothing_but_api_errors(resource: Resource) -> None:
    maker = Maker(7)
    objects = [obj for _ in range(150) if (obj := decoded(resource, maker)) is not None]
    assert len(objects) > 20
    old = copy.deepcopy(objects[0])
    for obj in objects:
        before = copy.deepcopy(obj)
        apply_defaults(resource, obj)
        again = copy.deepcopy(obj)
        apply_defaults(resource, again)
        assert again == obj, "defaults are idempotent"
        prepare_for_create(resource, obj, now=NOW)
        str(Invalid.of(resource, "x", validate_create(resource, obj)))
        for subresource in ("", "status"):
            new, stored = copy.deepcopy(before), copy.deepcopy(old)
            prepare_for_update(resource, new, stored, now=NOW, subresource=subresource)
            assert stored == old
            errors = validate_update(resource, new, old, subresource=subresource)
            str(Invalid.of(resource, "x", errors))
        old = before


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.plural)
def test_any_patch_of_any_object(resource: Resource) -> None:
    maker = Maker(11)
    fields = object_type(resource.api_version, resource.kind)
    objects = [obj for _ in range(60) if (obj := decoded(resource, maker)) is not None]
    for current, change in itertools.pairwise(objects):
        for patch in PATCHES.values():
            body = patch_body(patch.content_type, change)
            with contextlib.suppress(ApiError):
                patch.apply(current, patch.decode(json.dumps(body).encode()), fields)


def patch_body(content_type: str, change: dict[str, Any]) -> Any:
    if "json-patch" not in content_type:
        return change
    return [{"op": "add", "path": f"/{key}", "value": value} for key, value in change.items()]
