"""One step of a path into an object, as FieldsV1 writes it and as messages show it.

An element is the text that FieldsV1 uses as a key: "f:replicas" (a field or map key), "k:{...}" (an
item of a list of maps, by its keys), 'v:"x"' (an item of a set, by its value), "i:3" (an index).
`canonical` gives the one spelling that all elements inside the program have, so that elements are
equal when their texts are. Pure; called by field_set.py and the walks along shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FIELD: Final = "f:"
KEY: Final = "k:"
VALUE: Final = "v:"
INDEX: Final = "i:"
_KINDS: Final = {FIELD: 0, KEY: 1, VALUE: 2, INDEX: 3}


class FieldPathError(ValueError):
    """A text is not a path element; `str` says why."""


def key_element(keys: Mapping[str, Any]) -> str:
    """Return the element of a list's item with these key fields, which come sorted by name."""
    return KEY + orjson.dumps({name: _number(value) for name, value in keys.items()}).decode()


def value_element(value: Any) -> str:
    """Return the element of a set's item."""
    return VALUE + orjson.dumps(_number(value)).decode()


def canonical(text: str) -> str | None:
    """Return the program's spelling of an element; None for a kind that is not known.

    Raises FieldPathError.
    """
    if len(text) < 2:
        raise FieldPathError(f"key must be 2 characters long: {text}")
    if text[1] != ":":
        raise FieldPathError(f"missing colon: {text}")
    kind = text[:2]
    if kind == FIELD or kind not in _KINDS:
        return text if kind == FIELD else None
    try:
        value = orjson.loads(text[2:])
    except orjson.JSONDecodeError as error:
        raise FieldPathError(f"{text}: {error}") from None
    if kind == KEY:
        if not isinstance(value, dict):
            raise FieldPathError(f"{text}: the keys of an item are a JSON object")
        return key_element(dict(sorted(value.items())))
    if kind == INDEX and not isinstance(value, int):
        raise FieldPathError(f"{text}: an index is an integer")
    return kind + orjson.dumps(_number(value)).decode()


def _number(value: Any) -> Any:
    """Write whole numbers one way: 1.0 is the key that 1 is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def shown(element: str) -> str:
    """Return the element as messages print it: .name, [port=80,protocol="TCP"], [="a"], [3]."""
    kind, rest = element[:2], element[2:]
    if kind == FIELD:
        return f".{rest}"
    if kind == KEY:
        keys = orjson.loads(rest).items()
        return f"[{','.join(f'{name}={orjson.dumps(value).decode()}' for name, value in keys)}]"
    return f"[={rest}]" if kind == VALUE else f"[{rest}]"


def in_order(elements: Iterable[str]) -> list[str]:
    """Sort elements: fields, keyed items, values, indexes, each kind by its natural order.

    A "." that stands among them comes first.
    """
    texts = sorted(elements)
    if texts and texts[-1][0] > "f":  # the letters of the other kinds come after that of fields
        texts.sort(key=_rank)
    return texts


def _rank(element: str) -> tuple[int, Any]:
    kind, rest = element[:2], element[2:]
    if kind not in _KINDS:
        return -1, rest
    if kind == FIELD:
        return 0, rest
    value = orjson.loads(rest)
    if kind == KEY:
        return 1, [(name, _value_rank(item)) for name, item in value.items()]
    return _KINDS[kind], _value_rank(value)


def _value_rank(value: Any) -> tuple[int, Any]:
    """Order values of different types: numbers, texts, booleans, then the rest by its JSON."""
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, int | float):
        return 0, value
    if isinstance(value, str):
        return 1, value
    return 3, orjson.dumps(value)
