"""Goes through a checked tree and adds up what evaluating it may cost.

A node's place in the schema, where it has one, says how large its value can be. What has no place
of its own, such as the result of a call, counts as the root when a field of it is selected: that
is upstream's oddity, and changes what rules may be written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from control_plane.api.cel.checking import OPTIONAL_SELECT
from control_plane.api.cel.estimation.calls import Called, Cost, cost_of, sorting
from control_plane.api.cel.estimation.sizes import (
    NOTHING,
    ONE,
    UNKNOWN,
    Size,
    joined,
    plus,
    times,
)
from control_plane.api.cel.expressions import (
    Bind,
    Call,
    Expr,
    Fold,
    FoldKind,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    ObjectLiteral,
    Select,
)
from control_plane.api.cel.types import ObjectType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control_plane.api.cel.checking import Checked
    from control_plane.api.cel.estimation.bounds import Bounds
    from control_plane.api.cel.functions import Overload
    from control_plane.api.cel.types import Type

_LIST: Final = 10
_MAP: Final = 30
_OBJECT: Final = 40
_SCALARS: Final = frozenset({
    "bool", "int", "uint", "double", "google.protobuf.Duration", "google.protobuf.Timestamp",
})  # fmt: skip


class _Lost(NamedTuple):
    """A place that the schema does not describe."""


_LOST: Final = _Lost()


class _Entries(NamedTuple):
    """The sizes of keys or indices, and of values or elements."""

    is_list: bool
    key: Size
    value: Size


class _Local(NamedTuple):
    """A variable of a macro; no place is None."""

    place: Bounds | _Lost | None = None
    size: Size | None = None
    entries: _Entries | None = None


def estimate(checked: Checked, root: Bounds) -> int:
    """Return what an expression may cost; `root` are the bounds of self, and of oldSelf."""
    return _Estimator(checked, root).cost(checked.tree)


class _Estimator:
    """What is known of the nodes so far, by their id()."""

    def __init__(self, checked: Checked, root: Bounds) -> None:
        self._checked = checked
        self._root = root
        self._places: dict[int, Bounds | _Lost] = {}
        self._sizes: dict[int, Size] = {}
        self._entries: dict[int, _Entries] = {}
        self._scopes: list[dict[str, _Local]] = []

    def cost(self, node: Expr) -> int:
        """Return what a node costs, and note what its value is like."""
        return _COSTS[type(node)](self, node)

    def _type(self, node: Expr) -> Type:
        found = self._checked.type_of(node)
        return found.parameters[0] if found.name == "wrapper" else found

    def _local(self, node: Expr) -> _Local | None:
        if isinstance(node, Ident):
            for scope in reversed(self._scopes):
                if node.name in scope:
                    return scope[node.name]
        return None

    def _place(self, node: Expr) -> Bounds | _Lost | None:
        local = self._local(node)
        return local.place if local is not None else self._places.get(id(node))

    def _below(self, node: Expr, step: str) -> Bounds | _Lost:
        place = self._place(node)
        if place is None:
            return self._root
        if isinstance(place, _Lost):
            return place
        return place.step(step) or _LOST

    def _size(self, node: Expr) -> Size | None:
        known = self._sizes.get(id(node)) or _written_size(node)
        if known is not None:
            return known
        place = self._place(node)
        if place is not None and not isinstance(place, _Lost):
            return Size(0, place.most)
        if _is_scalar(self._type(node)):
            return ONE
        local = self._local(node)
        return local.size if local is not None else None

    def _size_or_unknown(self, node: Expr) -> Size:
        return self._size(node) or UNKNOWN

    def _entries_of(self, node: Expr) -> _Entries | None:
        local = self._local(node)
        if local is not None and local.entries is not None:
            return local.entries
        return self._entries.get(id(node))

    def _same(self, node: Expr, as_node: Expr) -> None:
        """Let a node be as large as another."""
        size, entries = self._size(as_node), self._entries_of(as_node)
        if size is not None:
            self._sizes[id(node)] = size
        if entries is not None:
            self._entries[id(node)] = entries

    def literal(self, _node: Literal) -> int:
        return 0

    def ident(self, node: Ident) -> int:
        if self._local(node) is None:
            self._places[id(node)] = self._root
        return 1

    def select(self, node: Select) -> int:
        if id(node) in self._checked.names:
            self._places[id(node)] = self._root
            return 1
        cost = self.cost(node.operand)
        if node.is_test:
            return cost
        self._places[id(node)] = self._below(node.operand, node.field)
        kind = self._type(node.operand)
        return cost + 1 if kind.name == "map" or isinstance(kind, ObjectType) else cost

    def call(self, node: Call) -> int:
        costs = [self.cost(one) for one in node.arguments]
        if node.function == OPTIONAL_SELECT:
            return plus(sum(costs), 1)
        special = _SPECIAL.get(node.function)
        if special is not None and node.target is None:
            return special(self, node, costs)
        is_member = node.target is not None and id(node) not in self._checked.names
        cost = self.cost(node.target) if is_member and node.target is not None else 0
        name = self._checked.names.get(id(node), node.function)
        overloads = self._checked.overloads[id(node)]
        found = [cost_of(name, self._called(node, one, is_member=is_member)) for one in overloads]
        self._note_result(node, overloads, found)
        dearest = max(one.units for one in found)
        return plus(plus(cost, min(sum(costs), UNKNOWN.most)), dearest)

    def _called(self, node: Call, overload: Overload, *, is_member: bool) -> Called:
        target = node.target if is_member else None
        kind = self._type(target).parameters if target is not None else ()
        is_list = target is not None and self._type(target).name == "list"
        element = kind[0] if is_list and kind else None
        return Called(
            overload,
            node.arguments,
            tuple(map(self._type, node.arguments)),
            tuple(map(self._size_or_unknown, node.arguments)),
            self._size_or_unknown(target) if target is not None else None,
            _name_of(element),
            self._element_size(target) if target is not None and is_list else UNKNOWN,
        )

    def _element_size(self, target: Expr) -> Size:
        place = self._place(target)
        found = place.step("@items") if place is not None and not isinstance(place, _Lost) else None
        return UNKNOWN if found is None else Size(0, found.most)

    def _note_result(self, node: Call, overloads: tuple[Overload, ...], found: list[Cost]) -> None:
        """Note the size and the place of what a call gives."""
        size: Size | None = None
        for one in found:
            size = joined(size, one.size)
        if node.function == "_+_":
            self._join_entries(node, node.arguments)
        if node.function == "_[_]":
            size = self._note_indexed(node, overloads)
        if size is not None:
            self._sizes[id(node)] = size

    def _note_indexed(self, node: Call, overloads: tuple[Overload, ...]) -> Size | None:
        operand = node.arguments[0]
        for overload in overloads:
            kind = overload.parameters[0].name
            if kind in ("list", "map"):
                step = "@items" if kind == "list" else "@values"
                self._places[id(node)] = self._below(operand, step)
        entries = self._entries_of(operand)
        return entries.value if entries is not None else None

    def _join_entries(self, node: Expr, of: tuple[Expr, ...]) -> None:
        one, other = map(self._entries_of, of)
        if one is not None and other is not None:
            key, value = one.key.joined(other.key), one.value.joined(other.value)
            self._entries[id(node)] = _Entries(one.is_list, key, value)

    def _dyn(self, node: Call, costs: list[int]) -> int:
        self._same(node, node.arguments[0])
        return plus(costs[0], 1)

    def _logical(self, _node: Call, costs: list[int]) -> int:
        return min(sum(costs), UNKNOWN.most)

    def _conditional(self, node: Call, costs: list[int]) -> int:
        either = node.arguments[1:]
        sizes = [self._size_or_unknown(one) for one in either]
        self._sizes[id(node)] = sizes[0].joined(sizes[1])
        self._join_entries(node, either)
        return plus(costs[0], max(costs[1:]))

    def list_literal(self, node: ListLiteral) -> int:
        cost = _LIST
        value: Size | None = None
        for element in node.elements:
            cost = plus(cost, self.cost(element))
            value = joined(value, self._size_or_unknown(element))
        self._entries[id(node)] = _Entries(True, ONE, value or NOTHING)
        return cost

    def map_literal(self, node: MapLiteral) -> int:
        cost = _MAP
        key: Size | None = None
        value: Size | None = None
        for entry in node.entries:
            assert not isinstance(entry.key, str)
            cost = plus(plus(cost, self.cost(entry.key)), self.cost(entry.value))
            key = joined(key, self._size_or_unknown(entry.key))
            value = joined(value, self._size_or_unknown(entry.value))
        self._entries[id(node)] = _Entries(False, key or NOTHING, value or NOTHING)
        return cost

    def object_literal(self, node: ObjectLiteral) -> int:
        return min(_OBJECT + sum(self.cost(one.value) for one in node.entries), UNKNOWN.most)

    def bind(self, node: Bind) -> int:
        value = self.cost(node.value)
        local = _Local(
            self._place(node.value), self._size(node.value), self._entries_of(node.value)
        )
        self._scopes.append({node.variable: local})
        body = self.cost(node.body)
        self._same(node, node.body)
        self._scopes.pop()
        return plus(_LIST, plus(value, body))

    def fold(self, node: Fold) -> int:
        operand = self.cost(node.operand)
        count = self._size_or_unknown(node.operand)
        self._scopes.append(self._variables(node))
        condition = 0 if node.condition is None else self.cost(node.condition)
        body = self.cost(node.body)
        body_size = self._size_or_unknown(node.body)
        self._scopes.pop()
        shape = _FOLDS[node.kind]
        step = plus(condition, plus(body, shape.step))
        total = plus(plus(operand, shape.around), times(count.most, step))
        if node.kind is FoldKind.SORT:
            return self._sorted(node, total, count)
        self._sizes[id(node)] = ONE if shape.is_single else count
        if node.kind is FoldKind.LIST:
            self._entries[id(node)] = _Entries(True, ONE, Size(0, body_size.most))
        return total

    def _sorted(self, node: Fold, total: int, count: Size) -> int:
        made = sorting(count, _name_of(self._type(node.body)))
        if made.size is not None:
            self._sizes[id(node)] = made.size
        return plus(total, made.units)

    def _variables(self, node: Fold) -> dict[str, _Local]:
        entries, operand = self._entries_of(node.operand), node.operand
        is_list = entries.is_list if entries else self._type(operand).name == "list"
        key = _Local(
            self._below(operand, "@indices" if is_list else "@keys"), entries and entries.key
        )
        value = _Local(
            self._below(operand, "@items" if is_list else "@values"), entries and entries.value
        )
        if len(node.variables) == 1:
            return {node.variables[0]: value if is_list else key}
        return dict(zip(node.variables, (key, value), strict=True))


class _FoldShape(NamedTuple):
    """What a macro's loop costs: once `around` it, and with each `step` beside its body."""

    around: int
    step: int
    is_single: bool = False


# an accumulator is read for 1, a list of one element is made and added for 12, a map's entry for 3
_FOLDS: Final[Mapping[FoldKind, _FoldShape]] = {
    FoldKind.ALL: _FoldShape(1, 3, is_single=True),
    FoldKind.EXISTS: _FoldShape(1, 4, is_single=True),
    FoldKind.EXISTS_ONE: _FoldShape(2, 2, is_single=True),
    FoldKind.LIST: _FoldShape(_LIST + 1, _LIST + 2),
    FoldKind.MAP: _FoldShape(_MAP + 1, 3),
    FoldKind.ENTRY: _FoldShape(_MAP + 1, 2),
    FoldKind.SORT: _FoldShape(2 * _LIST + 3, _LIST + 2),  # a binding, a list of keys
}


def _name_of(kind: Type | None) -> str:
    if kind is None:
        return ""
    return kind.parameters[0].name if kind.name == "wrapper" else kind.name


def _is_scalar(kind: Type) -> bool:
    if kind.name == "optional_type":
        return _is_scalar(kind.parameters[0])
    return kind.name in _SCALARS


def _written_size(node: Expr) -> Size | None:
    """The size of what is written out."""
    if isinstance(node, Literal):
        count = len(node.value) if isinstance(node.value, str | bytes) else 1
        return Size(count, count)
    if isinstance(node, ListLiteral):
        return Size(len(node.elements), len(node.elements))
    if isinstance(node, MapLiteral):
        return Size(len(node.entries), len(node.entries))
    return None


_SPECIAL: Final[Mapping[str, Callable[[_Estimator, Call, list[int]], int]]] = {
    "dyn": _Estimator._dyn,
    "_&&_": _Estimator._logical,
    "_||_": _Estimator._logical,
    "_?_:_": _Estimator._conditional,
}
_COSTS: Final[Mapping[type, Callable[[_Estimator, Any], int]]] = {
    Literal: _Estimator.literal,
    Ident: _Estimator.ident,
    Select: _Estimator.select,
    Call: _Estimator.call,
    ListLiteral: _Estimator.list_literal,
    MapLiteral: _Estimator.map_literal,
    ObjectLiteral: _Estimator.object_literal,
    Bind: _Estimator.bind,
    Fold: _Estimator.fold,
}
