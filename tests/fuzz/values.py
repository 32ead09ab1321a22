"""Values made from schemas, junk for their places, and bytes that are hardly JSON any more."""

import json
import random
from typing import Any

Object = dict[str, Any]
COMPONENTS = "#/components/schemas/"
TEXTS = (
    "", "a", "x-1", "A b", "x/y", "a.b/c", "10.0.0.1", "None", "..", "50%", "\u00e9", "a" * 300,
    "1Gi", "\0", "\ud7ff", "500m", "Always", "ClusterIP", "In", "Exists", "RollingUpdate", "TCP",
    "2026-01-01T00:00:00Z", "YQ==", "*/5 * * * *", "kubernetes.io/x", "\U0001f600", "true", "-1",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 80, 2**31 - 1, 2**31, 2**63, 2**64, 10**30, 0.5, 1e300)
MARK = "\u2603"  # a text that stands for what JSON libraries would not write
RAW = (
    b"1e400", b"-0", b"1" * 400, b"NaN", b"Infinity", b'"\\ud800"', b'"\\u0000"', b"[" * 5000,
    b'{"a":' * 300 + b"1" + b"}" * 300, b'"\xff\xfe"', b'{"a":1,"a":2}', b"", b"nul",
    b"[" + b"1," * 50_000 + b"1]", b'"' + b"x" * 200_000 + b'"',
)  # fmt: skip


class Values:
    """Makes values; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def of_schema(self, node: Object, schemas: Object, depth: int = 0) -> Any:
        """Return a value that fits a schema, more or less."""
        node = _resolved(node, schemas)
        luck = self.random.random()
        if depth > 8 or luck < 0.02:
            return None
        if luck < 0.05:
            return self.junk()
        kind = node.get("type", "")
        if kind == "array":
            count = self.random.choice((0, 1, 1, 2))
            return [self.of_schema(node["items"], schemas, depth + 1) for _ in range(count)]
        if kind == "object" or "properties" in node:
            return self._object(node, schemas, depth)
        return self._scalar(kind)

    def _object(self, node: Object, schemas: Object, depth: int) -> Any:
        inner = node.get("additionalProperties")
        if isinstance(inner, dict):
            keys = self.random.sample(TEXTS, 2)
            return {key: self.of_schema(inner, schemas, depth + 1) for key in keys}
        fields = node.get("properties", {})
        chosen = [name for name in fields if self.random.random() < 3 / (len(fields) + 2)]
        return {name: self.of_schema(fields[name], schemas, depth + 1) for name in chosen}

    def _scalar(self, kind: str) -> Any:
        if kind == "boolean":
            return self.random.random() < 0.5
        if kind in ("integer", "number"):
            return self.random.choice(NUMBERS)
        return self.random.choice(TEXTS if kind else (*TEXTS, *NUMBERS))

    def junk(self) -> Any:
        """Return a value of any JSON type."""
        choices: tuple[Any, ...] = (
            None,
            True,
            [],
            {},
            [[]],
            {"a": {"b": []}},
            MARK,
            *NUMBERS,
            *TEXTS,
        )
        return self.random.choice(choices)

    def spoilt(self, value: Any, times: int) -> Any:
        """Return a value with junk in so many places."""
        for _ in range(times):
            value = self._spoil(value)
        return value

    def _spoil(self, value: Any) -> Any:
        if self.random.random() < 0.15 or not value or not isinstance(value, dict | list):
            return self.junk()
        if isinstance(value, list):
            at = self.random.randrange(len(value))
            return [*value[:at], self._spoil(value[at]), *value[at + 1 :]]
        if self.random.random() < 0.15:
            return {**value, self.random.choice(TEXTS): self.junk()}
        name = self.random.choice(sorted(value))
        return {**value, name: self._spoil(value[name])}

    def written(self, value: Any) -> bytes:
        """Return a value as a body, with what no library writes where the value says so."""
        body = json.dumps(value).encode()
        mark = json.dumps(MARK).encode()
        while mark in body:
            body = body.replace(mark, self.random.choice(RAW), 1)
        return self._damaged(body) if self.random.random() < 0.06 else body

    def _damaged(self, body: bytes) -> bytes:
        at = self.random.randrange(len(body) + 1)
        return self.random.choice((
            body[:at],
            body[:at] + self.random.randbytes(3) + body[at:],
            body[:at] + body[:at],
            body + b"\n" + body,
            b"\xef\xbb\xbf" + body,
        ))  # fmt: skip


def _resolved(node: Object, schemas: Object) -> Object:
    while True:
        if "$ref" in node:
            node = schemas.get(node["$ref"].removeprefix(COMPONENTS), {})
        elif "allOf" in node:
            node = node["allOf"][0]
        elif "oneOf" in node:
            node = {"type": ""}
        else:
            return node
