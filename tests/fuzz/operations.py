"""The operations that a server's OpenAPI v3 documents offer."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

Object = dict[str, Any]
# these ask a node for something, and there is none
_STREAMS = ("/exec", "/attach", "/portforward", "/log", "/proxy", "/proxy/{path}")
_METHODS = ("get", "post", "put", "patch", "delete")


class Operation(NamedTuple):
    """One method on one path; `queries` are its parameters by name, `body` its schema."""

    method: str
    path: str
    group: str
    kind: str
    queries: tuple[tuple[str, str], ...]
    body: Object | None
    media_types: tuple[str, ...]
    schemas: Object

    @property
    def api_version(self) -> str:
        """The apiVersion of the objects at this path."""
        root, version = self.path.split("/")[1:3]
        return version if root == "api" else "/".join(self.path.split("/")[2:4])


def operations(read: Callable[[str], Any]) -> list[Operation]:
    """Return the operations of a server; `read` gets the JSON of a path."""
    found = []
    for name, entry in sorted(read("/openapi/v3")["paths"].items()):
        if name.startswith(("api/", "apis/")):
            found += _of_document(read(entry["serverRelativeURL"]))
    return found


def _of_document(document: Object) -> list[Operation]:
    schemas = document.get("components", {}).get("schemas", {})
    return [
        _operation(method, path, item[method], schemas)
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item and not path.endswith(_STREAMS)
    ]


def _operation(method: str, path: str, shown: Object, schemas: Object) -> Operation:
    content = shown.get("requestBody", {}).get("content", {})
    queries = tuple(
        (parameter["name"], parameter["schema"].get("type", "string"))
        for parameter in shown.get("parameters", [])
        if parameter["in"] == "query"
    )
    identity = shown.get("x-kubernetes-group-version-kind", {})
    body = next((item.get("schema") for item in content.values()), None)
    return Operation(
        method.upper(), path, identity.get("group", ""), identity.get("kind", ""), queries,
        body, tuple(content), schemas,
    )  # fmt: skip


def read_json(text: str) -> Any:
    """Return the value of a JSON text."""
    return json.loads(text)
