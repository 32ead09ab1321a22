"""Environments: the variables that an expression may name; programs: expressions ready to run.

environment = Environment({"self": DYN})
program = environment.compile("self.replicas <= 5", outputs=(BOOL,))
program.evaluate({"self": obj})
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from control_plane.api.cel import types
from control_plane.api.cel.budget import PER_CALL, Budget
from control_plane.api.cel.building import Builder
from control_plane.api.cel.checking import Checked, Declarations, check
from control_plane.api.cel.conversion import converter
from control_plane.api.cel.errors import CompileError, EvaluationError
from control_plane.api.cel.functions import Function, table
from control_plane.api.cel.libraries import LIBRARIES
from control_plane.api.cel.literals import check_conversions, check_literals
from control_plane.api.cel.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from control_plane.api.cel.types import Type

_SCALARS: Final = (
    types.BOOL,
    types.INT,
    types.UINT,
    types.DOUBLE,
    types.STRING,
    types.BYTES,
    types.NULL,
    types.DURATION,
    types.TIMESTAMP,
    types.TYPE,
)
_OPAQUE: Final = (
    "net.IP",
    "net.CIDR",
    "kubernetes.Quantity",
    "kubernetes.URL",
    "kubernetes.Semver",
)
_NAMED: Final[dict[str, Type]] = {
    **{one.name: one for one in (*_SCALARS, *map(types.opaque, _OPAQUE))},
    "list": types.list_of(types.DYN),
    "map": types.map_of(types.DYN, types.DYN),
    "optional_type": types.optional_of(types.DYN),
}
_FUNCTIONS: Final = table(LIBRARIES)


class _Joined(Mapping[str, types.Type]):
    """The types of one mapping, and those of another; neither need know all its names."""

    def __init__(self, first: Mapping[str, Type], second: Mapping[str, Type]) -> None:
        self._first, self._second = first, second

    def __getitem__(self, name: str) -> Type:
        found = self._first.get(name)
        return self._second[name] if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter({**self._second, **self._first})

    def __len__(self) -> int:
        return len(list(iter(self)))


class Program:
    """A compiled expression. It keeps no state: one may be evaluated any number of times."""

    def __init__(self, text: str, checked: Checked, variables: Mapping[str, Type]) -> None:
        """Made by Environment.compile."""
        builder = Builder(checked, tuple(variables))
        self.text = text
        self.checked = checked
        self.output = checked.output
        self.names = frozenset(checked.names.values())
        self._closure = builder.build(checked.tree)
        self._cost = builder.cost
        self._locals: list[Any] = [None] * (builder.size - len(variables) - 1)
        self._variables = [(name, converter(declared)) for name, declared in variables.items()]

    def uses(self, variable: str) -> bool:
        """Tell whether the expression names a variable of its environment."""
        return variable in self.names

    def evaluate(self, bindings: Mapping[str, Any], budget: Budget | None = None) -> Any:
        """Return the value: what JSON has, or one of values.py.

        `bindings` gives the variables; those that are absent are null. The evaluation may cost
        1,000,000 units, and no more than is left of `budget`, which is charged. EvaluationError
        when there is no value, CostExceeded (one of them) when it costs too much.
        """
        limit = PER_CALL if budget is None else min(PER_CALL, budget.remaining)
        meter = Budget(limit)
        frame: list[Any] = [meter]
        for name, convert in self._variables:
            value = bindings.get(name)
            frame.append(value if convert is None else convert(value))
        frame += self._locals
        try:
            meter.charge(self._cost)
            return self._closure(frame)
        except RecursionError:
            raise EvaluationError("expression is nested too deeply") from None
        finally:
            if budget is not None:
                budget.remaining -= limit - meter.remaining


class Environment:
    """The variables, object types and functions that expressions may use."""

    def __init__(
        self,
        variables: Mapping[str, Type],
        functions: Iterable[Function] = (),
        named_types: Mapping[str, Type] | None = None,
        *,
        has_bindings: bool = False,
    ) -> None:
        """`functions` come on top of LIBRARIES; `named_types` may be written `Name{...}`.

        With `has_bindings`, `cel.bind` is a macro.
        """
        own = tuple(functions)
        declared = table((*LIBRARIES, own)) if own else _FUNCTIONS
        self.variables = dict(variables)
        self._has_bindings = has_bindings
        types_named = _NAMED if named_types is None else _Joined(named_types, _NAMED)
        self._declarations = Declarations(self.variables, declared, types_named)

    def compile(self, text: str, outputs: Iterable[Type] = ()) -> Program:
        """Return the program of an expression; CompileError says what is wrong with it.

        With `outputs`, the expression's type must be one of them.
        """
        try:
            checked = check(text, parse(text, has_bindings=self._has_bindings), self._declarations)
            check_literals(text, checked)
            _require(checked.output, tuple(outputs))
            check_conversions(checked)
            return Program(text, checked, self.variables)
        except RecursionError:
            raise CompileError("compilation failed: expression is nested too deeply") from None

    def extended(self, variables: Mapping[str, Type]) -> Environment:
        """Return this environment with more variables, or others in the place of its own."""
        made = Environment.__new__(Environment)
        made.variables = {**self.variables, **variables}
        made._has_bindings = self._has_bindings
        made._declarations = Declarations(
            made.variables, self._declarations.functions, self._declarations.types
        )
        return made


def _require(output: Type, wanted: tuple[Type, ...]) -> None:
    if not wanted or output in wanted:
        return
    shown = wanted[0].declared
    if len(wanted) > 1:
        shown = f"one of [{' '.join(one.declared for one in wanted)}]"
    raise CompileError(f"must evaluate to {shown} but got {output.declared}")
