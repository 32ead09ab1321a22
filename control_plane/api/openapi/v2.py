"""The OpenAPI v2 (swagger) document: one for everything that is served.

Called by documents.py. Pure.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from control_plane.api.openapi.custom import custom_definitions, simplified
from control_plane.api.openapi.discovery_operations import general_operations, version_operations
from control_plane.api.openapi.operations import STATUS, extensions, operations
from control_plane.api.openapi.references import closure
from control_plane.api.openapi.security import SECURITY
from control_plane.api.schema import REFERENCE_PREFIX, schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from control_plane.api.objects import Object
    from control_plane.api.openapi.operations import Operation
    from control_plane.api.openapi.parameters import Parameter
    from control_plane.api.resources import Resource


def document(rows: Iterable[Resource], version: str) -> Object:
    """Return the document; `version` is the server's, such as "v1.35.0"."""
    rows = list(rows)
    served = [
        *general_operations(rows).values(),
        *version_operations(rows),
        *(operation for row in rows for operation in operations(row)),
    ]
    paths: dict[str, Object] = {}
    for operation in served:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": dict(sorted(paths.items())),
        "definitions": _definitions(rows, served),
        "securityDefinitions": SECURITY,
        "security": [{name: []} for name in SECURITY],
    }


def _definitions(rows: list[Resource], served: list[Operation]) -> Object:
    definitions = {**schema().definitions, **custom_definitions(rows, simplified)}
    names = {STATUS, *(name for op in served for name in (op.body, op.answer) if name)}
    names |= {name for row in rows if (name := schema().name_for(row.api_version, row.kind))}
    return {name: definitions[name] for name in closure(definitions, names)}


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
