"""JSONPath as Kubernetes writes it: `.spec.ports[0].name`, `.items[?(@.type=="Ready")].status`.

Names, quoted names, indexes, slices, `*`, recursive descent and filters that compare one path with
a literal. Source: the jsonpath template language of client-go v1.35. Pure.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from control_plane.api.custom.structural import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Step: TypeAlias = Callable[[Any], Iterable[Any]]

_TOKEN: Final = re.compile(
    r"""(?P<deep>\.\.)|\.?\[(?P<inner>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\?\(.*?\)|[^\]]*)\]"""
    r"""|\.(?P<name>(?:\\.|[^.\[\]\\])*)|(?P<bare>[^.\[\]]+)"""
)
_FILTER: Final = re.compile(
    r"\?\(\s*(?P<left>@[^=!<>]*?)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<right>.+?))?\s*\)"
)
_COMPARISONS: Final = {
    "==": operator.eq, "!=": operator.ne, "<=": operator.le, ">=": operator.ge,
    "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_LITERALS: Final = {"true": True, "false": False}


class JsonPathError(ValueError):
    """A path cannot be read."""


class JsonPath:
    """A compiled path."""

    __slots__ = ("_steps",)

    def __init__(self, text: str) -> None:
        """Compile a path, with or without the braces of a template; raises JsonPathError."""
        self._steps = _compile(text.strip().removeprefix("{").removesuffix("}"))

    def find(self, obj: Any) -> list[Any]:
        """Return everything that the path leads to; what is missing leads nowhere."""
        found: list[Any] = [obj]
        for step in self._steps:
            found = [result for value in found for result in step(value)]
        return found


def _compile(text: str) -> list[Step]:
    steps: list[Step] = []
    position, is_deep = 0, False
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.end() == position:
            raise JsonPathError(f"unexpected {text[position:]!r} in the path {text!r}")
        position = match.end()
        if match["deep"]:
            is_deep = True
            steps.append(_descend)
            continue
        inner = match["inner"]
        name = match["name"] if match["name"] is not None else match["bare"]
        if inner is not None:
            steps.append(_subscript(inner.strip()))
        elif name or not is_deep:
            steps.append(_named(re.sub(r"\\(.)", r"\1", name or "")))
        is_deep = False
    return steps


def _named(name: str) -> Step:
    if name == "*":
        return _all
    if not name:
        return lambda value: (value,)
    return lambda value: (value[name],) if isinstance(value, dict) and name in value else ()


def _all(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _descend(value: Any) -> Iterator[Any]:
    yield value
    for child in _all(value):
        if isinstance(child, dict | list):
            yield from _descend(child)


def _subscript(text: str) -> Step:
    if text.startswith("?"):
        return _filter(text)
    if text == "*":
        return _all
    if text[:1] in ("'", '"'):
        return _named(re.sub(r"\\(.)", r"\1", text[1:-1]))
    parts = text.split(":")
    try:
        numbers = [int(part) if part.strip() else None for part in parts]
    except ValueError:
        raise JsonPathError(f"the subscript {text!r} is not supported") from None
    if len(numbers) == 1 and numbers[0] is not None:
        return _at(numbers[0])
    return lambda value: value[slice(*numbers)] if isinstance(value, list) else ()


def _at(index: int) -> Step:
    def step(value: Any) -> Iterable[Any]:
        if not isinstance(value, list) or not -len(value) <= index < len(value):
            return ()
        return (value[index],)

    return step


def _filter(text: str) -> Step:
    match = _FILTER.fullmatch(text)
    if match is None:
        raise JsonPathError(f"the filter {text!r} is not supported")
    left = _compile(match["left"].strip()[1:])
    compare: Callable[[Any, Any], Any] | None = _COMPARISONS[match["op"]] if match["op"] else None
    right = _literal(match["right"].strip()) if match["right"] else None

    def chosen(item: Any) -> bool:
        found: list[Any] = [item]
        for step in left:
            found = [result for value in found for result in step(value)]
        value: Any = found[0] if found else MISSING
        if compare is None or value is MISSING:
            return value is not MISSING
        try:
            return bool(compare(value, right))
        except TypeError:
            return False

    return lambda value: [item for item in _all(value) if chosen(item)]


def _literal(text: str) -> Any:
    if text[:1] in ("'", '"') and text[-1:] == text[:1]:
        return text[1:-1]
    if text in _LITERALS:
        return _LITERALS[text]
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    raise JsonPathError(f"{text!r} cannot be compared with")
