"""Checks of one value against its schema: bounds, lengths, patterns, enums, formats.

`checks_of` compiles a schema's keywords to functions of (value, path); each yields what is wrong.
Keywords say nothing about values of other types. Texts are those of kube-openapi's validator.
Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from control_plane.api.cel import patterns
from control_plane.api.cel.errors import EvaluationError
from control_plane.api.custom.string_formats import FORMATS
from control_plane.api.field_error import (
    ErrorType,
    FieldError,
    invalid,
    not_supported,
    too_long,
    too_many,
    type_invalid,
)
from control_plane.api.go_syntax import to_json
from control_plane.api.go_text import go_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Check: TypeAlias = Callable[[Any, str], Iterator[FieldError]]

_EXPONENT_FROM: Final = 1e6


def checks_of(schema: Mapping[str, Any]) -> tuple[Check, ...]:
    """Return the checks of a schema's own keywords, in upstream's order."""
    return tuple(
        make(schema) for keywords, make in _MAKERS if any(key in schema for key in keywords)
    )


def is_number(value: Any) -> bool:
    """Tell numbers from booleans."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def unplaced(text: str) -> FieldError:
    """Say what is wrong somewhere; the text names the place."""
    return invalid("", "", text)


def shown_number(number: float) -> str:
    """Return a bound as error messages print it: "1", "0.5", "1e+06"."""
    value = float(number)
    text = repr(value)
    if value and not 1e-4 <= abs(value) < _EXPONENT_FROM:
        mantissa, _, exponent = f"{value:.17e}".partition("e")
        mantissa = repr(float(mantissa))
        return f"{mantissa.removesuffix('.0')}e{int(exponent):+03d}"
    return text.removesuffix(".0")


def _string(schema: Mapping[str, Any]) -> Check:
    longest, shortest = schema.get("maxLength"), schema.get("minLength")
    pattern = schema.get("pattern") or ""
    compiled = _compiled(pattern) if pattern else None

    def check(value: Any, path: str) -> Iterator[FieldError]:
        if not isinstance(value, str):
            return
        if longest is not None and len(value) > longest:
            yield too_long(path, longest)
        elif shortest is not None and len(value) < shortest:
            detail = f"{path} in body should be at least {shortest} chars long"
            yield invalid(path, value, detail)
        elif compiled is not None and compiled.search(value) is None:
            yield invalid(path, value, f"{path} in body should match '{pattern}'")

    return check


def _compiled(pattern: str) -> Any:
    """Return a compiled pattern; None for one that cannot be read, which nothing is held to."""
    try:
        return patterns.compiled(pattern)
    except EvaluationError:
        return None


def _format(schema: Mapping[str, Any]) -> Check:
    name = str(schema["format"])
    known = FORMATS.get(name.replace("-", ""))

    def check(value: Any, path: str) -> Iterator[FieldError]:
        if known is not None and isinstance(value, str) and not known(value):
            shown = go_value(value)
            detail = f'{path} in body must be of type {name}: "{shown}"'
            yield type_invalid(path, value, detail)

    return check


def _bounds(schema: Mapping[str, Any]) -> Check:
    """Whole numbers are held to the whole part of each bound, as upstream does."""
    bounds = tuple(schema.get(key) for key in ("multipleOf", "minimum", "maximum"))
    whole = tuple(None if bound is None else int(bound) for bound in bounds)
    above = schema.get("exclusiveMinimum") is True
    below = schema.get("exclusiveMaximum") is True

    def check(value: Any, path: str) -> Iterator[FieldError]:
        if not is_number(value):
            return
        factor, low, high = whole if isinstance(value, int) else bounds
        shown = str if isinstance(value, int) else shown_number
        start = f"{path} in body should be"
        if factor is not None:
            yield from _multiple(value, factor, shown(factor), path)
        if high is not None and (value >= high if below else value > high):
            than = "less than" if below else "less than or equal to"
            yield invalid(path, value, f"{start} {than} {shown(high)}")
        if low is not None and (value <= low if above else value < low):
            than = "greater than" if above else "greater than or equal to"
            yield invalid(path, value, f"{start} {than} {shown(low)}")

    return check


def _multiple(value: float, factor: float, shown: str, path: str) -> Iterator[FieldError]:
    if factor <= 0:
        text = f"factor MultipleOf declared for {path} must be positive: {shown}"
        yield invalid(path, value, text)
    elif value % factor if isinstance(factor, int) else not float(value / factor).is_integer():
        yield invalid(path, value, f"{path} in body should be a multiple of {shown}")


def _items(schema: Mapping[str, Any]) -> Check:
    fewest, most = schema.get("minItems"), schema.get("maxItems")
    is_unique = schema.get("uniqueItems") is True

    def check(value: Any, path: str) -> Iterator[FieldError]:
        if not isinstance(value, list):
            return
        if fewest is not None and len(value) < fewest:
            detail = f"{path} in body should have at least {fewest} items"
            yield invalid(path, len(value), detail)
        if most is not None and len(value) > most:
            yield too_many(path, len(value), most)
        if is_unique and len({to_json(item) for item in value}) < len(value):
            yield invalid(path, value, f"{path} in body shouldn't contain duplicates")

    return check


def _enum(schema: Mapping[str, Any]) -> Check:
    allowed = schema.get("enum") or []
    shown = [option if isinstance(option, str) else go_value(option) for option in allowed]

    def check(value: Any, path: str) -> Iterator[FieldError]:
        if not any(_same(value, option) for option in allowed):
            yield not_supported(path, value, shown)

    return check if allowed else _anything


def _anything(_value: Any, _path: str) -> Iterator[FieldError]:
    yield from ()


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _properties(schema: Mapping[str, Any]) -> Check:
    fewest, most = schema.get("minProperties"), schema.get("maxProperties")

    def check(value: Any, path: str) -> Iterator[FieldError]:
        if not isinstance(value, dict):
            return
        if fewest is not None and len(value) < fewest:
            detail = f"{path} in body should have at least {fewest} properties"
            yield invalid(path, len(value), detail)
        if most is not None and len(value) > most:
            yield FieldError(ErrorType.TOO_MANY, path, too_many(path, 0, most).detail, len(value))

    return check


_MAKERS: Final = (
    (("maxLength", "minLength", "pattern"), _string),
    (("format",), _format),
    (("multipleOf", "minimum", "maximum"), _bounds),
    (("minItems", "maxItems", "uniqueItems"), _items),
    (("enum",), _enum),
    (("minProperties", "maxProperties"), _properties),
)
