"""Types of expressions, and which of them fit where.

A type is a name with parameters: `list(int)`. Type variables stand in the declarations of
functions and are bound while one call is checked. An ObjectType has named fields; two object types
are one when their names are. Source: the CEL language definition, "Gradual Type Checking".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN: Final = {
    "null_type": "null",
    "google.protobuf.Duration": "duration",
    "google.protobuf.Timestamp": "timestamp",
}


@dataclass(frozen=True, slots=True)
class Type:
    """A type; `is_variable` for one that stands for any other in a declaration."""

    name: str
    parameters: tuple[Type, ...] = ()
    is_variable: bool = False

    def __str__(self) -> str:
        """Return the name as checkers write it within "found no matching overload"."""
        shown = _SHOWN.get(self.name, self.name)
        if not self.parameters:
            return shown
        return f"{shown}({', '.join(map(str, self.parameters))})"

    @property
    def declared(self) -> str:
        """The name as it is written after "must evaluate to"."""
        if not self.parameters:
            return self.name
        return f"{self.name}({', '.join(one.declared for one in self.parameters)})"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object type: where its value lies in the JSON object, and its type."""

    key: str
    type: Type
    is_required: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ObjectType(Type):
    """An object with fields, by the names they have in expressions."""

    fields: Mapping[str, Field] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Type) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True, slots=True)
class ListType(Type):
    """A list of a schema: "atomic", a "set", or a "map" of objects by their `keys`."""

    kind: str = "atomic"
    keys: tuple[str, ...] = ()


DYN: Final = Type("dyn")
ERROR: Final = Type("!error!")
NULL: Final = Type("null_type")
BOOL: Final = Type("bool")
INT: Final = Type("int")
UINT: Final = Type("uint")
DOUBLE: Final = Type("double")
STRING: Final = Type("string")
BYTES: Final = Type("bytes")
DURATION: Final = Type("google.protobuf.Duration")
TIMESTAMP: Final = Type("google.protobuf.Timestamp")
TYPE: Final = Type("type")
A: Final = Type("A", is_variable=True)
B: Final = Type("B", is_variable=True)

_NEVER_NULL: Final = ("bool", "int", "uint", "double", "string", "bytes", "list", "map", "type")


def list_of(element: Type) -> Type:
    """Return the type of lists."""
    return Type("list", (element,))


def map_of(key: Type, value: Type) -> Type:
    """Return the type of maps."""
    return Type("map", (key, value))


def optional_of(value: Type) -> Type:
    """Return the type of values that may be absent."""
    return Type("optional_type", (value,))


def type_of(value: Type) -> Type:
    """Return the type of a type."""
    return Type("type", (value,))


def opaque(name: str) -> Type:
    """Return a type of a library's own, whose values only its functions know."""
    return Type(name)


def nullable(wrapped: Type) -> Type:
    """Return a scalar type whose values may be null as well; other types may be anyway."""
    return Type("wrapper", (wrapped,)) if wrapped.name in _NEVER_NULL else wrapped


Bindings = dict[str, Type]


def resolve(given: Type, bindings: Bindings) -> Type:
    """Put what is bound in place of the type variables; dyn for those that are not."""
    if given.is_variable:
        bound = bindings.get(given.name)
        return DYN if bound is None else resolve(bound, bindings)
    if not given.parameters or isinstance(given, ObjectType):
        return given
    return Type(given.name, tuple(resolve(one, bindings) for one in given.parameters))


def is_assignable(wanted: Type, given: Type, bindings: Bindings) -> bool:
    """Tell whether a value of `given` may stand where `wanted` is asked for; binds variables.

    `bindings` is changed even when the answer is no: give a copy.
    """
    if wanted.is_variable:
        return _bind(wanted, given, bindings)
    if given.is_variable:
        return _bind(given, wanted, bindings)
    if given.name == "dyn":
        _bind_to_dyn(wanted, bindings)
        return True
    if wanted.name == "dyn" or "!error!" in (wanted.name, given.name):
        return True
    if given.name == "null_type":
        return wanted.name not in _NEVER_NULL
    if wanted.name == "null_type":
        return False
    return _fits(wanted, given, bindings)


def _fits(wanted: Type, given: Type, bindings: Bindings) -> bool:
    if wanted.name == "wrapper" and given.name != "wrapper":
        return is_assignable(wanted.parameters[0], given, bindings)
    if given.name == "wrapper" and wanted.name != "wrapper":
        return is_assignable(wanted, given.parameters[0], bindings)
    if wanted.name != given.name:
        return False
    if wanted.name == "type" or isinstance(wanted, ObjectType):
        return True
    pairs = zip(wanted.parameters, given.parameters, strict=False)
    return all(is_assignable(want, give, bindings) for want, give in pairs)


def _bind_to_dyn(wanted: Type, bindings: Bindings) -> None:
    """What an optional of unknown type holds is unknown as well, not what its user asks for."""
    if isinstance(wanted, ObjectType):
        return
    for one in wanted.parameters:
        if one.is_variable:
            bindings.setdefault(one.name, DYN)
        else:
            _bind_to_dyn(one, bindings)


def _bind(variable: Type, other: Type, bindings: Bindings) -> bool:
    bound = bindings.get(variable.name)
    if bound is None:
        if other != variable:
            bindings[variable.name] = other
        return True
    if not (is_assignable(bound, other, bindings) or is_assignable(other, bound, bindings)):
        return False
    if _is_wider(other, bound):
        bindings[variable.name] = other
    return True


def _is_wider(one: Type, other: Type) -> bool:
    """Whether `one` takes values that `other` does not: dyn, what may be null."""
    if one.name == "dyn":
        return other.name != "dyn"
    if other.name == "null_type":
        return one.name != "null_type"
    if one.name == "wrapper":
        return other.name != "wrapper"
    if one.name == other.name and not isinstance(one, ObjectType):
        pairs = zip(one.parameters, other.parameters, strict=False)
        return any(_is_wider(left, right) for left, right in pairs)
    return False
