"""YAML bodies: one document, read into the plain values its JSON form would give.

Repeated keys are errors of the strict kind: they are noted with their line, and the last value
counts; so are those that a merge (`<<`) brings. Only what JSON can say is accepted; aliases are
bounded. What plain words mean is in yaml_scalars.py. Called by field_validation.py.
"""

from __future__ import annotations

import datetime
import math
import re
from typing import Any, ClassVar, Final, NamedTuple

import yaml

from control_plane.api import yaml_scalars
from control_plane.api.json_syntax import MAX_DEPTH, is_too_deep, number_of

MAX_ALIASES: Final = 100
MAX_VALUES: Final = 1_000_000  # with every alias counted as often as it is used
MAX_MERGED: Final = 100_000  # keys, counted as often as they are brought
_TAG: Final = "tag:yaml.org,2002:"
_NUMBER: Final = "!number"
_BLOCK_MARK: Final = re.compile(r"[-?]\s")
_INDENTED: Final = re.compile(rf"(?:^|\n) {{{MAX_DEPTH // 2}}}")
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlSyntaxError(ValueError):
    """A body is not one YAML document of JSON values."""


class YamlDocument(NamedTuple):
    """A document's value, and what is wrong with its keys: `line 6: key "a" already set in map`."""

    value: Any
    repeats: tuple[str, ...]


class _Loader(_BASE):  # type: ignore[misc]
    """PyYAML's loader without its times and sets, noting repeated keys."""

    yaml_implicit_resolvers: ClassVar[Any] = {}  # of plain words, instead of PyYAML's own

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.repeats: list[str] = []
        self._merged = 0

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
        """Build a map with text keys."""
        result: dict[str, Any] = {}
        self._fill(result, node)
        return result

    def _fill(self, result: dict[str, Any], node: Any) -> None:
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                self._merge(result, value_node)
                continue
            key = _key_text(self.construct_object(key_node, deep=True))
            if key in result:
                line = key_node.start_mark.line + 1
                self.repeats.append(f'line {line}: key "{key}" already set in map')
            result[key] = self.construct_object(value_node, deep=True)

    def _merge(self, result: dict[str, Any], node: Any) -> None:
        """Add the keys of a map, or of several, of which the first counts most."""
        maps = reversed(node.value) if isinstance(node, yaml.SequenceNode) else (node,)
        for one in maps:
            if not isinstance(one, yaml.MappingNode):
                text = "map merge requires map or sequence of maps as the value"
                raise YamlSyntaxError(f"yaml: {text}")
            self._merged += len(one.value)
            if self._merged > MAX_MERGED:
                raise YamlSyntaxError("yaml: document contains excessive aliasing")
            self._fill(result, one)


def _key_text(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, str | int | float):
        return str(key)
    raise YamlSyntaxError(f"json: unsupported key {key!r}: only scalar keys can be used")


def _construct_map(loader: _Loader, node: Any) -> dict[str, Any]:
    return loader.construct_mapping(node, deep=True)


def _construct_text(loader: _Loader, node: Any) -> Any:
    return loader.construct_scalar(node)


def _construct_integer(loader: _Loader, node: Any) -> int | float:
    return number_of(str(loader.construct_yaml_int(node)))


def _construct_boolean(loader: _Loader, node: Any) -> bool:
    word = loader.construct_scalar(node)
    if word not in yaml_scalars.TRUE | yaml_scalars.FALSE:
        raise YamlSyntaxError(f"yaml: cannot decode {word!r} as a !!bool")
    return word in yaml_scalars.TRUE


def _construct_number(loader: _Loader, node: Any) -> int | float | str:
    return yaml_scalars.plain_number(loader.construct_scalar(node))


_Loader.add_constructor(f"{_TAG}map", _construct_map)
_Loader.add_constructor(f"{_TAG}bool", _construct_boolean)
_Loader.add_constructor(f"{_TAG}int", _construct_integer)
_Loader.add_constructor(f"{_TAG}timestamp", _construct_text)
_Loader.add_constructor(_NUMBER, _construct_number)


class _Numbers:
    """What stands for a pattern that matches numbers."""

    def match(self, word: str) -> bool:
        """Whether a plain word is a number."""
        try:
            return not isinstance(yaml_scalars.plain_number(word), str)
        except ValueError:
            return True


def resolve_as_go_does(known: Any) -> None:
    """Have a loader take plain words for what go-yaml does, or a dumper quote texts like them."""
    kinds = {
        "bool": yaml_scalars.TRUE | yaml_scalars.FALSE,
        "null": yaml_scalars.NULL,
        "merge": {yaml_scalars.MERGE},
        "float": yaml_scalars.NOT_FINITE,
    }
    for kind, words in kinds.items():
        pattern = re.compile(rf"(?:{'|'.join(map(re.escape, words))})\Z")
        known.add_implicit_resolver(_TAG + kind, pattern, sorted({word[:1] for word in words}))
    known.add_implicit_resolver(_NUMBER, _Numbers(), list("-+.0123456789"))


resolve_as_go_does(_Loader)


def decode(body: bytes) -> YamlDocument:
    """Return the value of a body with one document; raises YamlSyntaxError."""
    try:
        text = body.decode()
        if _may_be_deep(text) or "*" in text:
            _check_events(text)
        loader = _Loader(text)
        try:
            value = loader.get_single_data()
        finally:
            loader.dispose()
    except UnicodeDecodeError:
        raise YamlSyntaxError("yaml: invalid UTF-8") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, YamlSyntaxError):
            raise
        raise YamlSyntaxError(f"yaml: {_in_go_words(error)}") from None
    _check_values(value)
    return YamlDocument(value, tuple(loader.repeats))


def _in_go_words(error: Exception) -> str:
    """Return libyaml's error as go-yaml says it: lines are counted from 0 but by the scanner."""
    if isinstance(error, yaml.reader.ReaderError):
        return str(error.reason)
    if not isinstance(error, yaml.scanner.ScannerError | yaml.parser.ParserError):
        return " ".join(str(error).split())
    problem, context = (
        mark.line if mark else 0 for mark in (error.problem_mark, error.context_mark)
    )
    is_scanned = problem > 0 and isinstance(error, yaml.scanner.ScannerError)
    line = (problem or context) + is_scanned
    return f"line {line}: {error.problem}" if line else str(error.problem)


def _may_be_deep(text: str) -> bool:
    """Tell whether a document could nest too deep: each level takes a mark or an indentation."""
    marks = text.count("[") + text.count("{") + sum(1 for _ in _BLOCK_MARK.finditer(text))
    return marks > MAX_DEPTH or _INDENTED.search(text) is not None


def _check_events(text: str) -> None:
    """Refuse what must not be built at all.

    Aliases could multiply a document; nesting would end on the stack of PyYAML's C code, which
    nothing guards. Reading events needs no stack.
    """
    loader: Any = _BASE(text)
    aliases = depth = 0
    try:
        while loader.check_event():
            event = loader.get_event()
            aliases += isinstance(event, yaml.AliasEvent)
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if aliases > MAX_ALIASES:
                raise YamlSyntaxError("yaml: document contains excessive aliasing")
            if depth > MAX_DEPTH:
                raise YamlSyntaxError("yaml: exceeded max depth")
    finally:
        loader.dispose()


def _check_values(value: Any) -> None:
    """Refuse what JSON cannot say, a value that contains itself, and what aliases multiply."""
    pending, seen = [value], 0
    while pending:
        item = pending.pop()
        seen += 1
        if seen > MAX_VALUES:
            raise YamlSyntaxError("yaml: document contains excessive aliasing")
        if isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, bytes | set | datetime.date):
            raise YamlSyntaxError(f"yaml: a {type(item).__name__} has no JSON form")
        elif isinstance(item, float) and not math.isfinite(item):
            raise YamlSyntaxError(f"json: unsupported value: {item}")
    if is_too_deep(value):
        raise YamlSyntaxError("yaml: exceeded max depth")
