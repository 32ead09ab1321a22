"""Functions of expressions: what a library declares and how it is called.

A library is a tuple of Functions. An overload's implementation takes the target first, then the
arguments, as values (values.py), and returns a value or raises EvaluationError. What it costs
beyond 1 is said by `cost`, which gets the same arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from control_plane.api.cel.types import Type


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature: the types of target (when `is_member`) and arguments, and of the result."""

    parameters: tuple[Type, ...]
    result: Type
    implementation: Callable[..., Any]
    is_member: bool = False
    cost: Callable[..., int] | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function and its overloads."""

    name: str
    overloads: tuple[Overload, ...]


Functions = Mapping[str, tuple[Overload, ...]]


def table(libraries: Iterable[Iterable[Function]]) -> dict[str, tuple[Overload, ...]]:
    """Put libraries together; a name that several of them have has all their overloads."""
    found: dict[str, tuple[Overload, ...]] = {}
    for library in libraries:
        for function in library:
            found[function.name] = (*found.get(function.name, ()), *function.overloads)
    return found


def member(
    name: str,
    parameters: tuple[Type, ...],
    result: Type,
    implementation: Callable[..., Any],
    cost: Callable[..., int] | None = None,
) -> Function:
    """Declare `target.name(...)`; the first of `parameters` is the target's type."""
    return Function(name, (Overload(parameters, result, implementation, True, cost),))


def function(
    name: str,
    parameters: tuple[Type, ...],
    result: Type,
    implementation: Callable[..., Any],
    cost: Callable[..., int] | None = None,
) -> Function:
    """Declare `name(...)`."""
    return Function(name, (Overload(parameters, result, implementation, False, cost),))
