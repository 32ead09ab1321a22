"""Junk of each JSON type in each scalar field of each kind: an object, or a 4xx, and nothing else.

Every scalar field of every definition is met once, in the first kind that has it, by the ways to
write in turn: create, update, patch and apply; with `--every-target` (`make fuzz`) by each. The
API server adds HTTP and the store to what is done here.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from control_plane.api.apply import endpoint_of, track
from control_plane.api.conversion import in_stored_version
from control_plane.api.defaults import apply_defaults
from control_plane.api.errors import ApiError, Invalid
from control_plane.api.field_validation import (
    Directive,
    Expected,
    check_patched,
    decode_object,
)
from control_plane.api.objects import Object, deep_copy
from control_plane.api.patch import MERGE, PATCHES, STRATEGIC, object_type
from control_plane.api.preparation import prepare_for_create, prepare_for_update
from control_plane.api.resources import RESOURCES, Resource
from control_plane.api.schema import REFERENCE_PREFIX, schema
from control_plane.api.tables import view_for
from control_plane.api.timestamps import parse
from control_plane.api.validation import validate_create, validate_update
from control_plane.apiserver.auth.user import ANONYMOUS
from control_plane.apiserver.http.applying import Applying, as_json, as_yaml
from control_plane.apiserver.registry.call import Call
from tests.control_plane.apiserver.minimal_objects import minimal_object

NOW = "2026-01-01T00:00:00Z"
TIME = parse(NOW)
JUNK = (
    b"null", b"true", b"0", b"-1", b"3", b"9223372036854775808", b"1" + b"0" * 400, b"1.5",
    b"1e400", b'""', b'"1x"', b'"-1"', b'"1e9999999999"', b'"\\u0000"', b'"\\u00e9\\ud83d\\ude00"',
    b'"' + b"x" * 300 + b'"', b'"2026-13-45T99:99:99Z"', b"[]", b"[[]]", b"{}", b'{"a":{}}',
)  # fmt: skip
MARK = "the place of the junk"
Path = tuple[str, ...]


def scalar_fields(resource: Resource, seen: set[str]) -> Iterator[Path]:
    """Yield the way to each scalar field in definitions not seen yet; "[]" and "{}" are items."""
    definition = schema().name_for(resource.api_version, resource.kind)
    assert definition is not None
    yield from _of_definition(definition, (), seen)


def _of_definition(name: str, above: Path, seen: set[str]) -> Iterator[Path]:
    definition = schema().definitions[name]
    if "properties" not in definition:
        yield above
    elif name not in seen:
        seen.add(name)
        for field, node in definition["properties"].items():
            yield from _of_node(node, (*above, field), seen)


def _of_node(node: Any, here: Path, seen: set[str]) -> Iterator[Path]:
    if "$ref" in node:
        yield from _of_definition(node["$ref"].removeprefix(REFERENCE_PREFIX), here, seen)
    elif isinstance(node.get("items"), dict):
        yield from _of_node(node["items"], (*here, "[]"), seen)
    elif isinstance(node.get("additionalProperties"), dict):
        yield from _of_node(node["additionalProperties"], (*here, "{}"), seen)
    else:
        yield here


def with_mark(base: Any, path: Path) -> Any:
    """Return the object with MARK at a path, what lies on the way made where it is missing."""
    if not path:
        return MARK
    step, *rest = path
    if step == "[]":
        items = base if isinstance(base, list) and base else [{}]
        return [with_mark(items[0], tuple(rest)), *items[1:]]
    known = base if isinstance(base, dict) else {}
    key = "a" if step == "{}" else step
    return {**known, key: with_mark(known.get(key), tuple(rest))}


class Writer:
    """Writes objects of a resource in every way, as far as that needs no store."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.base = minimal_object(resource, "x", "default")
        self.live = self.complete(deep_copy(self.base))
        self.live["metadata"]["uid"] = "u"
        self.expected = Expected(resource.api_version, resource.kind)
        self.fields = object_type(resource.api_version, resource.kind)

    def complete(self, obj: Object) -> Object:
        apply_defaults(self.resource, obj)
        track(endpoint_of(self.resource), {}, obj, "m", NOW)
        prepare_for_create(self.resource, obj, now=NOW)
        return obj

    def create(self, body: bytes) -> None:
        obj = decode_object(body, self.expected, Directive.WARN).obj
        obj["metadata"] = obj.get("metadata") or {}
        obj = self.complete(obj)
        str(Invalid.of(self.resource, "x", validate_create(self.resource, obj)))
        in_stored_version(self.resource, obj)
        list(view_for(self.resource).cells(obj, TIME))

    def update(self, body: bytes) -> None:
        self._replace(decode_object(body, self.expected, Directive.WARN).obj)

    def patch(self, body: bytes, content_type: str) -> None:
        patch = PATCHES[content_type]
        patched = patch.apply(self.live, patch.decode(body), self.fields)
        self._replace(check_patched(patched, self.expected, Directive.WARN, "").obj)

    def apply(self, body: bytes) -> None:
        call = Call(ANONYMOUS, field_manager="m2", force=True)
        configuration = as_json(body) or as_yaml(body)
        change = Applying(configuration, endpoint_of(self.resource), call, NOW)
        self._replace(change.apply(deep_copy(self.live)))

    def _replace(self, new: Object) -> None:
        new["metadata"] = new.get("metadata") or {}
        apply_defaults(self.resource, new)
        for subresource in ("", "status"):
            obj, old = deep_copy(new), deep_copy(self.live)
            track(endpoint_of(self.resource, subresource), old, obj, "m", NOW)
            prepare_for_update(self.resource, obj, old, now=NOW, subresource=subresource)
            errors = validate_update(self.resource, obj, old, subresource=subresource)
            str(Invalid.of(self.resource, "x", errors))


def ways(writer: Writer, turn: int, *, every: bool) -> dict[str, Any]:
    kind = (MERGE, STRATEGIC)[turn // 4 % 2]
    known = {
        "create": writer.create,
        "update": writer.update,
        kind: lambda body: writer.patch(body, kind),
        "apply": writer.apply,
    }
    chosen = list(known)[turn % len(known)]
    return known if every else {chosen: known[chosen]}


def trouble_of(way: Any, body: bytes) -> str:
    """Return what went wrong beside what may: "" for an answer below 500."""
    try:
        way(body)
    except ApiError as error:
        return f"{error.code} {error}" if error.code >= 500 else ""
    except Exception as error:  # noqa: BLE001 any other is what this test looks for
        return f"{type(error).__name__}: {error}"
    return ""


def all_fields() -> list[tuple[Resource, list[Path]]]:
    seen: set[str] = set()
    return [(resource, list(scalar_fields(resource, seen))) for resource in RESOURCES]


@pytest.mark.parametrize(
    ("resource", "paths"),
    [pytest.param(*row, id=f"{row[0].plural}.{row[0].group}") for row in all_fields()],
)
def test_junk_in_any_field(
    resource: Resource, paths: list[Path], pytestconfig: pytest.Config
) -> None:
    every = bool(pytestconfig.getoption("every_target"))
    writer = Writer(resource)
    found = []
    for number, path in enumerate(paths):
        text = json.dumps(with_mark(writer.base, path)).encode()
        for turn, junk in enumerate(JUNK):
            body = text.replace(json.dumps(MARK).encode(), junk)
            for name, way in ways(writer, turn + number, every=every).items():
                trouble = trouble_of(way, body)
                if trouble:
                    found.append(f"{name} {'.'.join(path)} = {junk[:40]!r}: {trouble[:300]}")
    assert not found, f"{len(found)}\n" + "\n".join(found[:20])
