"""The OpenAPI v3 documents, one per group version. Called by documents.py. Pure.

Definitions differ from v2's in form only: a reference with anything beside it becomes an allOf,
because v3 ignores the siblings of $ref; quantities and integers-or-strings say that they may be
numbers.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.openapi.custom import custom_definitions, in_full
from control_plane.api.openapi.discovery_operations import version_operations
from control_plane.api.openapi.operations import STATUS, extensions, operations
from control_plane.api.openapi.references import closure
from control_plane.api.openapi.security import SECURITY
from control_plane.api.schema import INT_OR_STRING, QUANTITY, REFERENCE_PREFIX, schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from control_plane.api.objects import Object
    from control_plane.api.openapi.operations import Operation
    from control_plane.api.openapi.parameters import Parameter
    from control_plane.api.resources import Resource

_COMPONENTS: Final = "#/components/schemas/"
_ALTERNATIVES: Final = {QUANTITY: ("string", "number"), INT_OR_STRING: ("integer", "string")}


def document(rows: Iterable[Resource], version: str) -> Object:
    """Return the document of one group version's rows; `version` is the server's."""
    rows = list(rows)
    served = [operation for row in rows for operation in operations(row)]
    names = {
        STATUS,
        *(name for row in rows if (name := schema().name_for(row.api_version, row.kind))),
    }
    definitions = {**schema().definitions, **custom_definitions(rows, in_full)}
    return _document([*version_operations(rows), *served], definitions, names, version)


def general_document(operation: Operation, version: str) -> Object:
    """Return the document of an operation that belongs to no group version."""
    return _document([operation], schema().definitions, (), version)


def _document(
    served: Sequence[Operation],
    definitions: Mapping[str, Object],
    names: Iterable[str],
    version: str,
) -> Object:
    paths: dict[str, Object] = {}
    for operation in served:
        path = paths.setdefault(operation.path, _path_item(operation))
        path[operation.method] = _operation(operation)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": _schemas(served, definitions, names),
            "securitySchemes": SECURITY,
        },
    }


def component(name: str, definition: Object) -> Object:
    """Return a definition in its v3 form; the given one is not changed."""
    if name in _ALTERNATIVES:
        kept = {key: value for key, value in definition.items() if key != "type"}
        return {**kept, "oneOf": [{"type": option} for option in _ALTERNATIVES[name]]}
    converted = _convert(definition)
    assert isinstance(converted, dict)
    return converted


def _schemas(
    served: Iterable[Operation], definitions: Mapping[str, Object], names: Iterable[str]
) -> Object:
    wanted = {*names, *(name for op in served for name in (op.body, op.answer) if name)}
    return {name: component(name, definitions[name]) for name in closure(definitions, wanted)}


def _convert(node: Any) -> Any:
    if isinstance(node, list):
        return [_convert(child) for child in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return {key: _convert(child) for key, child in node.items()}
    target = {"$ref": _COMPONENTS + reference.removeprefix(REFERENCE_PREFIX)}
    beside = {key: _convert(child) for key, child in node.items() if key != "$ref"}
    return {"allOf": [target], **beside} if beside else target


def _path_item(operation: Operation) -> Object:
    shared = [_parameter(p) for p in operation.parameters if p.location == "path"]
    return {"parameters": shared} if shared else {}


def _operation(operation: Operation) -> Object:
    shown: Object = {
        "description": operation.description,
        "operationId": operation.operation_id,
        "tags": [operation.tag],
        "parameters": [_parameter(p) for p in operation.parameters if p.location == "query"],
        "responses": _responses(operation),
        **extensions(operation),
    }
    if operation.body is not None:
        shown["requestBody"] = _body(operation, operation.body)
    return shown


def _parameter(parameter: Parameter) -> Object:
    shown: Object = {
        "name": parameter.name,
        "in": parameter.location,
        "description": parameter.description,
        "schema": {"type": parameter.type, "uniqueItems": True},
    }
    return {**shown, "required": True} if parameter.location == "path" else shown


def _body(operation: Operation, name: str) -> Object:
    body: Object = {"content": _content(operation.consumes, name)}
    # A delete may come without options.
    return body if operation.method == "delete" else {**body, "required": True}


def _content(media_types: tuple[str, ...], name: str | None) -> Object:
    shown = {"type": "string"} if name is None else {"$ref": _COMPONENTS + name}
    return {media_type: {"schema": shown} for media_type in media_types}


def _responses(operation: Operation) -> Object:
    content = _content(operation.produces, operation.answer)
    shown = {
        str(code): {"description": HTTPStatus(code).phrase, "content": content}
        for code in operation.codes
    }
    return {**shown, "401": {"description": HTTPStatus(401).phrase}}
