"""Type checking: which declaration every name and call means, and what type every node has.

All mistakes are collected. Source of rules and texts: the CEL language definition, "Gradual Type
Checking", and cel-go's checker.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel import types
from control_plane.api.cel.errors import CompileError, Issue
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
from control_plane.api.cel.folds import qualified_name
from control_plane.api.cel.types import (
    BOOL,
    DYN,
    ERROR,
    INT,
    Bindings,
    ObjectType,
    Type,
    list_of,
    map_of,
    optional_of,
    resolve,
)
from control_plane.api.cel.values import type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from control_plane.api.cel.functions import Functions, Overload

OPTIONAL_SELECT: Final = "_?._"
MIXING: Final = frozenset({"format"})  # lists in their arguments may have elements of any types
_HOMOGENEOUS: Final = "expected type '{}' but found '{}'"


@dataclass(frozen=True, slots=True)
class Declarations:
    """What an expression may name."""

    variables: Mapping[str, Type]
    functions: Functions
    types: Mapping[str, Type]


@dataclass(slots=True)
class Checked:
    """A tree with what is known of its nodes, by their id()."""

    tree: Expr
    output: Type
    types: dict[int, Type] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)  # variables and types that nodes stand for
    overloads: dict[int, tuple[Overload, ...]] = field(default_factory=dict)

    def type_of(self, node: Expr) -> Type:
        """Return the type of a node of the tree."""
        return self.types[id(node)]


def check(text: str, tree: Expr, declarations: Declarations) -> Checked:
    """Return the tree with its types; CompileError with all that does not fit."""
    checker = _Checker(tree, declarations)
    output = checker.check(tree)
    if checker.issues:
        raise CompileError.of(text, checker.issues)
    checked = checker.checked
    checked.output = resolve(output, checker.bindings)
    checked.types = {key: resolve(one, checker.bindings) for key, one in checked.types.items()}
    return checked


class _Checker:
    def __init__(self, tree: Expr, declarations: Declarations) -> None:
        self.issues: list[Issue] = []
        self.bindings: Bindings = {}
        self.checked = Checked(tree, DYN)
        self._declared = declarations
        self._scopes: list[dict[str, Type]] = []
        self._fresh = 0
        self._mixing = 0

    def check(self, node: Expr) -> Type:
        """Return the type of a node; type variables in it may be bound later."""
        found = _CHECKS[type(node)](self, node)
        self.checked.types[id(node)] = found
        return found

    def wrong(self, offset: int, message: str) -> Type:
        """Note a mistake."""
        self.issues.append(Issue(offset, message))
        return ERROR

    def undeclared(self, offset: int, name: str) -> Type:
        return self.wrong(offset, f"undeclared reference to '{name}' (in container '')")

    def literal(self, node: Literal) -> Type:
        return Type(type_name(node.value))

    def ident(self, node: Ident) -> Type:
        for scope in reversed(self._scopes):
            if node.name in scope:
                return scope[node.name]
        return self._global(node, node.name) or self.undeclared(node.offset, node.name)

    def _global(self, node: Expr, name: str) -> Type | None:
        found = self._declared.variables.get(name)
        if found is None and name in self._declared.types:
            found = types.type_of(self._declared.types[name])
        if found is not None:
            self.checked.names[id(node)] = name
        return found

    def _is_local(self, name: str) -> bool:
        return any(name in scope for scope in self._scopes)

    def select(self, node: Select) -> Type:
        name = qualified_name(node)
        if name and not self._is_local(name.partition(".")[0]):
            found = self._global(node, name)
            if found is not None:
                return found
        found = self._field(node.offset, self.check(node.operand), node.field)
        return BOOL if node.is_test else found

    def _field(self, offset: int, operand: Type, name: str) -> Type:
        operand = resolve(operand, self.bindings)
        if operand.name == "optional_type":
            return optional_of(self._field(offset, operand.parameters[0], name))
        if isinstance(operand, ObjectType):
            found = operand.fields.get(name)
            return found.type if found else self.wrong(offset, f"undefined field '{name}'")
        if operand.name == "map":
            return operand.parameters[1]
        if operand.name in ("dyn", "!error!"):
            return DYN
        return self.wrong(offset, f"type '{operand}' does not support field selection")

    def call(self, node: Call) -> Type:
        mixes = node.function in MIXING
        self._mixing += mixes
        arguments = [self.check(one) for one in node.arguments]
        self._mixing -= mixes
        if node.function == OPTIONAL_SELECT:
            return self._optional_select(node, arguments[0])
        if node.target is None:
            return self._resolve(node, node.function, arguments, is_member=False)
        namespace = qualified_name(node.target)
        if namespace and f"{namespace}.{node.function}" in self._declared.functions:
            name = f"{namespace}.{node.function}"
            self.checked.names[id(node)] = name
            return self._resolve(node, name, arguments, is_member=False)
        target = self.check(node.target)
        return self._resolve(node, node.function, [target, *arguments], is_member=True)

    def _optional_select(self, node: Call, operand: Type) -> Type:
        key = node.arguments[1]
        if not isinstance(key, Literal) or not isinstance(key.value, str):
            return self.wrong(node.offset, "unsupported optional field selection")
        found = self._field(node.offset, operand, key.value)
        return found if found.name == "optional_type" else optional_of(found)

    def _resolve(self, node: Call, name: str, given: list[Type], *, is_member: bool) -> Type:
        declared = self._declared.functions.get(name)
        if declared is None:
            return self.undeclared(node.offset, name)
        if name in _LOGICAL:
            self.checked.overloads[id(node)] = declared
            return self._logical(node, given)
        matching, results = [], []
        for overload in declared:
            if overload.is_member is is_member and len(overload.parameters) == len(given):
                result = self._match(overload, given)
                if result is not None:
                    matching.append(overload)
                    results.append(result)
        if not matching:
            return self.no_overload(node.offset, name, given, is_member=is_member)
        self.checked.overloads[id(node)] = tuple(matching)
        shown = {str(resolve(result, self.bindings)) for result in results}
        return results[0] if len(shown) == 1 else DYN

    def _logical(self, node: Call, given: list[Type]) -> Type:
        """Every operand of && and || is told of alone."""
        pairs = zip(node.arguments, given, strict=True)
        wrong = [(one.offset, kind) for one, kind in pairs if not self._is_bool(kind)]
        for offset, kind in wrong:
            self._no_bool(offset, kind)
        return ERROR if wrong else BOOL

    def _no_bool(self, offset: int, given: Type) -> Type:
        return self.wrong(offset, _HOMOGENEOUS.format(BOOL, resolve(given, self.bindings)))

    def _match(self, overload: Overload, given: list[Type]) -> Type | None:
        self._fresh += 1
        wanted = [_renamed(one, self._fresh) for one in overload.parameters]
        attempt = dict(self.bindings)
        pairs = zip(wanted, given, strict=True)
        if not all(types.is_assignable(want, give, attempt) for want, give in pairs):
            return None
        self.bindings = attempt
        return _renamed(overload.result, self._fresh)

    def no_overload(self, offset: int, name: str, given: list[Type], *, is_member: bool) -> Type:
        shown = [str(resolve(one, self.bindings)) for one in given]
        target = f"{shown.pop(0)}." if is_member else ""
        applied = f"{target}({', '.join(shown)})"
        return self.wrong(offset, f"found no matching overload for '{name}' applied to '{applied}'")

    def _variable(self) -> Type:
        self._fresh += 1
        return Type(f"%{self._fresh}", is_variable=True)

    def _join(self, joined: Type | None, given: Type, offset: int) -> Type:
        if joined is None:
            return given
        attempt = dict(self.bindings)
        if types.is_assignable(joined, given, attempt):
            self.bindings = attempt
            return DYN if resolve(given, attempt).name == "dyn" else joined
        if self._mixing:
            return DYN
        shown = (resolve(one, self.bindings) for one in (joined, given))
        self.wrong(offset, _HOMOGENEOUS.format(*shown))
        return DYN

    def list_literal(self, node: ListLiteral) -> Type:
        joined = None
        for index, element in enumerate(node.elements):
            given = self.check(element)
            if index in node.optional:
                given = self._unwrapped(given, element.offset)
            joined = self._join(joined, given, element.offset)
        return list_of(joined or self._variable())

    def _unwrapped(self, given: Type, offset: int) -> Type:
        if given.name == "optional_type":
            return given.parameters[0]
        found = resolve(given, self.bindings)
        if found.name not in ("dyn", "!error!"):
            self.wrong(offset, f"expected type 'optional_type(dyn)' but found '{found}'")
        return DYN

    def map_literal(self, node: MapLiteral) -> Type:
        keys = values = None
        for entry in node.entries:
            assert not isinstance(entry.key, str)
            keys = self._join(keys, self.check(entry.key), entry.key.offset)
            given = self.check(entry.value)
            if entry.is_optional:
                given = self._unwrapped(given, entry.value.offset)
            values = self._join(values, given, entry.value.offset)
        return map_of(keys or self._variable(), values or self._variable())

    def object_literal(self, node: ObjectLiteral) -> Type:
        declared = self._declared.types.get(node.name)
        if not isinstance(declared, ObjectType):
            return self.undeclared(node.offset, node.name)
        for entry in node.entries:
            given = self.check(entry.value)
            if entry.is_optional:
                given = self._unwrapped(given, entry.value.offset)
            field_type = self._field(entry.offset, declared, str(entry.key))
            if not types.is_assignable(field_type, given, self.bindings):
                shown = resolve(given, self.bindings)
                self.wrong(
                    entry.offset,
                    f"expected type of field '{entry.key}' is '{field_type}' but provided type "
                    f"is '{shown}'",
                )
        return declared

    def bind(self, node: Bind) -> Type:
        value = self.check(node.value)
        self._scopes.append({node.variable: value})
        body = self.check(node.body)
        self._scopes.pop()
        return body

    def fold(self, node: Fold) -> Type:
        operand = resolve(self.check(node.operand), self.bindings)
        key, value = self._elements(node, operand)
        is_single = len(node.variables) == 1
        kinds = ((value if operand.name != "map" else key),) if is_single else (key, value)
        self._scopes.append(dict(zip(node.variables, kinds, strict=True)))
        condition = None if node.condition is None else self.check(node.condition)
        body = self.check(node.body)
        self._scopes.pop()
        if condition is not None and not self._is_bool(condition):
            shown = [condition, list_of(body), list_of(body)]
            return self.no_overload(node.offset, "_?_:_", shown, is_member=False)
        return self._fold_result(node, (operand, key), body)

    def _elements(self, node: Fold, operand: Type) -> tuple[Type, Type]:
        if operand.name == "list":
            return INT, operand.parameters[0]
        if operand.name == "map":
            return operand.parameters[0], operand.parameters[1]
        if operand.name not in ("dyn", "!error!"):
            self.wrong(
                node.operand.offset,
                f"expression of type '{operand}' cannot be range of a comprehension (must be list, "
                "map, or dynamic)",
            )
        return DYN, DYN

    def _is_bool(self, given: Type) -> bool:
        return types.is_assignable(BOOL, given, self.bindings)

    def _fold_result(self, node: Fold, ranged: tuple[Type, Type], body: Type) -> Type:
        operand, key = ranged
        if node.kind in _PREDICATES:
            if self._is_bool(body):
                return BOOL
            if node.kind is not FoldKind.EXISTS_ONE:
                return self._no_bool(node.body.offset, body)
            return self.no_overload(node.offset, "_?_:_", [body, INT, INT], is_member=False)
        if node.kind is FoldKind.LIST:
            return list_of(body)
        if node.kind is FoldKind.MAP:
            return map_of(key, body)
        if node.kind is FoldKind.SORT:
            return operand
        merged = map_of(self._variable(), self._variable())
        if not types.is_assignable(merged, body, self.bindings):
            return self.no_overload(
                node.offset, "cel.@mapInsert", [map_of(DYN, DYN), body], is_member=False
            )
        return resolve(body, self.bindings)


_PREDICATES: Final = frozenset({FoldKind.ALL, FoldKind.EXISTS, FoldKind.EXISTS_ONE})
_LOGICAL: Final = frozenset({"_&&_", "_||_"})
_CHECKS: Final[dict[type, Callable[[_Checker, Any], Type]]] = {
    Literal: _Checker.literal,
    Ident: _Checker.ident,
    Select: _Checker.select,
    Call: _Checker.call,
    ListLiteral: _Checker.list_literal,
    MapLiteral: _Checker.map_literal,
    ObjectLiteral: _Checker.object_literal,
    Bind: _Checker.bind,
    Fold: _Checker.fold,
}


def _renamed(given: Type, number: int) -> Type:
    """Give the type variables of a declaration names of this call's own."""
    if given.is_variable:
        return Type(f"{given.name}%{number}", is_variable=True)
    if not given.parameters or isinstance(given, ObjectType):
        return given
    return Type(given.name, tuple(_renamed(one, number) for one in given.parameters))
