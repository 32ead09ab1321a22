"""What the checks of this package yield: field errors by type, and the details that recur.

The constructors are those of control_plane.api.field_error, gathered here with the shared texts so
that a check imports one module. Paths are JSON paths as a client sends them: "spec.ports[0].name".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from control_plane.api.field_error import (
    OMITTED,
    ErrorType,
    FieldError,
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
    too_long,
    too_many,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "IMMUTABLE", "MUST_BE_INTEGER", "NEGATIVE", "NOT_POSITIVE", "OMITTED", "ErrorType",
    "FieldError", "duplicate", "forbidden", "invalid", "invalid_each", "non_negative",
    "not_found", "not_found_with", "not_supported", "one_of", "required", "too_long", "too_many",
]  # fmt: skip

NEGATIVE: Final = "must be greater than or equal to 0"
NOT_POSITIVE: Final = "must be greater than zero"
MUST_BE_INTEGER: Final = "must be an integer"
IMMUTABLE: Final = "field is immutable"


def invalid_each(path: str, value: Any, details: Iterable[str]) -> Iterator[FieldError]:
    """One error for each message of a format check."""
    for detail in details:
        yield invalid(path, value, detail)


def not_found_with(path: str, value: Any, detail: str) -> FieldError:
    """A reference leads nowhere, and `detail` says where it could."""
    return FieldError(ErrorType.NOT_FOUND, path, detail, value)


def non_negative(path: str, number: int | None) -> Iterator[FieldError]:
    """Refuse a number below 0; an absent one passes."""
    if number is not None and number < 0:
        yield invalid(path, number, NEGATIVE)


def one_of(
    path: str, value: str | None, allowed: Iterable[str], *, optional: bool = False
) -> Iterator[FieldError]:
    """Refuse a value that is none of `allowed`; an absent one is required unless `optional`."""
    if not value:
        if not optional:
            yield required(path)
    elif value not in allowed:
        yield not_supported(path, value, allowed)
