"""Definitions of custom resources with schemas at random, and objects of them.

Each round makes a definition, or changes the one there is, and writes and reads objects that fit
its schema more or less.
"""

import random
from collections.abc import Iterator
from typing import Any

from tests.fuzz.fuzzer import Fuzzer
from tests.fuzz.requests import APPLY, NAMESPACE, Request
from tests.fuzz.values import Values

Object = dict[str, Any]
GROUP = "fuzz.example.com"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PLURALS = ("things", "others")
FIELDS = ("spec", "status", "a", "b-c", "d.e", "namespace", "self", "é", "x" * 70, "kind")
TYPES = ("object", "object", "object", "array", "string", "string", "integer", "number", "boolean")
PATTERNS = ("^[a-z]+$", "(", "a{2,1}", "(?=a)", "\\d", "[", "x*" * 50, "")
FORMATS = ("date", "date-time", "byte", "ipv4", "uuid", "int32", "int64", "k8s-short-name", "odd")
RULES = (
    "true", "self.a == 'x'", "self == oldSelf", "self.size() < 5", "self.all(x, x != '')", "1", "(",
    "has(self.spec) && self.spec.a.b.c > 1", "self.matches('(')", "oldSelf.value() == self", "self",
    "self.exists(x, self.exists(y, self.exists(z, x == y && y == z)))", "self > 1 || self < 'a'",
    "'%d'.format([self])", "self.map(x, x + x).size() > 2", "quantity(self).isGreaterThan(self)",
)  # fmt: skip
FLAGS = ("preserve-unknown-fields", "int-or-string", "embedded-resource")
COUNTS = (0, 1, 2, 10, -1, 2**31, 2**63 - 1)
PATHS = (".spec.a", ".metadata.name", "{.a}", "", ".spec[0]", "..", ".status", ".spec['b-c']")


class Schemas:
    """Makes schemas; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._values = Values(seed)

    def definition(self, plural: str) -> Object:
        """Return a definition that may well be accepted."""
        count = self._random.choice((1, 1, 2))
        versions = [self._version(f"v{at + 1}", is_stored=not at) for at in range(count)]
        names = {"plural": plural, "kind": plural.title(), "shortNames": self._some(("t", "A"))}
        spec = {"group": GROUP, "scope": "Namespaced", "names": names, "versions": versions}
        made = {"metadata": {"name": f"{plural}.{GROUP}"}, "spec": spec}
        if self._chance(0.15):
            made["spec"] = self._values.spoilt(spec, self._random.choice((1, 2)))
        return made

    def _version(self, name: str, *, is_stored: bool) -> Object:
        made: Object = {"name": name, "served": self._chance(0.95), "storage": is_stored}
        schema = {**self.node(0), "type": "object"}
        schema.pop("items", None)
        made["schema"] = {"openAPIV3Schema": schema}
        if self._chance(0.4):
            made["subresources"] = {"status": {}}
        if self._chance(0.2):
            paths = self._some(PATHS)
            made["additionalPrinterColumns"] = [
                {"name": path, "type": self._random.choice(TYPES[4:]), "jsonPath": path}
                for path in paths
            ]
        if self._chance(0.2):
            made["selectableFields"] = [{"jsonPath": path} for path in self._some(PATHS)]
        return made

    def node(self, depth: int) -> Object:
        """Return a schema, most of the time a structural one."""
        kind = self._random.choice(TYPES[4:] if depth > 3 else TYPES)
        made: Object = {"type": kind}
        if kind == "object":
            below = {name: self.node(depth + 1) for name in self._some(FIELDS)}
            key = "additionalProperties" if depth and self._chance(0.3) else "properties"
            made[key] = below if key == "properties" else self.node(depth + 1)
            made |= self._maybe("required", self._some(FIELDS), 0.2)
        if kind == "array":
            made["items"] = self.node(depth + 1)
            made |= self._maybe("x-kubernetes-list-type", self._random.choice(("set", "map")), 0.2)
            made |= self._maybe("x-kubernetes-list-map-keys", self._some(FIELDS), 0.1)
        return made | self._checks(kind) | self._extensions(made, depth)

    def _checks(self, kind: str) -> Object:
        made: Object = {}
        for keyword in (
            "minimum",
            "maximum",
            "multipleOf",
            "maxLength",
            "maxItems",
            "minProperties",
        ):
            made |= self._maybe(keyword, self._random.choice(COUNTS), 0.07)
        made |= self._maybe("pattern", self._random.choice(PATTERNS), 0.1 * (kind == "string"))
        made |= self._maybe("format", self._random.choice(FORMATS), 0.2 * (kind == "string"))
        made |= self._maybe("nullable", True, 0.1)
        made |= self._maybe("enum", [self._values.junk(), "a"], 0.05)
        return made

    def _extensions(self, node: Object, depth: int) -> Object:
        made: Object = {}
        for flag in FLAGS:
            made |= self._maybe(f"x-kubernetes-{flag}", True, 0.04)
        made |= self._maybe("default", self._values.of_schema(node, {}), 0.1)
        rules = [{"rule": rule} for rule in self._some(RULES)]
        made |= self._maybe("x-kubernetes-validations", rules, 0.15)
        if self._chance(0.05) and depth < 3:
            word = self._random.choice(("anyOf", "allOf", "oneOf"))
            made[word] = [{"required": ["a"]}, {"properties": {"a": {"enum": ["x"]}}}]
        return made

    def _maybe(self, keyword: str, value: Any, chance: float) -> Object:
        return {keyword: value} if self._chance(chance) else {}

    def _chance(self, chance: float) -> bool:
        return self._random.random() < chance

    def _some(self, choices: tuple[str, ...]) -> list[str]:
        return self._random.sample(choices, min(self._random.choice((0, 1, 2)), len(choices)))


class DefinitionRequests:
    """Makes the requests of rounds; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._schemas = Schemas(seed)
        self._values = Values(seed)

    def rounds(self, count: int) -> Iterator[Request]:
        """Yield the requests of so many rounds."""
        for _ in range(count):
            yield from self._round(self._random.choice(PLURALS))

    def _round(self, plural: str) -> Iterator[Request]:
        definition = self._schemas.definition(plural)
        path = f"{DEFINITIONS}/{plural}.{GROUP}"
        if self._random.random() < 0.3:
            yield _request("DELETE", path)
        yield self._write("POST", DEFINITIONS, definition)
        yield self._write("PATCH", path, {"spec": definition["spec"]}, "merge-patch+json")
        objects = f"/apis/{GROUP}/v1/namespaces/{NAMESPACE}/{plural}"
        for _ in range(4):
            yield from self._of_object(objects, plural, definition)
        yield _request("GET", f"{objects}?fieldSelector=metadata.name%3Da")
        yield _request("GET", objects, {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"})
        if self._random.random() < 0.1:
            yield _request("GET", f"/openapi/v3/apis/{GROUP}/v1")
            yield _request("GET", "/openapi/v2")

    def _of_object(self, objects: str, plural: str, definition: Object) -> Iterator[Request]:
        try:
            schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
            made = self._values.of_schema(schema, {})
        except (AttributeError, IndexError, KeyError, TypeError):
            made = self._values.junk()
        if isinstance(made, dict):
            identity = {"apiVersion": f"{GROUP}/v1", "kind": plural.title()}
            made = {**made, **identity, "metadata": {"name": "a"}}
        if self._random.random() < 0.3:
            made = self._values.spoilt(made, 1)
        yield self._write("POST", objects, made)
        yield self._write("PATCH", f"{objects}/a", made, "merge-patch+json")
        if self._random.random() < 0.5:
            query = "?fieldManager=m1&force=true"
            yield self._write("PATCH", f"{objects}/a{query}", made, APPLY.partition("/")[2])
        yield _request("GET", f"{objects}/a")
        yield self._write("PATCH", f"{objects}/a/status", {"status": made}, "merge-patch+json")
        if self._random.random() < 0.3:
            yield _request("DELETE", f"{objects}/a")

    def _write(self, method: str, path: str, value: Any, kind: str = "json") -> Request:
        headers = {"Content-Type": f"application/{kind}"}
        return Request(method, path, headers, self._values.written(value), False)


def _request(method: str, path: str, headers: dict[str, str] | None = None) -> Request:
    return Request(method, path, headers or {}, None, False)


def run_rounds(fuzzer: Fuzzer, seed: int, count: int) -> None:
    """Send the requests of so many rounds; the namespace must be there."""
    for request in DefinitionRequests(seed).rounds(count):
        fuzzer.send(request)
