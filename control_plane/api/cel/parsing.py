"""From text to a syntax tree, with the parser of the library (cel-expr-python).

The library expands the standard macros into comprehensions; `folds` reads them back as the folds
that they are, and knows the macros that the library does not.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Final

from cel_expr_python import cel
from cel_expr_python.ext import ext_optional
from google.protobuf.message import DecodeError

from control_plane.api.cel import syntax_pb2 as syntax
from control_plane.api.cel.errors import CompileError, Issue
from control_plane.api.cel.expressions import (
    Call,
    Entry,
    Expr,
    Ident,
    ListLiteral,
    Literal,
    MapLiteral,
    ObjectLiteral,
    Select,
)
from control_plane.api.cel.folds import expand_binding, expand_call, read_comprehension
from control_plane.api.cel.values import UInt

# The library's own limit, which cannot be set; each term of a sum nests as well.
MAX_DEPTH: Final = 32
_FRAME: Final = re.compile(r"\AINVALID_ARGUMENT: (.*) \[INVALID_ARGUMENT\]\Z", re.DOTALL)


@functools.cache
def _library() -> Any:
    return cel.NewEnv(variables={}, extensions=[ext_optional.ExtOptional()])


def parse(text: str, *, has_bindings: bool = False) -> Expr:
    """Return the tree of an expression; CompileError with all that is wrong with its syntax.

    With `has_bindings`, `cel.bind` is a macro.
    """
    if "\0" in text or (not text.isprintable() and _has_surrogates(text)):
        raise CompileError.of(text, [Issue(0, "Syntax error: the text is no valid UTF-8")])
    try:
        serialized = _library().compile(text, disable_check=True).serialize()
        envelope = syntax.Envelope.FromString(serialized)
        parsed = syntax.ParsedExpr.FromString(envelope.value)
    except RuntimeError as error:
        raise _syntax_error(text, str(error)) from None
    except DecodeError:
        raise _syntax_error(text, "recursion") from None
    return _Reader(text, parsed.source_info.positions, has_bindings).read(parsed.expr)


def _syntax_error(text: str, message: str) -> CompileError:
    if "recursion" in message:
        issue = Issue(0, f"expression recursion limit exceeded: {MAX_DEPTH}")
        return CompileError.of(text, [issue])
    framed = _FRAME.match(message)
    return CompileError(f"compilation failed: {framed[1] if framed else message}")


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


class _Reader:
    """Makes nodes of the library's messages."""

    def __init__(self, text: str, positions: Any, has_bindings: bool) -> None:
        self._text = text
        self._positions = dict(positions)
        self._has_bindings = has_bindings

    def read(self, message: Any) -> Expr:
        offset = self._positions.get(message.id, 0)
        kind = message.WhichOneof("kind")
        reader = _READERS.get(kind)
        if reader is None:
            raise CompileError.of(self._text, [Issue(offset, "unsupported expression")])
        return reader(self, getattr(message, kind), offset)

    def literal(self, message: Any, offset: int) -> Expr:
        kind = message.WhichOneof("kind")
        value = getattr(message, kind)
        if kind == "null_value":
            value = None
        elif kind == "uint64_value":
            value = UInt(value)
        return Literal(offset, value)

    def ident(self, message: Any, offset: int) -> Expr:
        return Ident(offset, message.name)

    def select(self, message: Any, offset: int) -> Expr:
        operand = self.read(message.operand)
        return Select(offset, operand, message.field, message.test_only)

    def call(self, message: Any, offset: int) -> Expr:
        target = self.read(message.target) if message.HasField("target") else None
        arguments = tuple(self.read(one) for one in message.args)
        call = Call(offset, message.function, arguments, target)
        try:
            return expand_binding(call) if self._has_bindings else expand_call(call)
        except ValueError as error:
            raise CompileError.of(self._text, [Issue(offset, str(error))]) from None

    def list_literal(self, message: Any, offset: int) -> Expr:
        elements = tuple(self.read(one) for one in message.elements)
        return ListLiteral(offset, elements, frozenset(message.optional_indices))

    def struct(self, message: Any, offset: int) -> Expr:
        entries = tuple(self._entry(one) for one in message.entries)
        if message.message_name:
            return ObjectLiteral(offset, message.message_name, entries)
        return MapLiteral(offset, entries)

    def _entry(self, message: Any) -> Entry:
        offset = self._positions.get(message.id, 0)
        is_field = message.WhichOneof("key") == "field_key"
        key = message.field_key if is_field else self.read(message.map_key)
        return Entry(offset, key, self.read(message.value), message.optional_entry)

    def comprehension(self, message: Any, offset: int) -> Expr:
        parts = (message.iter_range, message.accu_init, message.loop_step, message.result)
        operand, initial, step, result = (self.read(one) for one in parts)
        names = (message.iter_var, message.accu_var)
        return read_comprehension(offset, names, (operand, initial, step, result))


_READERS: Final = {
    "const_expr": _Reader.literal,
    "ident_expr": _Reader.ident,
    "select_expr": _Reader.select,
    "call_expr": _Reader.call,
    "list_expr": _Reader.list_literal,
    "struct_expr": _Reader.struct,
    "comprehension_expr": _Reader.comprehension,
}
