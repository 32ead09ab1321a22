"""Calls of functions: the overload is chosen once where types say which, else at each call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from control_plane.api.cel.errors import EvaluationError
from control_plane.api.cel.values import type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from control_plane.api.cel.building import Builder
    from control_plane.api.cel.expressions import Call
    from control_plane.api.cel.functions import Overload
    from control_plane.api.cel.selecting import Closure
    from control_plane.api.cel.types import Type

_ANYTHING = ("dyn", "any")


def build_call(builder: Builder, node: Call) -> Closure:
    """Return the closure of a call of a function that is not an operator."""
    overloads = builder.checked.overloads[id(node)]
    namespaced = builder.checked.names.get(id(node))
    nodes = list(node.arguments)
    if node.target is not None and namespaced is None:
        nodes.insert(0, node.target)
    arguments = [builder.build(one) for one in nodes]
    builder.cost += 1
    if len(overloads) == 1 and _is_certain(overloads[0], [builder.type_of(one) for one in nodes]):
        return _direct(overloads[0], arguments)
    return _dispatching(namespaced or node.function, overloads, arguments)


def _is_certain(overload: Overload, given: list[Type]) -> bool:
    pairs = zip(overload.parameters, given, strict=True)
    return all(
        want.is_variable or want.name in _ANYTHING or want.name == give.name for want, give in pairs
    )


def _direct(overload: Overload, arguments: list[Closure]) -> Closure:
    implementation, cost = overload.implementation, overload.cost
    if cost is not None:
        return lambda frame: _charged(overload, [one(frame) for one in arguments], frame[0].charge)
    if len(arguments) == 1:
        (only,) = arguments
        return lambda frame: implementation(only(frame))
    if len(arguments) == 2:
        first, second = arguments
        return lambda frame: implementation(first(frame), second(frame))
    return lambda frame: implementation(*[one(frame) for one in arguments])


def _charged(overload: Overload, values: list[Any], charge: Callable[[int], None]) -> Any:
    if overload.cost is not None:
        charge(overload.cost(*values))
    return overload.implementation(*values)


def _dispatching(
    name: str, overloads: tuple[Overload, ...], arguments: list[Closure]
) -> Closure:  # fmt: skip
    def dispatch(frame: list[Any]) -> Any:
        values = [one(frame) for one in arguments]
        kinds = [type_name(value) for value in values]
        for overload in overloads:
            if _takes(overload, kinds):
                return _charged(overload, values, frame[0].charge)
        raise EvaluationError(f"no such overload: {name}({', '.join(kinds)})")

    return dispatch


def _takes(overload: Overload, kinds: list[str]) -> bool:
    pairs = zip(overload.parameters, kinds, strict=True)
    return all(
        want.is_variable
        or want.name == kind
        or want.name in _ANYTHING
        or (want.name == "wrapper" and want.parameters[0].name == kind)
        for want, kind in pairs
    )
