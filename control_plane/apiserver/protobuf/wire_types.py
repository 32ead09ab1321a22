"""How each type lies on the wire: the generated table, read once.

A field is [number, JSON name, kind, flags]. The kind is a scalar ("string", "int", "bool",
"double", "bytes"), one of the forms that JSON writes in its own way ("quantity", "int-or-string",
"time", "micro-time", "raw", "schema-or-..."), "@TYPE" for a message, or "list@TYPE" for a message
that JSON writes as a list.
"""

import functools
from collections.abc import Mapping
from importlib import resources
from typing import NamedTuple

import orjson

MESSAGE, LIST = "@", "list@"  # what the kinds of messages start with
_NEVER_LEFT_OUT = frozenset({"int-or-string"})
_REPEATED, _MAPPED, _POINTER, _OMIT_EMPTY, _INLINE = 1, 2, 4, 8, 16


class Field(NamedTuple):
    """One field of a message.

    `omits_zero`: JSON leaves a zero value out. It is false for fields that tell zero from absence.
    `is_pointer`: the wire tells a zero value from absence, and has no absent one.
    `is_inline`: JSON writes the sub-message's fields into the message itself.
    """

    name: str
    kind: str
    is_repeated: bool
    is_map: bool
    is_pointer: bool
    omits_zero: bool
    is_inline: bool


Message = Mapping[int, Field]


class WireTypes(NamedTuple):
    """Messages by type name, and the type name of each "apiVersion/Kind"."""

    kinds: Mapping[str, str]
    messages: Mapping[str, Message]


@functools.cache
def wire_types() -> WireTypes:
    """The table."""
    source = resources.files(__package__) / "wire_types.json"
    document = orjson.loads(source.read_bytes())
    messages = {name: _message(fields or []) for name, fields in document["types"].items()}
    return WireTypes(document["kinds"], messages)


def _message(fields: list[list[object]]) -> Message:
    return {int(str(number)): _field(*rest) for number, *rest in fields}


def _field(*parts: object) -> Field:
    name, kind, flags = str(parts[0]), str(parts[1]), int(str(parts[2]))
    is_pointer = bool(flags & _POINTER)
    return Field(
        name,
        kind,
        bool(flags & _REPEATED),
        bool(flags & _MAPPED),
        is_pointer,
        bool(flags & _OMIT_EMPTY) and not is_pointer and kind not in _NEVER_LEFT_OUT,
        bool(flags & _INLINE),
    )
