"""CEL expressions at random: compiled and evaluated, or refused, and never anything else."""

import random
import re
from typing import Any

from control_plane.api.cel import DYN, Budget, CelError, Environment

LITERALS = (
    "1", "-1", "0", "2u", "1.5", "9223372036854775807", "''", "'a'", "b'x'", "true", "null", "[]",
    "{}", "[1, dyn('a')]", "{'a': 1}", "duration('1h')", "timestamp('2026-01-01T00:00:00Z')",
    "quantity('1Gi')", "ip('::1')", "cidr('10.0.0.0/8')", "url('https://a/b?c')", "semver('1.2.3')",
    "optional.of(1)", "optional.none()", "object", "self", "object.spec", "self.items", "x", "int",
    "object.?a.b", "self[?0]", "'(a+)+$'", "'%d %s'", "format.named('uuid')", "9e999", "[[[1]]]",
)  # fmt: skip
OPERATORS = ("+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in")
METHODS = (
    "size", "contains", "startsWith", "matches", "find", "findAll", "split", "join", "replace",
    "substring", "indexOf", "lastIndexOf", "lowerAscii", "trim", "charAt", "format", "sum", "min",
    "max", "isSorted", "sort", "distinct", "reverse", "flatten", "slice", "hasValue", "value",
    "orValue", "or", "isGreaterThan", "compareTo", "add", "sub", "asInteger", "family", "validate",
    "containsIP", "masked", "getHost", "getQuery", "getHours", "getFullYear", "major", "isInteger",
)  # fmt: skip
FUNCTIONS = (
    "size", "int", "uint", "double", "string", "bytes", "bool", "dyn", "type", "duration",
    "timestamp", "quantity", "isQuantity", "ip", "isIP", "cidr", "url", "isURL", "semver", "has",
    "sets.contains", "sets.intersects", "lists.range", "strings.quote", "optional.ofNonZeroValue",
)  # fmt: skip
MACROS = ("all", "exists", "exists_one", "map", "filter", "sortBy", "optMap", "transformList")
OBJECTS: tuple[Any, ...] = (
    {}, None, {"spec": {"a": 1}, "items": [1, 2]}, [1, 2, 3], "text", 7, 1.5, {"items": {"a": "b"}},
    {"spec": None, "a": {"b": [{}]}},
)  # fmt: skip


class Expressions:
    """Makes expressions; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._environment = Environment({"object": DYN, "self": DYN})
        self.evaluated = 0

    def run(self, count: int) -> list[str]:
        """Compile and evaluate so many; returns those that met a bug."""
        return [fault for _ in range(count) if (fault := self._tried(self.next()))]

    def next(self) -> str:
        """An expression, or hardly one."""
        text = self._made(self._random.choice((1, 1, 2, 2, 3)))
        return self._damaged(text) if self._random.random() < 0.15 else text

    def _tried(self, text: str) -> str:
        choice = self._random.choice
        variables = {"object": choice(OBJECTS), "self": choice(OBJECTS)}
        try:
            program = self._environment.compile(text)
            self.evaluated += 1
            program.evaluate(variables, Budget())
        except CelError:
            return ""
        except Exception as error:  # noqa: BLE001  what else is raised is a bug, whatever it is
            return f"{type(error).__name__}: {error}: {text} of {variables}"
        return ""

    def _made(self, depth: int) -> str:
        choice, deeper = self._random.choice, depth - 1
        if depth == 0:
            return choice(("{}", "dyn({})", "dyn({})")).format(choice(LITERALS))
        one = self._made(deeper)
        kind = self._random.randrange(8)
        if kind < 2:
            return f"({one} {choice(OPERATORS)} {self._made(deeper)})"
        if kind == 2:
            return f"({one} ? {self._made(deeper)} : {self._made(deeper)})"
        if kind == 3:
            return f"{choice(FUNCTIONS)}({one})"
        if kind == 4:
            return f"{one}.{choice(MACROS)}(x, {self._made(deeper)})"
        if kind == 5:
            return f"{one}[{self._made(deeper)}]"
        arguments = ", ".join(self._made(0) for _ in range(choice((0, 1, 1, 2))))
        return f"{one}.{choice(METHODS)}({arguments})"

    def _damaged(self, text: str) -> str:
        parts = re.findall(r"\w+|\W", text)
        at = self._random.randrange(len(parts) + 1)
        return "".join(self._random.choice((parts[:at], parts[at:], [*parts[:at], *parts])))
