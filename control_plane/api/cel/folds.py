"""Macros: the library's expansions read back, and those that the library does not have.

Two variables: all, exists, existsOne, transformList, transformMap and transformMapEntry; of the
lists library: sortBy; in some environments: cel.bind. Source: cel-go ext, comprehensions version 0,
lists version 2 and bindings version 0.
"""

from __future__ import annotations

from typing import Final

from control_plane.api.cel.expressions import (
    Bind,
    Call,
    Expr,
    Fold,
    FoldKind,
    Ident,
    ListLiteral,
    Literal,
    Select,
)

# by name and number of arguments: how many are variables, whether a condition follows, the kind
_MACROS: Final[dict[tuple[str, int], tuple[int, bool, FoldKind]]] = {
    ("all", 3): (2, False, FoldKind.ALL),
    ("exists", 3): (2, False, FoldKind.EXISTS),
    ("existsOne", 3): (2, False, FoldKind.EXISTS_ONE),
    ("exists_one", 3): (2, False, FoldKind.EXISTS_ONE),
    ("transformList", 3): (2, False, FoldKind.LIST),
    ("transformList", 4): (2, True, FoldKind.LIST),
    ("transformMap", 3): (2, False, FoldKind.MAP),
    ("transformMap", 4): (2, True, FoldKind.MAP),
    ("transformMapEntry", 3): (2, False, FoldKind.ENTRY),
    ("transformMapEntry", 4): (2, True, FoldKind.ENTRY),
    ("sortBy", 2): (1, False, FoldKind.SORT),
}


def expand_call(call: Call) -> Expr:
    """Return the fold that a call stands for, or the call; ValueError for a variable's bad name."""
    macro = _MACROS.get((call.function, len(call.arguments)))
    if macro is None or call.target is None:
        return call
    count, has_condition, kind = macro
    variables = tuple(one.name for one in call.arguments[:count] if isinstance(one, Ident))
    if len(variables) != count:
        raise ValueError("argument must be a simple name")
    if len(set(variables)) != count:
        raise ValueError("duplicate variable name: " + variables[0])
    condition = call.arguments[count] if has_condition else None
    return Fold(call.offset, kind, call.target, variables, call.arguments[-1], condition)


def expand_binding(call: Call) -> Expr:
    """Return what `cel.bind(name, value, body)` stands for, or what `expand_call` does.

    ValueError for a variable's bad name.
    """
    target = call.target
    is_bind = call.function == "bind" and isinstance(target, Ident) and target.name == "cel"
    if not is_bind or len(call.arguments) != 3:
        return expand_call(call)
    variable, value, body = call.arguments
    if not isinstance(variable, Ident):
        raise ValueError("cel.bind() variable names must be simple identifiers")
    return Bind(call.offset, variable.name, value, body)


def read_comprehension(
    offset: int, names: tuple[str, str], parts: tuple[Expr, Expr, Expr, Expr]
) -> Expr:
    """Return the fold or the binding that a comprehension of the library's is.

    `names` are the variable and the accumulator; `parts` the range, the accumulator's first value,
    its next one, and the result.
    """
    (variable, accumulator), (operand, initial, step, result) = names, parts
    if isinstance(operand, ListLiteral) and not operand.elements and variable[:1] in "#@":
        return Bind(offset, accumulator, initial, result)
    kind, condition, body = _meaning(step)
    return Fold(offset, kind, operand, (variable,), body, condition)


def _meaning(step: Expr) -> tuple[FoldKind, Expr | None, Expr]:
    assert isinstance(step, Call)
    if step.function == "_&&_":
        return FoldKind.ALL, None, step.arguments[1]
    if step.function == "_||_":
        return FoldKind.EXISTS, None, step.arguments[1]
    if step.function == "_+_":
        return FoldKind.LIST, None, _element(step)
    condition, added, _ = step.arguments
    assert isinstance(added, Call)
    if isinstance(added.arguments[1], Literal):
        return FoldKind.EXISTS_ONE, None, condition
    return FoldKind.LIST, condition, _element(added)


def _element(added: Call) -> Expr:
    """The element of `accumulator + [element]`."""
    literal = added.arguments[1]
    assert isinstance(literal, ListLiteral)
    return literal.elements[0]


def qualified_name(expr: Expr) -> str:
    """Return "a.b.c" for names with dots between them, "" for all else."""
    if isinstance(expr, Ident):
        return expr.name
    if isinstance(expr, Select) and not expr.is_test:
        before = qualified_name(expr.operand)
        return f"{before}.{expr.field}" if before else ""
    return ""
