"""YAML bodies: one document, read into the plain values its JSON form would give.

Repeated keys are errors of the strict kind: they are noted with their line, and the last value
counts. Only what JSON can say is accepted; aliases are bounded. Called by field_validation.py.
"""

from __future__ import annotations

import datetime
import math
import re
from typing import Any, Final, NamedTuple

import yaml

from control_plane.api.json_syntax import MAX_DEPTH, is_too_deep, number_of

MAX_ALIASES: Final = 100
MAX_VALUES: Final = 1_000_000  # with every alias counted as often as it is used
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

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.repeats: list[str] = []

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
        """Build a map with text keys."""
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = _key_text(self.construct_object(key_node, deep=True))
            if key in result:
                line = key_node.start_mark.line + 1
                self.repeats.append(f'line {line}: key "{key}" already set in map')
            result[key] = self.construct_object(value_node, deep=True)
        return result


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


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_integer)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _construct_text)


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
        raise YamlSyntaxError(f"yaml: {' '.join(str(error).split())}") from None
    _check_values(value)
    return YamlDocument(value, tuple(loader.repeats))


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
