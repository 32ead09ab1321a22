"""Objects as protobuf messages, byte for byte as Kubernetes' own marshaller writes them. Pure.

Fields come in the order of their numbers. A field that Go holds by value is always written, be it
zero; one that it holds by pointer, a list, a map or bytes only when there is something. Keys of
maps are sorted. Each type's table becomes a function once, at its first use.
"""

from collections.abc import Callable
from typing import Any, Final

from control_plane.api.objects import Object
from control_plane.apiserver.protobuf import schema_unions
from control_plane.apiserver.protobuf.scalar_encoding import ABSENT, SCALARS, double
from control_plane.apiserver.protobuf.wire_format import ONE_BYTE, sized, tag, varint_bytes
from control_plane.apiserver.protobuf.wire_types import LIST, MESSAGE, Field, wire_types

Encode = Callable[[Any], bytes]
Add = Callable[[bytes], None]
Put = Callable[[Any, Add], None]
# a field: where JSON has it, how a value is added, and what is added when there is none
Step = tuple[str, Put, bytes]

_VARINT, _FIXED64, _SIZED = 0, 1, 2
_KEY, _MEMBER = 1, 2
_ENCODERS: Final[dict[str, Encode]] = {}


def encoder(type_name: str) -> Encode:
    """The function that makes a message of this type from its JSON object."""
    known = _ENCODERS.get(type_name)
    return known if known is not None else _compile(type_name)


def _compile(type_name: str) -> Encode:
    """Make the function; types may hold themselves, so it is known before it is complete."""
    fields = sorted(wire_types().messages[type_name].items())
    steps: list[Step] = []
    shape = _inlining if any(field.is_inline for _, field in fields) else _plain
    encode = _ENCODERS[type_name] = shape(steps)
    steps += (_step(number, field) for number, field in fields)
    return encode


def _plain(steps: list[Step]) -> Encode:
    def encode(obj: Object) -> bytes:
        parts: list[bytes] = []
        add, get = parts.append, obj.get
        for name, put, absent in steps:
            value = get(name)
            if value is not None:
                put(value, add)
            elif absent:
                add(absent)
        return b"".join(parts)

    return encode


def _inlining(steps: list[Step]) -> Encode:
    """The same for a type with fields that JSON writes into the object itself: those of name ""."""

    def encode(obj: Object) -> bytes:
        parts: list[bytes] = []
        for name, put, absent in steps:
            value = obj.get(name) if name else obj
            if value is not None:
                put(value, parts.append)
            elif absent:
                parts.append(absent)
        return b"".join(parts)

    return encode


def _step(number: int, field: Field) -> Step:
    if field.is_map:
        return (field.name, _put_map(number, field.kind), b"")
    if field.is_repeated:
        return (field.name, _put_each(number, field.kind), b"")
    put = _put(number, field.kind)
    optional = field.is_pointer or field.kind == "bytes" or field.kind.startswith(LIST)
    return (field.name, put, b"" if optional else _absent(number, field.kind))


def _put(number: int, kind: str) -> Put:
    if kind == "bool":
        return _put_bool(number)
    if kind == "int":
        return _put_int(number)
    if kind == "double":
        return _put_fixed(number)
    if kind == "string":
        return _put_text(tag(number, _SIZED))
    return _put_sized(tag(number, _SIZED), _content(kind))


def _content(kind: str) -> Encode:
    """How a field of a kind that has a length is filled."""
    if kind.startswith(MESSAGE):
        return encoder(kind.removeprefix(MESSAGE))
    if kind.startswith(LIST):
        members = encoder(kind.removeprefix(LIST))
        return lambda items: members({"": items})
    union = schema_unions.ENCODERS.get(kind)
    if union is not None:
        schema = encoder(schema_unions.SCHEMA)
        return lambda value: union(value, schema)
    return SCALARS[kind]


def _put_sized(head: bytes, content: Encode) -> Put:
    def put(value: Any, add: Add) -> None:
        data = content(value)
        size = len(data)
        add(head + (ONE_BYTE[size] if size < 128 else varint_bytes(size)) + data)

    return put


def _put_text(head: bytes) -> Put:
    """The same for text, of which objects have the most."""

    def put(value: Any, add: Add) -> None:
        data = value.encode()
        size = len(data)
        add(head + (ONE_BYTE[size] if size < 128 else varint_bytes(size)) + data)

    return put


def _put_bool(number: int) -> Put:
    yes, no = (tag(number, _VARINT) + ONE_BYTE[bit] for bit in (1, 0))

    def put(value: Any, add: Add) -> None:
        add(yes if value else no)

    return put


def _put_int(number: int) -> Put:
    head = tag(number, _VARINT)

    def put(value: Any, add: Add) -> None:
        add(head + (ONE_BYTE[value] if 0 <= value < 128 else varint_bytes(value)))

    return put


def _put_fixed(number: int) -> Put:
    head = tag(number, _FIXED64)

    def put(value: Any, add: Add) -> None:
        add(head + double(value))

    return put


def _put_each(number: int, kind: str) -> Put:
    put = _put(number, kind)

    def put_each(values: Any, add: Add) -> None:
        for value in values:
            if value is not None:
                put(value, add)
            else:
                add(_absent(number, kind))

    return put_each


def _put_map(number: int, kind: str) -> Put:
    head = tag(number, _SIZED)
    put_key, put_member = _put(_KEY, "string"), _put(_MEMBER, kind)

    def put(members: Any, add: Add) -> None:
        for key in sorted(members):
            member = members[key]
            entry: list[bytes] = []
            put_key(key, entry.append)
            if member is None:
                entry.append(b"" if kind == "bytes" else _absent(_MEMBER, kind))
            else:
                put_member(member, entry.append)
            add(head + sized(b"".join(entry)))

    return put


def _absent(number: int, kind: str) -> bytes:
    """A field that is always written, with the zero of its kind."""
    wire_type = {"bool": _VARINT, "int": _VARINT, "double": _FIXED64}.get(kind, _SIZED)
    zero = b"\x00" if kind in schema_unions.ENCODERS else ABSENT.get(kind)
    if zero is None:
        zero = sized(_content(kind)([] if kind.startswith(LIST) else {}))
    return tag(number, wire_type) + zero
