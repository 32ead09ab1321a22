"""Messages as the JSON that the same object would have. Pure.

What Go's JSON encoder leaves out (empty strings, zeroes, null times of fields marked omitempty) is
left out here too, so that an object is the same whichever way it was sent. Each type's table
becomes a function once, at its first use. Only schemas hold themselves: the depth of all else is
bounded by its type, and too deep a schema is a RecursionError.
"""

from collections.abc import Callable
from typing import Any, Final

from control_plane.api.objects import Object
from control_plane.apiserver.protobuf import schema_unions
from control_plane.apiserver.protobuf.scalar_decoding import ABSENT, SCALARS, double
from control_plane.apiserver.protobuf.wire_format import WireError, signed, skipped, varint
from control_plane.apiserver.protobuf.wire_types import LIST, MESSAGE, Field, wire_types

# puts what lies between two places of a body into an object
Read = Callable[[Object, bytes, int, int], None]
Value = Callable[[bytes, int, int], Any]
Take = Callable[[Object, int], None]

_VARINT, _FIXED64, _SIZED = 0, 1, 2
_DECODERS: Final[dict[str, Read]] = {}
_ZEROES: Final = {"string": "", "bytes": None, "int": 0, "bool": False, "quantity": "0"}


def message(body: bytes, type_name: str) -> Object:
    """The JSON object of a message; raises WireError."""
    obj: Object = {}
    try:
        decoder(type_name)(obj, body, 0, len(body))
    except IndexError:
        raise WireError("unexpected EOF") from None
    return obj


def decoder(type_name: str) -> Read:
    """The function that reads messages of this type into an object."""
    known = _DECODERS.get(type_name)
    return known if known is not None else _compile(type_name)


def _compile(type_name: str) -> Read:
    sized: dict[int, Read] = {}
    varints: dict[int, Take] = {}
    decode = _DECODERS[type_name] = _loop(sized, varints)
    for number, field in wire_types().messages[type_name].items():
        if field.kind in ("int", "bool") and not field.is_map:
            varints[number << 3 | _VARINT] = _take(field)
            sized[number << 3 | _SIZED] = _packed(field)
        else:
            wire_type = _FIXED64 if field.kind == "double" and not field.is_map else _SIZED
            sized[number << 3 | wire_type] = _read(field)
    return decode


def _loop(sized: dict[int, Read], varints: dict[int, Take]) -> Read:
    """Go through a message's fields, which the tables know by their tags."""

    def decode(obj: Object, body: bytes, at: int, end: int) -> None:
        while at < end:
            tag, at = body[at], at + 1
            if tag >= 0x80:
                tag, at = varint(body, at - 1)
            read = sized.get(tag)
            if read is not None:
                if tag & 7 == _FIXED64:
                    size = 8
                else:
                    size, at = body[at], at + 1
                    if size >= 0x80:
                        size, at = varint(body, at - 1)
                if at + size > end:
                    raise WireError("unexpected EOF")
                read(obj, body, at, at + size)
                at += size
            elif tag in varints:
                value, at = varint(body, at)
                varints[tag](obj, value)
            else:
                _refuse_wrong_type(tag, sized, varints)
                at = skipped(body, at, tag, end)
        if at > end:
            raise WireError("unexpected EOF")

    return decode


def _refuse_wrong_type(tag: int, sized: dict[int, Read], varints: dict[int, Take]) -> None:
    """Refuse a known field on the wire as something else; unknown fields are passed over."""
    number = tag >> 3
    if any(number << 3 | kind in known for known in (sized, varints) for kind in range(8)):
        raise WireError(f"wrong wireType = {tag & 7} for field {number}")


def _take(field: Field) -> Take:
    """Put a number or a truth into its field."""
    name, omits_zero, is_bool = field.name, field.omits_zero, field.kind == "bool"

    def take(obj: Object, value: int) -> None:
        found = value != 0 if is_bool else signed(value)
        if found or not omits_zero:
            obj[name] = found
        else:
            obj.pop(name, None)

    def append(obj: Object, value: int) -> None:
        obj.setdefault(name, []).append(value != 0 if is_bool else signed(value))

    return append if field.is_repeated else take


def _packed(field: Field) -> Read:
    """Repeated numbers may come in one piece."""
    take = _take(field)

    def read(obj: Object, body: bytes, at: int, end: int) -> None:
        if not field.is_repeated:
            raise WireError(f"wrong wireType = {_SIZED} for field {field.name}")
        while at < end:
            value, at = varint(body, at)
            take(obj, value)

    return read


def _read(field: Field) -> Read:
    if field.is_map:
        return _read_entry(field)
    if field.is_inline:
        return decoder(field.kind.removeprefix(MESSAGE))
    value = _value(field.kind)
    if field.is_repeated:
        return _read_item(field.name, value)
    if field.kind.startswith(MESSAGE):
        return _read_message(field)
    return _read_value(field, value)


def _read_value(field: Field, value: Value) -> Read:
    name, omits_zero = field.name, field.omits_zero

    def read(obj: Object, body: bytes, at: int, end: int) -> None:
        found = value(body, at, end)
        if found is ABSENT or (omits_zero and not found):
            obj.pop(name, None)
        else:
            obj[name] = found

    return read


def _read_message(field: Field) -> Read:
    """A message that comes twice is one with the fields of both."""
    name, decode = field.name, decoder(field.kind.removeprefix(MESSAGE))

    def read(obj: Object, body: bytes, at: int, end: int) -> None:
        known = obj.get(name)
        if known is None:
            known = obj[name] = {}
        decode(known, body, at, end)

    return read


def _read_item(name: str, value: Value) -> Read:
    def read(obj: Object, body: bytes, at: int, end: int) -> None:
        found = value(body, at, end)
        items = obj.get(name)
        if items is None:
            items = obj[name] = []
        items.append(None if found is ABSENT else found)

    return read


def _read_entry(field: Field) -> Read:
    """One key of a map and its member."""
    name, entry = field.name, _Entry(field.kind)

    def read(obj: Object, body: bytes, at: int, end: int) -> None:
        found: Object = {}
        entry.decode(found, body, at, end)
        members = obj.get(name)
        if members is None:
            members = obj[name] = {}
        members[found.get("key", "")] = found.get("value", entry.zero())

    return read


class _Entry:
    """The message that a map's key and member lie in."""

    def __init__(self, kind: str) -> None:
        """Read members of that kind."""
        self._kind = kind
        sized = {1 << 3 | _SIZED: _read(_field("key", "string"))}
        varints: dict[int, Take] = {}
        member = _field("value", kind)
        if kind in ("int", "bool"):
            varints[2 << 3 | _VARINT] = _take(member)
        else:
            sized[2 << 3 | _SIZED] = _read(member)
        self.decode = _loop(sized, varints)

    def zero(self) -> Any:
        """What a key without a member has."""
        if self._kind.startswith(LIST):
            return []
        return {} if self._kind.startswith(MESSAGE) else _ZEROES.get(self._kind)


def _field(name: str, kind: str) -> Field:
    return Field(name, kind, False, False, False, False, False)


def _value(kind: str) -> Value:
    """How a value with a length is read."""
    if kind.startswith(LIST):
        decode_list = decoder(kind.removeprefix(LIST))
        return lambda body, at, end: _made(decode_list, body, at, end).get("", [])
    if kind.startswith(MESSAGE):
        decode = decoder(kind.removeprefix(MESSAGE))
        return lambda body, at, end: _made(decode, body, at, end)
    union = schema_unions.DECODERS.get(kind)
    if union is not None:
        schema = decoder(schema_unions.SCHEMA)
        return lambda body, at, end: union(
            body[at:end], lambda content: _made(schema, content, 0, len(content))
        )
    scalar = double if kind == "double" else SCALARS.get(kind)
    if scalar is None:
        raise WireError(f"a field of kind {kind} is not supported")
    return lambda body, at, end: scalar(body[at:end])


def _made(decode: Read, body: bytes, at: int, end: int) -> Object:
    obj: Object = {}
    decode(obj, body, at, end)
    return obj
