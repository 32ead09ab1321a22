"""Macros over lists and maps: what `all`, `map` and the others do, one function for each kind.

Every element is charged what its condition and body cost, before they are evaluated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from control_plane.api.cel.errors import CostExceeded, EvaluationError, no_such_overload
from control_plane.api.cel.expressions import Fold, FoldKind
from control_plane.api.cel.ordering import sort_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from control_plane.api.cel.building import Builder
    from control_plane.api.cel.selecting import Closure

# what the library's own loop costs beside condition and body
_STEP_COST: Final = 2


class _Loop(NamedTuple):
    """What the functions below go through, and what they do at each element."""

    operand: Closure
    places: list[int]
    condition: Closure | None
    body: Closure
    cost: int

    def steps(self, frame: list[Any]) -> Iterable[Any]:
        """Put each element that takes part into the frame, and yield it."""
        operand, condition = self.operand(frame), self.condition
        charge, cost = frame[0].charge, self.cost
        for element in self._elements(operand, frame):
            charge(cost)
            if condition is None or _is_true(condition(frame)):
                yield element

    def _elements(self, operand: Any, frame: list[Any]) -> Iterable[Any]:
        if len(self.places) == 1:
            (place,) = self.places
            for element in _range(operand):
                frame[place] = element
                yield element
            return
        first, second = self.places
        for key, value in _pairs(operand):
            frame[first], frame[second] = key, value
            yield key


def _range(operand: Any) -> Iterable[Any]:
    if isinstance(operand, list | tuple):
        return operand
    if isinstance(operand, dict):
        return list(operand)
    raise no_such_overload()


def _pairs(operand: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(operand, list | tuple):
        return enumerate(operand)
    if isinstance(operand, dict):
        return list(operand.items())
    raise no_such_overload()


def _is_true(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise no_such_overload()


def _search(loop: _Loop, frame: list[Any], sought: bool) -> bool:
    """Whether some body is `sought`; an error counts only when none is."""
    failure: EvaluationError | None = None
    body = loop.body
    for _ in loop.steps(frame):
        try:
            if _is_true(body(frame)) is sought:
                return True
        except CostExceeded:
            raise
        except EvaluationError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return False


def _all(loop: _Loop, frame: list[Any]) -> bool:
    return not _search(loop, frame, sought=False)


def _exists(loop: _Loop, frame: list[Any]) -> bool:
    return _search(loop, frame, sought=True)


def _exists_one(loop: _Loop, frame: list[Any]) -> bool:
    return sum(_is_true(loop.body(frame)) for _ in loop.steps(frame)) == 1


def _list(loop: _Loop, frame: list[Any]) -> list[Any]:
    return [loop.body(frame) for _ in loop.steps(frame)]


def _map(loop: _Loop, frame: list[Any]) -> dict[Any, Any]:
    return {key: loop.body(frame) for key in loop.steps(frame)}


def _entry(loop: _Loop, frame: list[Any]) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    for _ in loop.steps(frame):
        for key, value in loop.body(frame).items():
            if key in made:
                raise EvaluationError(f"insert failed: key {key} already exists")
            made[key] = value
    return made


def _sort(loop: _Loop, frame: list[Any]) -> list[Any]:
    keyed = [(loop.body(frame), element) for element in loop.steps(frame)]
    return sort_by(keyed)


_LOOPS: Final[dict[FoldKind, Callable[[_Loop, list[Any]], Any]]] = {
    FoldKind.ALL: _all,
    FoldKind.EXISTS: _exists,
    FoldKind.EXISTS_ONE: _exists_one,
    FoldKind.LIST: _list,
    FoldKind.MAP: _map,
    FoldKind.ENTRY: _entry,
    FoldKind.SORT: _sort,
}


def build_fold(builder: Builder, node: Fold) -> Closure:
    """Return the closure of a macro."""
    operand = builder.build(node.operand)
    places = builder.enter(node.variables)
    condition, condition_cost = (
        (None, 0) if node.condition is None else builder.metered(node.condition)
    )
    body, body_cost = builder.metered(node.body)
    builder.leave()
    cost = condition_cost + body_cost + _STEP_COST
    loop, run = _Loop(operand, places, condition, body, cost), _LOOPS[node.kind]
    return lambda frame: run(loop, frame)
