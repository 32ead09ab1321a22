"""Field selectors: "spec.nodeName=a,status.phase!=Failed", matched against a mapping of fields.

Which fields those are is the API server's knowledge; here a field that is not in the mapping counts
as "".
Source: the field selector package of the API machinery, v1.35.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OPERATOR: Final = re.compile("!=|==|=")
_ESCAPED: Final = re.compile(r"([\\,=])")


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison: the field equals the value, or with `negated` does not."""

    field: str
    value: str
    negated: bool = False

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Tell whether the fields satisfy it; a missing field is ""."""
        return (fields.get(self.field, "") == self.value) != self.negated

    def __str__(self) -> str:
        """Return the term as a selector writes it."""
        return f"{self.field}{'!=' if self.negated else '='}{escape(self.value)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """A conjunction of terms; none of them matches everything."""

    terms: tuple[Term, ...] = ()

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Tell whether all terms hold."""
        return all(term.matches(fields) for term in self.terms)

    @property
    def is_everything(self) -> bool:
        """Tell whether every object matches."""
        return not self.terms

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the fields that the terms name, in order."""
        return tuple(term.field for term in self.terms)

    @property
    def demanded(self) -> tuple[tuple[str, str], ...]:
        """Return the fields that must equal a value, with it."""
        return tuple((term.field, term.value) for term in self.terms if not term.negated)

    def exact(self, field: str) -> str | None:
        """Return the value that `field` must have, None when no term demands one."""
        equal = (t.value for t in self.terms if t.field == field and not t.negated)
        return next(equal, None)

    def renamed(self, rename: Callable[[str], str]) -> Selector:
        """Return the selector with every field name mapped, such as spec.host to spec.nodeName."""
        return Selector(tuple(Term(rename(t.field), t.value, t.negated) for t in self.terms))

    def __str__(self) -> str:
        """Return the selector's text, "" for everything."""
        return ",".join(map(str, self.terms))


EVERYTHING: Final = Selector()


def parse(text: str) -> Selector:
    """Return the selector that `text` stands for.

    "" is everything. ValueError with upstream's text when malformed.
    """
    return Selector(tuple(_term(part, text) for part in sorted(_split(text)) if part))


def escape(value: str) -> str:
    r"""Return a value as a selector must write it: "\", "," and "=" escaped."""
    return _ESCAPED.sub(r"\\\1", value)


def _split(text: str) -> list[str]:
    """Cut at the commas that are not escaped."""
    parts: list[str] = []
    start = position = 0
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == ",":
            parts.append(text[start:position])
            start = position + 1
        position += 1
    return [*parts, text[start:]]


def _term(part: str, text: str) -> Term:
    operator = _OPERATOR.search(part)
    if operator is None:
        raise ValueError(f"invalid selector: '{text}'; can't understand '{part}'")
    field, value = part[: operator.start()], part[operator.end() :]
    return Term(field, _unescape(value), operator[0] == "!=")


def _unescape(value: str) -> str:
    plain: list[str] = []
    chars = iter(value)
    for char in chars:
        if char in ",=":
            raise ValueError(f"invalid field selector: unescaped character in value: {ord(char)}")
        if char == "\\":
            char = next(chars, "")
            if char == "" or char not in "\\,=":
                raise ValueError(f"invalid field selector: invalid escape sequence: \\{char}")
        plain.append(char)
    return "".join(plain)
