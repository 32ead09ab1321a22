"""The OpenAPI v2 (swagger) document: one for everything that is served.

Called by documents.py. Pure.
"""

from __future__ import annotations

import functools
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from control_plane.api.openapi.custom import custom_definitions, simplified
from control_plane.api.openapi.discovery_operations import general_operations, version_operations
from control_plane.api.openapi.operations import STATUS, extensions, operations
from control_plane.api.openapi.references import closure
from control_plane.api.openapi.security import SECURITY
from control_plane.api.schema import REFERENCE_PREFIX, schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from control_plane.api.objects import Object
    from control_plane.api.openapi.operations import Operation
    from control_plane.api.openapi.parameters import Parameter
    from control_plane.api.resources import Resource


class Part(NamedTuple):
    """What the document says of one resource, encoded: it is made once, however many others come.

    `needed` are the definitions of built-in kinds that it names.
    """

    paths: Mapping[str, orjson.Fragment]
    definitions: Mapping[str, orjson.Fragment]
    needed: frozenset[str]


def part(row: Resource) -> Part:
    """Return what the document says of a resource. A path is of one resource alone."""
    paths: dict[str, Object] = {}
    named = {schema().name_for(row.api_version, row.kind)}
    for operation in operations(row):
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
        named |= {operation.body, operation.answer}
    own = custom_definitions([row], simplified)
    named |= set(closure({**schema().definitions, **own}, own))
    needed = frozenset(name for name in named if name and name not in own)
    return Part(_encoded(paths), _encoded(own), needed)


def document(rows: Iterable[Resource], parts: Iterable[Part], version: str) -> Object:
    """Return the document of the `parts` of these rows, for orjson to write.

    `version` is the server's, such as "v1.35.0".
    """
    rows, parts = list(rows), list(parts)
    general = [*general_operations(rows).values(), *version_operations(rows)]
    paths: dict[str, Any] = {}
    for operation in general:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    for one in parts:
        paths.update(one.paths)
    needed = {STATUS, *(name for op in general for name in (op.body, op.answer) if name)}
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": dict(sorted(paths.items())),
        "definitions": _definitions(parts, needed.union(*(one.needed for one in parts))),
        "securityDefinitions": SECURITY,
        "security": [{name: []} for name in SECURITY],
    }


def _encoded(documents: Mapping[str, Object]) -> dict[str, orjson.Fragment]:
    return {name: orjson.Fragment(orjson.dumps(one)) for name, one in documents.items()}


def _definitions(parts: Iterable[Part], needed: Iterable[str]) -> dict[str, Any]:
    built_in = schema().definitions
    found: dict[str, Any] = {name: built_in[name] for name in _reached(frozenset(needed))}
    for one in parts:
        found.update(one.definitions)
    return dict(sorted(found.items()))


@functools.lru_cache(maxsize=8)
def _reached(names: frozenset[str]) -> tuple[str, ...]:
    """The definitions of built-in kinds that these names lead to; more kinds lead to no others."""
    return tuple(closure(schema().definitions, names))


def _operation(operation: Operation) -> Object:
    return {
        "description": operation.description,
        "operationId": operation.operation_id,
        "tags": [operation.tag],
        "schemes": ["https"],
        "consumes": list(operation.consumes),
        "produces": list(operation.produces),
        "parameters": [*map(_parameter, operation.parameters), *_body(operation)],
        "responses": _responses(operation),
        **extensions(operation),
    }


def _parameter(parameter: Parameter) -> Object:
    shown: Object = {
        "name": parameter.name,
        "in": parameter.location,
        "description": parameter.description,
        "type": parameter.type,
        "uniqueItems": True,
    }
    return {**shown, "required": True} if parameter.location == "path" else shown


def _body(operation: Operation) -> list[Object]:
    if operation.body is None:
        return []
    body: Object = {"name": "body", "in": "body", "schema": _reference(operation.body)}
    # A delete may come without options.
    return [body if operation.method == "delete" else {**body, "required": True}]


def _responses(operation: Operation) -> dict[str, Any]:
    answer: Object = {"type": "string"}
    if operation.answer is not None:
        answer = _reference(operation.answer)
    shown = {
        str(code): {"description": HTTPStatus(code).phrase, "schema": answer}
        for code in operation.codes
    }
    return {**shown, "401": {"description": HTTPStatus(401).phrase}}


def _reference(name: str) -> Object:
    return {"$ref": REFERENCE_PREFIX + name}
