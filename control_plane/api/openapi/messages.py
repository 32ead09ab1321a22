"""OpenAPI documents as protobuf messages: what v2 and v3 have in common. Pure.

The messages follow the JSON field by field:

    {"maxLength": 5}    max_length = 5
    {"$ref": x}         _ref = x
    {"x-anything": x}   an extension {name, value}, x as YAML (which JSON is)
    an object as a map  a list of {name, value}

Used by v2_protobuf.py and v3_protobuf.py, which know where a message differs from that. Source: the
message definitions of gnostic.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    # What sets a message to a JSON value in its own way.
    Turn = Callable[["MessageFiller", Any, Any], None]

_CAPITAL: Final = re.compile("[A-Z]")
_MAP: Final = "additional_properties"


class MessageFiller:
    """Sets messages to JSON values."""

    def __init__(self, extensions: str, turns: Mapping[str, Turn]) -> None:
        """`extensions` is the field of what begins with "x-"; `turns` is by names of messages."""
        self._extensions = extensions
        self._turns: Mapping[str, Turn] = {"Any": _fill_any, **turns}

    def encoded(self, message: Any, value: Any) -> bytes:
        """Return the bytes of an empty `message` set to a value; ValueError as `fill`."""
        self.fill(message, value)
        content: bytes = message.SerializeToString()
        return content

    def fill(self, message: Any, value: Any) -> None:
        """Set `message`; ValueError names a member that has no field."""
        turn = self._turns.get(message.DESCRIPTOR.name)
        if turn is None:
            self.fill_fields(message, value)
        else:
            turn(self, message, value)
        message.SetInParent()

    def fill_fields(self, message: Any, value: Mapping[str, Any]) -> None:
        """Set each member's field."""
        fields = message.DESCRIPTOR.fields_by_name
        for key, member in value.items():
            name = _field_name(key)
            if key.startswith("x-"):
                self._add_named(getattr(message, self._extensions), key, member)
            elif name not in fields:
                raise ValueError(f"{message.DESCRIPTOR.name} has no field for {key!r}")
            elif fields[name].message_type is None:
                _set_scalar(message, name, member)
            elif fields[name].is_repeated:
                for item in member:
                    self.fill(getattr(message, name).add(), item)
            else:
                self.fill(getattr(message, name), member)

    def fill_map(self, message: Any, value: Mapping[str, Any], field: str = _MAP) -> None:
        """Set a list of names and values; extensions have one of their own but in plain maps."""
        for name, member in value.items():
            is_extension = field != _MAP and name.startswith("x-")
            items = getattr(message, self._extensions if is_extension else field)
            self._add_named(items, name, member)

    def _add_named(self, items: Any, name: str, value: Any) -> None:
        added = items.add()
        added.name = name
        self.fill(added.value, value)


def _fill_any(_filler: MessageFiller, message: Any, value: Any) -> None:
    message.yaml = orjson.dumps(value).decode()


def _field_name(key: str) -> str:
    return "_ref" if key == "$ref" else _CAPITAL.sub(lambda found: f"_{found[0].lower()}", key)


def _set_scalar(message: Any, name: str, value: Any) -> None:
    if isinstance(value, list):
        getattr(message, name).extend(value)
    else:
        setattr(message, name, value)
