"""Syntax trees: what an expression says, with its macros expanded.

Every node has the offset, in code points, that errors about it point at. Folds are the macros that
go through a list or a map; all other nodes are the language's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """null, a bool, an int, a UInt, a float, a str or bytes."""

    offset: int
    value: object


@dataclass(frozen=True, slots=True)
class Ident:
    """A name."""

    offset: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or has(operand.field) when it `is_test`."""

    offset: int
    operand: Expr
    field: str
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call; `target` is None unless it is written `target.function(...)`."""

    offset: int
    function: str
    arguments: tuple[Expr, ...]
    target: Expr | None = None


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, ?b]`; `optional` holds the indices of the elements with a question mark."""

    offset: int
    elements: tuple[Expr, ...]
    optional: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a map or of an object; the key of an object's is a str."""

    offset: int
    key: Expr | str
    value: Expr
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """`{a: b, ?c: d}`."""

    offset: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ObjectLiteral:
    """`Name{field: value}`."""

    offset: int
    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Bind:
    """`body` with `variable` standing for `value`."""

    offset: int
    variable: str
    value: Expr
    body: Expr


class FoldKind(Enum):
    """What becomes of the bodies' values."""

    ALL = "all"
    EXISTS = "exists"
    EXISTS_ONE = "exists_one"
    LIST = "list"
    MAP = "map"  # body: the value under the same key
    ENTRY = "entry"  # body: a map whose entries are added
    SORT = "sort"  # body: what the elements are sorted by


@dataclass(frozen=True, slots=True)
class Fold:
    """A macro over `operand`: its variables are bound in `condition` and `body`.

    With one variable it is the element of a list or the key of a map; with two, the index or key
    and the element or value. `condition`, when given, says which elements take part.
    """

    offset: int
    kind: FoldKind
    operand: Expr
    variables: tuple[str, ...]
    body: Expr
    condition: Expr | None = None


Expr: TypeAlias = (
    Literal | Ident | Select | Call | ListLiteral | MapLiteral | ObjectLiteral | Bind | Fold
)


def children(node: Expr) -> tuple[Expr, ...]:
    """Return the nodes right below a node."""
    if isinstance(node, Select):
        return (node.operand,)
    if isinstance(node, Call):
        return node.arguments if node.target is None else (node.target, *node.arguments)
    if isinstance(node, ListLiteral):
        return node.elements
    if isinstance(node, MapLiteral | ObjectLiteral):
        keys = tuple(one.key for one in node.entries if not isinstance(one.key, str))
        return (*keys, *(one.value for one in node.entries))
    if isinstance(node, Bind):
        return (node.value, node.body)
    if isinstance(node, Fold):
        condition = () if node.condition is None else (node.condition,)
        return (node.operand, *condition, node.body)
    return ()
