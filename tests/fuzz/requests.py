"""Requests: an operation, filled in and spoilt here and there."""

import json
import random
from typing import Any, NamedTuple
from urllib.parse import quote

from control_plane.api.resources import resource_for
from tests.control_plane.apiserver.minimal_objects import minimal_object
from tests.fuzz.operations import Operation
from tests.fuzz.values import NUMBERS, TEXTS, Values

NAMES = ("a", "b")
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
NAMESPACE = "fuzz"
ACCEPTS = (
    "*/*", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
    "application/json;as=Table;v=v1;g=meta.k8s.io", "text/html", "application/json;q=x", ",;=,",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "application/cbor", "\xff",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "application/json;as=X",
)  # fmt: skip
TYPES = (
    "application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/plain",
    "application/json-patch+json", "application/merge-patch+json", "application/cbor", "",
    "application/strategic-merge-patch+json", "application/apply-patch+yaml", "a/b;c=d",
)  # fmt: skip
SELECTORS = (
    "a=b", "a in (b,c)", "!a", "a", "metadata.name=a", "spec.nodeName=x", "=", "a==b,c!=d", "((",
)  # fmt: skip


class Request(NamedTuple):
    """What goes over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None
    is_stream: bool


def _weight(operation: Operation) -> float:
    """Return how often an operation comes: most objects are to stay a while.

    Without ranges of addresses a server has no address for a service, and says so with a 500.
    """
    if operation.kind == "ServiceCIDR" and operation.method != "GET":
        return 0
    if "/watch/" in operation.path:
        return 0.1
    if operation.method == "DELETE":
        return 1 if operation.path.endswith("{name}") else 0.05
    return 5 if operation.body else 1


class Requests:
    """Makes requests of operations; the same seed makes the same ones."""

    def __init__(self, operations: list[Operation], seed: int) -> None:
        self._operations = operations
        self._random = random.Random(seed)
        self._values = Values(seed)
        self._weights = list(map(_weight, operations))

    def next(self) -> Request:
        """Return the next request."""
        (operation,) = self._random.choices(self._operations, self._weights)
        name = "fd00::1" if operation.kind == "IPAddress" else self._random.choice(NAMES)
        media_type = self._content_type(operation)
        query = self._query(operation, media_type)
        is_stream = "/watch/" in operation.path or ("watch" in query and operation.method == "GET")
        body = self._body(operation, name, media_type)
        headers = {"Content-Type": media_type}
        if self._random.random() < 0.3:
            headers["Accept"] = self._random.choice(ACCEPTS)
        if self._random.random() < 0.02:
            headers[self._random.choice(("If-None-Match", "Impersonate-User", "Range"))] = "x"
        path = self._path(operation, name)
        return Request(operation.method, path + query, headers, body, is_stream)

    def _path(self, operation: Operation, name: str) -> str:
        path = operation.path.replace("{namespace}", self._place(NAMESPACE, 0.03))
        return path.replace("{name}", self._place(quote(name), 0.03))

    def _place(self, usual: str, chance: float) -> str:
        if self._random.random() > chance:
            return usual
        return quote(self._random.choice(TEXTS), safe="") or "%00"

    def _query(self, operation: Operation, media_type: str) -> str:
        chosen = []
        if media_type == APPLY and self._random.random() < 0.95:
            chosen = ["fieldManager=m1", self._random.choice(("force=true", "force=false"))]
        for name, kind in operation.queries:
            if self._random.random() < 0.6 / (len(operation.queries) + 1):
                chosen.append(f"{name}={self._parameter(name, kind)}")
        return "?" + "&".join(chosen) if chosen else ""

    def _parameter(self, name: str, kind: str) -> str:
        luck = self._random.random()
        if luck < 0.15:
            return quote(
                str(self._random.choice((*TEXTS, *NUMBERS))), safe="%" if luck < 0.03 else ""
            )
        if name.endswith("Selector"):
            return quote(self._random.choice(SELECTORS))
        if name == "dryRun":
            return "All"
        if name == "fieldValidation":
            return self._random.choice(("Strict", "Warn", "Ignore"))
        if kind == "integer":
            return str(self._random.choice((0, 1, 5, 30)))
        return self._random.choice(("true", "false", "1", "m1", ""))

    def _content_type(self, operation: Operation) -> str:
        if self._random.random() < 0.05 or not operation.media_types:
            return self._random.choice(TYPES)
        chosen = self._random.choice(operation.media_types)
        return "application/json" if chosen == "*/*" else chosen

    def _body(self, operation: Operation, name: str, media_type: str) -> bytes | None:
        if operation.body is None or (operation.method == "DELETE" and self._random.random() < 0.7):
            return None
        luck = self._random.random()
        if luck < 0.3:
            value: Any = self._values.of_schema(operation.body, operation.schemas)
        else:
            value = self._likely(operation, name)
            if luck < 0.7:
                value = self._values.spoilt(value, self._random.choice((1, 1, 2, 3)))
        if media_type == JSON_PATCH and isinstance(value, dict):
            value = [self._operation(name, item) for name, item in value.items()]
        return self._values.written(value)

    def _operation(self, name: str, value: Any) -> Any:
        kinds = ("add", "replace", "remove", "test", "move", "copy", "x")
        path = self._random.choice((f"/{name}", f"/{name}/-", f"/metadata/{name}", "", "x"))
        return {"op": self._random.choice(kinds), "path": path, "from": "/metadata", "value": value}

    def _likely(self, operation: Operation, name: str) -> Any:
        """Return a body that may well be accepted."""
        resource = resource_for(operation.api_version, operation.kind)
        if resource is None or operation.method == "DELETE":
            return {"metadata": {"name": name}, "spec": {"replicas": 1}}
        obj = json.loads(json.dumps(minimal_object(resource, name, NAMESPACE)))
        if self._random.random() < 0.3:
            status = self._values.of_schema(operation.body or {}, operation.schemas)
            obj |= {"status": status.get("status")} if isinstance(status, dict) else {}
        return obj
