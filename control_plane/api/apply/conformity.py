"""Does an applied configuration have the shape of its kind: the findings, in upstream's words.

Called by applying.py before anything is merged. Pure.
"""

from __future__ import annotations

from typing import Any

from control_plane.api.apply.field_path import FIELD, shown
from control_plane.api.apply.shapes import (
    ListShape,
    MapShape,
    Scalar,
    Shape,
    ShapeError,
    concrete,
)
from control_plane.api.go_syntax import quote
from control_plane.api.go_text import go_value

_EXPECTED = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "numeric": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "untyped": lambda value: isinstance(value, str | int | float),
}


def findings(shape: Shape, value: Any) -> str:
    """Return what is wrong with a configuration, "" when nothing is."""
    errors = _check(shape, value, "")
    if len(errors) <= 1:
        return "".join(errors)
    return "errors:" + "".join(f"\n  {error}" for error in errors)


def _check(shape: Shape, value: Any, path: str) -> list[str]:
    walked = concrete(shape, value)
    if value is None:
        return []
    if isinstance(walked, Scalar):
        return _check_scalar(walked.kind, value, path)
    if isinstance(walked, MapShape):
        if not isinstance(value, dict):
            return [_at(path, f"expected map, got &{{{go_value(value)}}}")]
        return _check_fields(walked, value, path)
    if not isinstance(value, list):
        return [_at(path, f"expected list, got &{{{go_value(value)}}}")]
    return _check_items(walked, value, path)


def _at(path: str, text: str) -> str:
    return f"{path}: {text}" if path else text


def _check_scalar(kind: str, value: Any, path: str) -> list[str]:
    if _EXPECTED[kind](value):
        return []
    if kind == "numeric":
        return [_at(path, f"expected numeric (int or float), got {_go_type(value)}")]
    if kind == "string":
        literal = f"&value.valueUnstructured{{Value:{_go_literal(value)}}}"
        return [_at(path, f"expected string, got {literal}")]
    what = "boolean" if kind == "boolean" else "any scalar"
    return [_at(path, f"expected {what}, got &{{{go_value(value)}}}")]


def _go_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "map[string]interface {}" if isinstance(value, dict) else "[]interface {}"


def _go_literal(value: Any) -> str:
    """Return a value as Go source writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, dict):
        items = ", ".join(f"{quote(key)}:{_go_literal(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{items}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(_go_literal, value))}}}"
    return "interface {}(nil)" if value is None else str(go_value(value))


def _check_fields(shape: MapShape, value: dict[str, Any], path: str) -> list[str]:
    errors: list[str] = []
    for name, item in value.items():
        child = shape.child(name)
        here = path + shown(FIELD + name)
        if child is None:
            return [*errors, f"{here}: field not declared in schema"]
        errors += _check(child, item, here)
    return errors


def _check_items(shape: ListShape, value: list[Any], path: str) -> list[str]:
    if shape.is_atomic:
        return [
            error
            for index, item in enumerate(value)
            for error in _check(shape.element, item, f"{path}[{index}]")
        ]
    errors: list[str] = []
    seen: set[str] = set()
    for index, item in enumerate(value):
        try:
            element = shape.item_element(item)
        except ShapeError as error:
            return [*errors, _at(path, f"element {index}: {error}")]
        if element in seen:
            errors.append(_at(path, f"duplicate entries for key {shown(element)}"))
        seen.add(element)
        errors += _check(shape.element, item, path + shown(element))
    return errors
