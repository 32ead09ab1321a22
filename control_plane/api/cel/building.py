"""From a checked tree to closures: each node becomes a function of a frame.

A frame is a list: the meter, the variables of the environment in its order, then those of macros.
The closures of operators are in operators.py, those of calls in calls.py, those of macros in
looping.py; NODES says which builder makes what of a node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel.calls import build_call
from control_plane.api.cel.checking import OPTIONAL_SELECT, Checked
from control_plane.api.cel.conversion import converter
from control_plane.api.cel.errors import EvaluationError
from control_plane.api.cel.expressions import (
    Bind,
    Call,
    Entry,
    Expr,
    Fold,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    ObjectLiteral,
    Select,
)
from control_plane.api.cel.looping import build_fold
from control_plane.api.cel.operators import OPERATORS
from control_plane.api.cel.selecting import Closure, has_closure, optional_closure, select_closure
from control_plane.api.cel.types import ObjectType, Type
from control_plane.api.cel.values import NONE, ObjectValue, Optional, TypeValue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LIST_COST: Final = 10
_MAP_COST: Final = 30
_OBJECT_COST: Final = 40


class Builder:
    """Builds the closures of one expression, and counts what evaluating them costs."""

    def __init__(self, checked: Checked, variables: Sequence[str]) -> None:
        """The variables are at 1, 2, ... of each frame."""
        self.checked = checked
        self.cost = 0
        self.size = len(variables) + 1
        self._globals = {name: index for index, name in enumerate(variables, 1)}
        self._scopes: list[Mapping[str, int]] = []

    def build(self, node: Expr) -> Closure:
        """Return the closure of a node, and add what it costs."""
        return NODES[type(node)](self, node)

    def metered(self, node: Expr) -> tuple[Closure, int]:
        """Return the closure of a node and what it costs, without adding that."""
        before, self.cost = self.cost, 0
        closure = self.build(node)
        cost, self.cost = self.cost, before
        return closure, cost

    def enter(self, names: Sequence[str]) -> list[int]:
        """Give names of a macro their places in the frame, until `leave`."""
        places = list(range(self.size, self.size + len(names)))
        self.size += len(names)
        self._scopes.append(dict(zip(names, places, strict=True)))
        return places

    def leave(self) -> None:
        """End the names of the innermost macro."""
        self._scopes.pop()

    def place(self, name: str) -> int:
        """Return where in the frame a variable's value is."""
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        return self._globals[name]

    def type_of(self, node: Expr) -> Type:
        """Return the type of a node."""
        return self.checked.type_of(node)

    def _literal(self, node: Literal) -> Closure:
        value = node.value
        return lambda _frame: value

    def _ident(self, node: Ident) -> Closure:
        return self._named(node, node.name)

    def _named(self, node: Expr, name: str) -> Closure:
        declared = self.checked.names.get(id(node))
        if declared is not None and declared not in self._globals:
            value = TypeValue(self.type_of(node).parameters[0].name)
            return lambda _frame: value
        place = self.place(name)
        self.cost += 1
        return lambda frame: frame[place]

    def _select(self, node: Select) -> Closure:
        declared = self.checked.names.get(id(node))
        if declared is not None:
            return self._named(node, declared)
        operand = self.build(node.operand)
        key, convert = self._field(node.operand, node.field)
        if node.is_test:
            return has_closure(operand, key)
        self.cost += 1
        return select_closure(operand, key, convert)

    def _field(self, operand: Expr, name: str) -> tuple[str, Callable[[Any], Any] | None]:
        """Where the value of a field lies, and what is made of it."""
        declared = self.type_of(operand)
        if declared.name == "optional_type":
            declared = declared.parameters[0]
        if not isinstance(declared, ObjectType):
            return name, None
        field = declared.fields[name]
        return field.key, converter(field.type)

    def _call(self, node: Call) -> Closure:
        if node.function == OPTIONAL_SELECT:
            name = node.arguments[1]
            assert isinstance(name, Literal)
            operand = self.build(node.arguments[0])
            key, convert = self._field(node.arguments[0], str(name.value))
            self.cost += 1
            return optional_closure(operand, key, convert)
        operator = OPERATORS.get(node.function)
        if operator is not None and node.target is None:
            self.cost += operator.cost
            return operator.build([self.build(one) for one in node.arguments])
        return build_call(self, node)

    def _list_literal(self, node: ListLiteral) -> Closure:
        self.cost += _LIST_COST
        elements = [self.build(one) for one in node.elements]
        if not node.optional:
            return lambda frame: [one(frame) for one in elements]
        optional = node.optional

        def with_optional(frame: list[Any]) -> Any:
            values = [one(frame) for one in elements]
            present = (
                value if index not in optional else _unwrap(value)
                for index, value in enumerate(values)
            )
            return [value for value in present if value is not NONE]

        return with_optional

    def _map_literal(self, node: MapLiteral) -> Closure:
        self.cost += _MAP_COST
        return self._entries(node.entries)

    def _object_literal(self, node: ObjectLiteral) -> Closure:
        self.cost += _OBJECT_COST
        make, name = self._entries(node.entries), node.name
        return lambda frame: ObjectValue(name, make(frame))

    def _entries(self, entries: Sequence[Entry]) -> Closure:
        built = [(self._key(one.key), self.build(one.value), one.is_optional) for one in entries]

        def make(frame: list[Any]) -> Any:
            made: dict[Any, Any] = {}
            for key, value, is_optional in built:
                name, found = key(frame), value(frame)
                if name in made:
                    raise EvaluationError(f"Failed with repeated key: {name}")
                if is_optional:
                    found = _unwrap(found)
                    if found is NONE:
                        continue
                made[name] = found
            return made

        return make

    def _key(self, key: Expr | str) -> Closure:
        if isinstance(key, str):
            return lambda _frame: key
        closure = self.build(key)

        def checked_key(frame: list[Any]) -> Any:
            found = closure(frame)
            if isinstance(found, str | int):
                return found
            raise EvaluationError("unsupported key type")

        return checked_key

    def _bind(self, node: Bind) -> Closure:
        value = self.build(node.value)
        (place,) = self.enter([node.variable])
        body = self.build(node.body)
        self.leave()

        def bound(frame: list[Any]) -> Any:
            frame[place] = value(frame)
            return body(frame)

        return bound

    def _fold(self, node: Fold) -> Closure:
        return build_fold(self, node)


def _unwrap(value: Any) -> Any:
    if not isinstance(value, Optional):
        raise EvaluationError("no such overload")
    return value.value if value.has_value else NONE


NODES: Final[dict[type, Callable[[Builder, Any], Closure]]] = {
    Literal: Builder._literal,
    Ident: Builder._ident,
    Select: Builder._select,
    Call: Builder._call,
    ListLiteral: Builder._list_literal,
    MapLiteral: Builder._map_literal,
    ObjectLiteral: Builder._object_literal,
    Bind: Builder._bind,
    Fold: Builder._fold,
}
